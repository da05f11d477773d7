"""What people may do with a job: queue it again, pause, resume, cancel, and send once more what was not accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from mobjects import clock, selectors
from mobjects.audit.events import record_event
from mobjects.jobs.control import cancel_job, pause_job, resume_job
from mobjects.jobs.queue import enqueue_job
from mobjects.jobs.requests import request_job, request_sync, selection_of_repeat
from mobjects.kept_text import translate_kept
from mobjects.models import (
    RECORD_MODELS,
    EventKind,
    Kind,
    RecordStatus,
    RequestedAction,
    SyncJob,
    SyncJobAction,
    SyncJobState,
    SyncResult,
    records_of_kind,
)
from mobjects.presentation import job_text
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import records_text
from mobjects.sync.send.preview.planned import can_be_sent
from mobjects.sync.send.selection import SyncSelection, candidate_records, ordered_kinds
from mobjects.views.base import history_crumb, press_only, render_page, require_permission, say_not_done
from mobjects.views.pressed_once import lead_to_made, make_once

ENDED_EARLY = (SyncJobState.STOPPED, SyncJobState.CRASHED, SyncJobState.CANCELLED)
NOTHING_LEFT = gettext_lazy("Nothing of it is left to send: all of it was accepted since.")
QUEUED_ALREADY = gettext_lazy("That is queued already; here is its job.")


def _page_of_result(pk: int) -> str:
    return reverse("admin:mobjects_syncjob_change", args=[get_object_or_404(SyncResult, pk=pk).job_id])


def available_actions(job: SyncJob, again: str) -> frozenset[str]:
    """Which of the buttons make sense now: ``queue``, ``pause``, ``resume``, ``cancel``, ``retry``.

    Args:
        again: its :func:`retry_label`, which counts what is left.
    """
    found = set()
    if job.state == SyncJobState.NOT_QUEUED:
        found.add("queue")
    if job.state not in SyncJob.FINAL_STATES and job.requested_action != RequestedAction.CANCEL:
        found.add("cancel")
        held = job.state == SyncJobState.PAUSED or job.requested_action == RequestedAction.PAUSE
        if job.state != SyncJobState.HELD:
            found.add("resume" if held else "pause")
    if again:
        found.add("retry")
    return frozenset(found)


def retry_label(job: SyncJob) -> str:
    """What the button says that sends again what is left of a job; "" if nothing is."""
    if not selectors.may_repeat(job):
        return ""
    if _repeats_whole_selection(job):
        return _("Send what is left")
    count = selectors.results_left(job).values("kind", "record_id").distinct().count()
    return _("Retry %(records)s not accepted") % {"records": records_text(count)} if count else ""


def _repeats_whole_selection(job: SyncJob) -> bool:
    """Whether the whole selection is asked for again: of a job that ended early much has no result yet.

    What was accepted is not changed any more, and so does not go out twice; unless unchanged records do.
    """
    if job.state not in ENDED_EARLY or job.selection.get("resend") or not _has_its_dry_run(job):
        return False
    ended_short = not job.planned or job_text.count_accepted(job.counts) < job_text.count_records(job)
    return ended_short and selectors.has_left(job)


def _has_its_dry_run(job: SyncJob) -> bool:
    """Whether the dry run that a job sends exactly can still be compared with; also where it sends none."""
    kept = job.selection.get("of_dry_run")
    found = SyncJob.objects.filter(pk=kept).first() if kept else None
    return not kept or (found is not None and can_be_sent(found))


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def job_queue_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue a job that could not be queued."""
    job = get_object_or_404(SyncJob, pk=pk)
    if enqueue_job(job):
        record_event(EventKind.QUEUED_AGAIN, on=job)
        messages.success(request, _("The job is queued."))
    else:
        job.refresh_from_db()
        said = (
            translate_kept(job.problem_text)
            if job.state == SyncJobState.NOT_QUEUED
            else _("The job was queued already.")
        )
        say_not_done(request, said, job)
    return _to(job)


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def job_pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Pause a job."""
    return _steer(request, pk, pause_job, _("The job pauses after what is under way."), _("be paused"))


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def job_resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a paused job go on."""
    return _steer(request, pk, resume_job, _("The job goes on."), _("be resumed"))


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.sync_records")
def job_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask whether a job is to be cancelled; on "Cancel the job", do so."""
    if request.method == "POST":
        return _steer(request, pk, cancel_job, _("The job is cancelled after what is under way."), _("be cancelled"))
    job = get_object_or_404(SyncJob, pk=pk)
    above = (history_crumb(), (job_title(job), reverse("admin:mobjects_syncjob_change", args=[job.pk])))
    return render_page(
        request,
        "sync/job/cancel.html",
        _("Cancel this job?"),
        crumbs=above,
        job=job,
        sentence=job_text.describe_job(job),
    )


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def job_retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what sending what a job did not get accepted would do, or those with reasons like one (``same``)."""
    job = get_object_or_404(SyncJob, pk=pk)
    if not selectors.may_repeat(job):
        say_not_done(request, _("Only what a job sent can be tried again, once that job is over."), job)
        return _to(job)
    sample = _result(job, request.POST.get("same"))
    if not retry_label(job) or (sample and not _left_like(sample).exists()):
        say_not_done(request, NOTHING_LEFT, job)
        return _to(job)
    return _repeat(request, job, what_is_left(job, sample), {"same": sample.pk} if sample else {})


