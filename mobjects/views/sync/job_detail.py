"""The page of one job, and what of it renews itself. Its buttons are in
:mod:`mobjects.views.sync.job_actions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from mobjects import result_queries, selectors
from mobjects.db.json_text import JsonRows
from mobjects.jobs.tries import count_rest
from mobjects.models import (
    Approval,
    CustomField,
    Kind,
    SyncBatch,
    SyncJob,
    SyncJobSource,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.presentation import follow_up_text, job_text, vocabulary
from mobjects.presentation.count_links import record_count_text, uncorrected_url
from mobjects.presentation.failure_advice import advise
from mobjects.presentation.failures.named_field import find_field
from mobjects.presentation.history.job_timeline import job_moments
from mobjects.presentation.job_titles import job_title
from mobjects.processes import status as queue_status
from mobjects.result_queries import FailureGroup
from mobjects.sync.transport_factory import key_fields
from mobjects.views.approvals.sentences import hold_text
from mobjects.views.base import history_crumb, may_see_kind, paginate_rows, render_page, require_permission
from mobjects.views.sync import job_actions
from mobjects.views.sync.follow_ups import available_follow_ups
from mobjects.views.sync.result_list import list_parts, read_filter

BATCHES_PER_PAGE = 50
STOP_POLLING = 286
"""The status at which htmx shows an answer and asks no more."""
LABELS = {
    **dict(SyncResultStatus.choices),
    selectors.STEPS: gettext_lazy("Steps on the way"),
    result_queries.PROBLEMS: gettext_lazy("Not accepted"),
}


@require_GET
@require_permission("mobjects.view_syncjob")
def job_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything about one job."""
    job = get_object_or_404(_jobs(), pk=pk)
    return render_page(request, "sync/job/page.html", job_title(job), crumbs=(history_crumb(),), **_parts(request, job))


