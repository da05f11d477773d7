"""The page of one job, the part of it that renews itself, and queueing a job again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from mobjects import jobs, queries, queue_status, wording
from mobjects.models import SyncJob, SyncResult
from mobjects.views.pages import history_crumb, needs, page, paged

RESULTS_PER_PAGE = 50
STOP_POLLING = 286
"""The status at which htmx shows an answer and asks no more."""


@require_GET
@needs("mobjects.view_syncjob")
def job_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything about one job."""
    job = get_object_or_404(SyncJob, pk=pk)
    chosen = _chosen(request)
    rows = paged(request, queries.results_of(job, **chosen), RESULTS_PER_PAGE)
    return page(
        request,
        "job/page.html",
        f"Sync job {str(job.pk)[:8]}",
        crumbs=(history_crumb(),),
        **_live(job),
        selection=wording.selection_text(job.selection),
        operation=wording.operation_text(job.operation),
        groups=queries.error_groups(job),
        rows=rows,
        existing=queries.existing(rows),
        chosen=chosen,
        chosen_label=SyncResult.Status(chosen["status"]).label if chosen["status"] else "",
        batches=paged(request, queries.batches_of(job), RESULTS_PER_PAGE, "batches"),
        may_queue=job.state == SyncJob.State.NOT_QUEUED and request.user.has_perm("mobjects.sync_records"),
    )


@require_GET
def job_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of the job page that renews itself; once the job is over it asks for the whole page instead.

    Not behind the admin's redirect to the login page, which would end up inside the job page.
    """
    if not admin.site.has_permission(request) or not request.user.has_perm("mobjects.view_syncjob"):
        return HttpResponse("You are logged out; load the page again to log in.", status=STOP_POLLING)
    job = get_object_or_404(SyncJob, pk=pk)
    response = render(request, "mobjects/job/_live.html", _live(job))
    if not job.is_live:
        response.status_code = STOP_POLLING
        response["HX-Refresh"] = "true"
    return response


@require_POST
@needs("mobjects.sync_records")
def queue_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a job that could not be queued."""
    job = get_object_or_404(SyncJob, pk=pk)
    if jobs.enqueue(job):
        messages.success(request, "The job is queued.")
    else:
        job.refresh_from_db()
        said = job.problem_text if job.state == SyncJob.State.NOT_QUEUED else "The job was queued already."
        messages.warning(request, said)
    return redirect("admin:mobjects_syncjob_change", job.pk)


def _chosen(request: HttpRequest) -> dict[str, Any]:
    status, same_as = request.GET.get("status", ""), request.GET.get("same", "")
    return {
        "status": status if status in SyncResult.Status.values else "",
        "search": request.GET.get("q", "").replace("\0", "").strip()[:200],
        "same_as": int(same_as) if same_as.isascii() and same_as.isdecimal() and len(same_as) < 19 else None,
    }


def _live(job: SyncJob) -> dict[str, Any]:
    # A job of the command line may run without any worker.
    asks = job.state == SyncJob.State.QUEUED or (job.is_live and job.source == SyncJob.Source.ADMIN)
    alive = queue_status.worker_alive() if asks else None
    return {
        "job": job,
        "sentence": wording.sentence(job, queries.unsettled_batches(job), worker_alive=alive),
        "counts": [(status, job.counts[status]) for status in wording.STATUS_ORDER if job.counts.get(status)],
        "total": wording.total(job),
    }