@press_only(_page_of_result)
@require_permission("mobjects.sync_records")
def result_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what sending the record of one result again would do."""
    result = get_object_or_404(SyncResult.objects.select_related("job"), pk=pk)
    job, kind = result.job, Kind(result.kind)
    if not selectors.may_repeat(job) or result.status not in selectors.RETRYABLE:
        say_not_done(request, _("Only what was not accepted can be tried again, once its job is over."), job)
        return _to(job)
    if not records_of_kind(kind).filter(pk=result.record_id).exists():
        say_not_done(request, _("“%(label)s” was deleted here.") % {"label": result.shown_label}, job)
        return _to(job)
    if not selectors.results_left(job).filter(pk=pk).exists():
        say_not_done(request, _("“%(label)s” was accepted since.") % {"label": result.shown_label}, job)
        return _to(job)
    return _repeat_records(request, job, kind, (result.record_id,))


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def results_retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what sending the records of the results that are ticked would do; of several kinds, of the first."""
    job = get_object_or_404(SyncJob, pk=pk)
    ticked = [number for text in request.POST.getlist("result") if (number := selectors.id_in(text)) is not None]
    left = selectors.results_left(job).filter(pk__in=ticked) if selectors.may_repeat(job) else SyncResult.objects.none()
    ids: dict[Kind, list[int]] = {}
    for kind, record in left.order_by("pk").values_list("kind", "record_id"):
        ids.setdefault(Kind(kind), []).append(record)
    if not ids:
        messages.info(request, NOTHING_LEFT if ticked else _("No record is ticked."))
        return _to(job)
    first = next(kind for kind in RECORD_MODELS if kind in ids)
    if len(ids) > 1:
        messages.info(
            request, _("Several kinds are ticked. These are the ones that go first; tick the others afterwards.")
        )
    return _repeat_records(request, job, first, ids[first])


def what_is_left(job: SyncJob, sample: SyncResult | None) -> SyncSelection:
    """What of a job is asked for again: what it did not come to, or all failures; of these those like one, if given."""
    if sample:
        return selection_of_repeat(job, (sample.status,), sample.error)
    if _repeats_whole_selection(job):
        # What was to follow a try has a button of its own on the page of that.
        return replace(SyncSelection.from_json(job.selection), rest=None, rest_by_itself=False)
    return selection_of_repeat(job, selectors.RETRYABLE)


