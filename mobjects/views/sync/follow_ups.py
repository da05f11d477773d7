"""What may follow a job: sending exactly what a dry run showed, and the rest after a try."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects import clock
from mobjects.jobs.approvals.gate import selection_of_dry_run
from mobjects.jobs.requests import request_sync
from mobjects.jobs.tries import rest_of_try
from mobjects.models import SyncJob, SyncJobAction, SyncResultStatus
from mobjects.presentation.follow_up_text import unsendable_text
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.preview.planned import can_be_sent
from mobjects.sync.send.undo.verdicts import CHANGED_THERE, can_be_undone
from mobjects.sync.transport_factory import key_fields
from mobjects.views.base import press_only, require_permission, say_not_done
from mobjects.views.sync.job_actions import redirect_to_new_job


def available_follow_ups(job: SyncJob) -> frozenset[str]:
    """Which buttons make sense now: ``exactly``, ``rest``, ``undo``."""
    found = set()
    if can_be_sent(job):
        found.add("exactly")
    if rest_of_try(job) is not None:
        found.add("rest")
    if can_be_undone(job) and any(job.counts.get(status) for status in CHANGED_THERE):
        found.add("undo")
    return frozenset(found)


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def send_exactly(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send what a dry run showed; if some of it is not as it was, say which and offer the others."""
    job = get_object_or_404(SyncJob, pk=pk, action=SyncJobAction.DRY_RUN)
    if not can_be_sent(job):
        say_not_done(request, unsendable_text(job), job)
        return redirect("admin:mobjects_syncjob_change", job.pk)
    selection = selection_of_dry_run(job)
    groups = forecast_groups(selection, key_fields())
    same = sum(group.count for group in groups if not group.reason)
    others = job.counts[SyncResultStatus.PLANNED] - same
    if others:
        words = ngettext(
            "Nothing was sent: %(count)s record is not as the dry run showed it. The others can be sent.",
            "Nothing was sent: %(count)s records are not as the dry run showed them. The others can be sent.",
            others,
        )
        say_not_done(request, words % {"count": f"{others:,}"}, job)
        return redirect(f"{reverse('mobjects:sync')}?dry_run={job.pk}")
    before = clock.now()
    new = request_sync(selection, user=request.user, reason=job.reason, origin=job)  # type: ignore[arg-type]
    return redirect_to_new_job(request, new, before)


@press_only("admin:mobjects_syncjob_change")
@require_permission("mobjects.sync_records")
def send_rest(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send what a try left."""
    job = get_object_or_404(SyncJob, pk=pk)
    rest = rest_of_try(job)
    if rest is None:
        say_not_done(request, _("The rest was asked for already, or there is none."), job)
        return redirect("admin:mobjects_syncjob_change", job.pk)
    before = clock.now()
    new = request_sync(rest, user=request.user, reason=job.reason, origin=job)  # type: ignore[arg-type]
    return redirect_to_new_job(request, new, before)