@require_GET
def job_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What renews itself of the job page, for the last time once the job is over.

    Not behind the admin's redirect to the login page, which would end up inside the job page.
    """
    if not admin.site.has_permission(request) or not request.user.has_perm("mobjects.view_syncjob"):
        return HttpResponse(_("You are logged out; load the page again to log in."), status=STOP_POLLING)
    job = get_object_or_404(_jobs(), pk=pk)
    context = {**_parts(request, job), "title": job_title(job), "swaps": True}
    status = HTTPStatus.OK if job.is_live else STOP_POLLING
    return render(request, "mobjects/sync/job/live.html", context, status=status)


def _jobs() -> QuerySet[SyncJob]:
    """Jobs, each with all its counts in the one query: head and body of its page cannot differ."""
    steps = SyncResult.objects.filter(job=OuterRef("pk"), status__in=SyncResult.PASSING_STATUSES).order_by()
    batches = SyncBatch.objects.filter(job=OuterRef("pk")).order_by()
    counts = [
        Coalesce(Subquery(found.values("job").annotate(count=Count("pk")).values("count")), 0)
        for found in (steps, batches)
    ]
    every = CustomField.objects.order_by().annotate(every=Value(1)).values("every")
    custom = every.annotate(names=JsonRows("kind", "name", "label")).values("names")
    return SyncJob.objects.select_related("schedule", "origin").annotate(
        steps=counts[0],
        batch_count=counts[1],
        was_held=Exists(Approval.objects.filter(job=OuterRef("pk"))),
        custom=Subquery(custom),
    )


def _parts(request: HttpRequest, job: Any) -> dict[str, Any]:
    """All that is shown of a job, with what :func:`_jobs` adds."""
    asked = read_filter(request, job)
    parts = list_parts(request, asked, job)
    may_steer = request.user.has_perm("mobjects.sync_records")
    may_retry = may_steer and selectors.may_repeat(job)
    again = job_actions.retry_label(job) if may_steer else ""
    groups = result_queries.failure_groups(job)
    may = job_actions.available_actions(job, again) | available_follow_ups(job) if may_steer else frozenset()
    # Nothing repeats, undoes or goes on from a job that is not over.
    over = job.state in SyncJob.FINAL_STATES
    followers = list(job.followers.defer("selection", "progress").order_by("created_at")) if over else []
    return {
        **_head(job, groups),
        **parts,
        "query": request.GET.urlencode(),
        "asked_text": job_text.asked_text(job),
        "operation": follow_up_text.operation_text(job),
        "approvals": [(each, hold_text(each)) for each in job.approvals.order_by("-pk")] if job.was_held else [],
        "moments": job_moments(
            job,
            troubles=selectors.troubles_of(job),
            followers=followers,
        ),
        "followers": followers,
        "groups": _describe_groups(request, groups, job),
        "asked_label": LABELS.get(asked.status, ""),
        "steps": job.steps,
        "steps_status": selectors.STEPS,
        "problem_count": sum(job.counts.get(status, 0) for status in selectors.RETRYABLE),
        "results_count": job.result_count + job.steps,
        "batches": paginate_rows(
            request, selectors.batches_of(job), BATCHES_PER_PAGE, "batches", count=job.batch_count
        ),
        "may": may,
        "rest_count": count_rest(job, key_fields()) if "rest" in may else None,
        "may_retry": may_retry,
        "left": parts["left"] if again else set(),
        "retry_label": again,
    }


def _describe_groups(request: HttpRequest, groups: Sequence[FailureGroup], job: Any) -> list[dict[str, Any]]:
    custom = [CustomField(kind=kind, name=name, label=label) for kind, name, label in job.custom or ()]
    return [_describe_group(request, group, job, custom) for group in groups]


def _describe_group(
    request: HttpRequest, group: FailureGroup, job: SyncJob, custom: Sequence[CustomField]
) -> dict[str, Any]:
    """A group with what its reason means, and where its records are listed."""
    # A job of several kinds does not say of which a group is.
    kind = job.kind if job.kind in tuple(Kind) else next(iter(group.uncorrected), "")
    field = find_field(kind, group.reason, custom)
    seen = {kind: count for kind, count in group.uncorrected.items() if may_see_kind(request, kind)}
    lists = [(count, kind, uncorrected_url(kind, job.pk, group.status, group.key)) for kind, count in seen.items()]
    return {
        "group": group,
        "advice": advise(group.status, group.reason),
        "field": field.label if field else "",
        "lists": [(record_count_text(kind, count), address) for count, kind, address in lists],
    }


def asks_for_worker(job: SyncJob) -> bool:
    """Whether a job needs a worker to go on; one of the command line may run without any."""
    return job.state == SyncJobState.QUEUED or (job.is_live and job.source != SyncJobSource.COMMAND)


def _head(job: SyncJob, groups: Sequence[FailureGroup]) -> dict[str, Any]:
    asks = asks_for_worker(job)
    ended_early = job.state in (SyncJobState.STOPPED, SyncJobState.CRASHED, SyncJobState.CANCELLED)
    speed = _speed(job)
    reasons = sum(group.status == SyncResultStatus.FAILED for group in groups)
    return {
        "job": job,
        "sentence": job_text.describe_job(
            job,
            selectors.unaccepted_batches(job) if ended_early else (),
            worker_alive=queue_status.worker_alive() if asks else None,
            seconds_left=None if speed is None else (job.planned - job_text.count_done(job)) / speed,
            # Where more groups than are shown may exist, no number is said.
            failed_for=reasons if len(groups) < result_queries.FAILURE_GROUPS else 0,
        ),
        "speed": speed,
        "summary": job.progress.get("summary", ()),
        "skipped": job.progress.get("skipped"),
        "waits_for_person": job.state == SyncJobState.WAITING and job.waits_until is None,
        "counts": [
            (status.value, job.counts[status], status.label, vocabulary.STATUS_WORDS[status])
            for status in vocabulary.STATUS_ORDER
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


def _speed(job: SyncJob) -> float | None:
    """How many records a second are dealt with at present; ``None`` where that says nothing of what is left."""
    done = job_text.count_done(job)
    if job.state != SyncJobState.RUNNING or not done or job.planned <= done:
        return None
    return selectors.records_per_second(job) or None