def _repeat_records(request: HttpRequest, job: SyncJob, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    old = SyncSelection.from_json(job.selection)
    selection = SyncSelection(
        (kind,), tuple(ids), operation=old.operation, resend=old.resend, read_first=old.read_first
    )
    return _repeat(request, job, selection, {"kind": kind.value, "record": ids})


def _is_unknown(selection: SyncSelection) -> bool:
    """Whether nothing is known of the outcome of any record of a selection; looking that up is all there is to do."""
    found = [candidate_records(kind, part) for part in selection.iter_parts() for kind in ordered_kinds(selection)]
    return not any(records.exclude(last_status=RecordStatus.UNKNOWN).exists() for records in found)


def _repeat(request: HttpRequest, job: SyncJob, selection: SyncSelection, named: Mapping[str, Any]) -> HttpResponse:
    """Go to the page that shows what sending a selection does, and asks; at once, where all is to be looked up."""
    if not _is_unknown(selection):
        asked = urlencode({"of_job": job.pk, **named}, doseq=True)
        return redirect(f"{reverse('mobjects:sync')}?{asked}")
    before = clock.now()
    new = request_sync(selection, user=request.user, reason=job.reason, origin=job)  # type: ignore[arg-type]
    return redirect_to_new_job(request, new, before)


def start_job(
    request: HttpRequest, action: SyncJobAction, kind: str, selection: Mapping[str, Any], reason: str, nothing: str
) -> HttpResponse:
    """Ask for a job, and go to its page; ``nothing`` as for :func:`redirect_to_new_job`."""

    def make() -> SyncJob:
        return request_job(action, kind, selection, user=request.user, reason=reason)  # type: ignore[arg-type]  # signed in

    job = make_once(request, make, job_address)
    return lead_to_made(request) if job is None else redirect_to_new_job(request, job, nothing=nothing)


def redirect_to_new_job(
    request: HttpRequest,
    job: SyncJob,
    before: datetime | None = None,
    *,
    nothing: str = "",
) -> HttpResponse:
    """Go to the page of a job that was just asked for, and say what became of the request.

    Args:
        before: when it was asked for. A job that is older was about to do the same already.
        nothing: what a job that is not queued did not do.
    """
    job.refresh_from_db()
    if before is not None and job.created_at < before:
        messages.info(request, QUEUED_ALREADY)
    elif job.state == SyncJobState.NOT_QUEUED:
        messages.error(
            request,
            translate_kept(job.problem_text)
            or _("The job could not be queued. %(nothing)s") % {"nothing": nothing or _("Nothing was sent.")},
        )
    elif job.state == SyncJobState.HELD:
        messages.warning(request, _("A rule holds it: another person has to approve it. This page says which and why."))
    else:
        messages.success(request, _("The job is queued. This page shows how it goes."))
    return _to(job)


def _steer(request: HttpRequest, pk: UUID, do: Callable[[SyncJob], bool], done: str, what: str) -> HttpResponse:
    job = get_object_or_404(SyncJob, pk=pk)
    if do(job):
        messages.success(request, done)
    else:
        job.refresh_from_db()
        say_not_done(
            request,
            _("Too late: the job is “%(state)s” and cannot %(what)s now.")
            % {"state": job.get_state_display().lower(), "what": what},
            job,
        )
    return _to(job)


def _result(job: SyncJob, pk: str | None) -> SyncResult | None:
    """A result of the job that can be tried again; ``None`` if none is named."""
    if pk is None:
        return None
    found = job.results.filter(status__in=selectors.RETRYABLE)
    return get_object_or_404(found, pk=selectors.id_in(pk))


def _left_like(sample: SyncResult) -> QuerySet[SyncResult]:
    """What is left of the job with the same status and a reason like it."""
    return selectors.results_left(sample.job).filter(status=sample.status, reason_key=sample.reason_key)


def job_address(job: SyncJob) -> str:
    """Where a job's page is."""
    return reverse("admin:mobjects_syncjob_change", args=[job.pk])


def _to(job: SyncJob) -> HttpResponse:
    return redirect(job_address(job))
