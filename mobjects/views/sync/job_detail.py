"""The page of one job, and what of it renews itself. Its buttons are in
:mod:`mobjects.views.sync.job_actions`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from mobjects import selectors
from mobjects.models import SyncJob, SyncJobAction, SyncJobSource, SyncJobState, SyncResult, SyncResultStatus
from mobjects.presentation import job_text
from mobjects.processes import status as queue_status
from mobjects.views.base import history_crumb, paginate_rows, render_page, require_permission
from mobjects.views.sync import job_actions
from mobjects.views.sync.follow_ups import available_follow_ups

RESULTS_PER_PAGE = 50
STOP_POLLING = 286
"""The status at which htmx shows an answer and asks no more."""
LABELS = {**dict(SyncResultStatus.choices), selectors.STEPS: "Steps on the way"}


@require_GET
@require_permission("mobjects.view_syncjob")
def job_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything about one job."""
    job = get_object_or_404(_jobs(), pk=pk)
    return render_page(
        request, "sync/job/page.html", job_text.job_title(job), crumbs=(history_crumb(),), **_parts(request, job)
    )


@require_GET
def job_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What renews itself of the job page; once the job is over it asks for the whole page instead.

    Not behind the admin's redirect to the login page, which would end up inside the job page.
    """
    if not admin.site.has_permission(request) or not request.user.has_perm("mobjects.view_syncjob"):
        return HttpResponse("You are logged out; load the page again to log in.", status=STOP_POLLING)
    job = get_object_or_404(_jobs(), pk=pk)
    response = render(request, "mobjects/sync/job/live.html", {**_parts(request, job), "swaps": True})
    if not job.is_live:
        response.status_code = STOP_POLLING
        response["HX-Refresh"] = "true"
    return response


def _jobs() -> QuerySet[SyncJob]:
    """Jobs, each with all its counts in the one query: head and body of its page cannot differ."""
    steps = SyncResult.objects.filter(job=OuterRef("pk"), status__in=SyncResult.PASSING_STATUSES).order_by()
    counted = steps.values("job").annotate(count=Count("pk")).values("count")
    return SyncJob.objects.select_related("schedule").annotate(steps=Coalesce(Subquery(counted), 0))


def _parts(request: HttpRequest, job: Any) -> dict[str, Any]:
    """All that is shown of a job, with its ``steps``."""
    chosen = _chosen(request)
    rows = paginate_rows(request, selectors.results_of(job, **chosen), RESULTS_PER_PAGE)
    may_steer = request.user.has_perm("mobjects.sync_records")
    return {
        **_head(job),
        "query": request.GET.urlencode(),
        "asked": job_text.asked_text(job),
        "operation": job_text.operation_text(job.operation)
        if job.action in (*SyncJob.SENDING_ACTIONS, SyncJobAction.DRY_RUN)
        else "",
        "followers": list(job.followers.only("pk", "action").order_by("created_at")),
        "groups": selectors.error_groups(job),
        "rows": rows,
        "existing": selectors.existing_records(rows),
        "conflicts": selectors.open_conflicts(rows),
        "chosen": chosen,
        "chosen_label": LABELS.get(chosen["status"], ""),
        "steps": job.steps,
        "steps_status": selectors.STEPS,
        "results_count": job.result_count + job.steps,
        "batches": paginate_rows(request, selectors.batches_of(job), RESULTS_PER_PAGE, "batches"),
        "may": job_actions.available_actions(job) | available_follow_ups(job) if may_steer else frozenset(),
        "may_retry": may_steer and job_actions.may_repeat(job),
        "left": set(selectors.results_left(job).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)),
        "retry_label": job_actions.retry_label(job),
    }


def _chosen(request: HttpRequest) -> dict[str, Any]:
    status = request.GET.get("status", "")
    return {
        "status": status if status in LABELS else "",
        "search": request.GET.get("q", "").replace("\0", "").strip()[:200],
        "same_as": selectors.id_in(request.GET.get("same")),
    }


def _head(job: SyncJob) -> dict[str, Any]:
    # A job of the command line may run without any worker.
    asks = job.state == SyncJobState.QUEUED or (job.is_live and job.source != SyncJobSource.COMMAND)
    ended_early = job.state in (SyncJobState.STOPPED, SyncJobState.CRASHED, SyncJobState.CANCELLED)
    return {
        "job": job,
        "sentence": job_text.describe_job(
            job,
            selectors.unaccepted_batches(job) if ended_early else (),
            worker_alive=queue_status.worker_alive() if asks else None,
            seconds_left=_seconds_left(job),
        ),
        "summary": job.progress.get("summary", ()),
        "waits_for_person": job.state == SyncJobState.WAITING and job.waits_until is None,
        "counts": [
            (status.value, job.counts[status], status.label, job_text.STATUS_WORDS[status])
            for status in job_text.STATUS_ORDER
            if job.counts.get(status)
        ],
        "done": job_text.count_done(job),
        "total": job_text.count_records(job),
        "shows_progress": job.planned > 0
        and (
            job.state == SyncJobState.RUNNING
            or (job.state in (SyncJobState.WAITING, SyncJobState.PAUSED) and job.result_count > 0)
        ),
    }


def _seconds_left(job: SyncJob) -> float | None:
    """How long a job still takes at its present speed; ``None`` if that cannot be told."""
    done = job_text.count_done(job)
    left = job.planned - done
    if job.state != SyncJobState.RUNNING or not done or left <= 0:
        return None
    speed = selectors.records_per_second(job)
    return left / speed if speed else None
