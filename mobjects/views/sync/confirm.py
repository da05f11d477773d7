"""What will be sent, and "Send": the page between the wish and the job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Unpack
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from mobjects import clock
from mobjects.forms.sync import SyncForm
from mobjects.jobs.requests import Asked, request_dry_run, request_sync
from mobjects.jobs.tries import TRIED, request_try
from mobjects.models import Kind, SyncJob, SyncJobAction
from mobjects.presentation import job_text
from mobjects.presentation.history.opportunity_names import link_opportunities
from mobjects.presentation.job_titles import job_title
from mobjects.selectors import RETRYABLE, id_in, may_repeat
from mobjects.sync.send.preview.estimates import examined_programs
from mobjects.sync.send.preview.forecast import NO_BOUNDS, find_bounds
from mobjects.sync.transport_factory import key_fields
from mobjects.views.base import (
    Crumb,
    history_crumb,
    list_url,
    may_see_kind,
    none_selected,
    render_page,
    require_permission,
)
from mobjects.views.pressed_once import lead_to_made, made_before, make_once
from mobjects.views.record_list import LIST, asked_list
from mobjects.views.sync.job_actions import job_address, redirect_to_new_job, what_is_left
from mobjects.views.sync.planned_records import CLEARED, LOSING, NEW_OF, REPLACED, SKIPPED, PlannedPage, PlannedRecords
from mobjects.views.sync.preview import FIRST, may_send, preview_sync

SENT_ALREADY = gettext_lazy("This was sent already; here is its job.")
COUNT = "count"
"""The button that has all records counted; a page of many presses it by itself once it is open."""
SHOWN = 10
"""So many records the first page shows with what would change."""


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.sync_records")
def sync_page(request: HttpRequest) -> HttpResponse:
    """Show what would be sent; on "Send", make the job and go to its page. Also tries some, and keeps a dry run."""
    if request.method == "GET":
        return _show(request, _asked_form(request))
    form = _repeating(SyncForm(request.POST))
    if (which := asked_list(request)) and form.is_valid():
        return _list_records(request, form, which)
    press = next((name for name in MAKERS if name in request.POST), "")
    if not press or not form.is_valid():
        return _show(request, form)
    key = str(form.cleaned_data["token"])
    if made_before(request, key):
        # Before anything else: the first press of a double click may have sent it all by now.
        return lead_to_made(request, key, SENT_ALREADY)
    if request.POST.get("shown", form.options) != form.options:
        messages.warning(request, _("You changed the options: this is what they would do. Press the button again."))
        return _show(request, form)
    if press != KEEP and not may_send(form.selection):
        # What was there to send went out, or was taken back, since the page was shown.
        return _show(request, form)
    before = clock.now()

    def make() -> SyncJob:
        given = form.cleaned_data
        origin = form.job or SyncJob.objects.filter(pk=given["of_dry_run"]).first()
        return MAKERS[press](form, user=request.user, reason=given["reason"], origin=origin)

    job = make_once(request, make, job_address, key)
    return lead_to_made(request, key, SENT_ALREADY) if job is None else redirect_to_new_job(request, job, before)


def _asked_form(request: HttpRequest) -> SyncForm:
    given = request.GET
    if given.get("dry_run"):
        kept = _job_in(given["dry_run"])
        return SyncForm.build_for_dry_run(get_object_or_404(SyncJob, pk=kept, action=SyncJobAction.DRY_RUN))
    records = [_number_in(text) for text in given.getlist("record")]
    if given.get("of_job"):
        job, same = _job_to_repeat(_job_in(given["of_job"])), _number_in(given["same"]) if "same" in given else None
        return _repeating(SyncForm.build_for_repeat(job, same, given.get("kind", ""), records))
    return SyncForm.build_initial(given.get("kind", "all"), records or None, of_import=given.get("of_import", ""))


def _job_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _number_in(text: str) -> int:
    number = id_in(text)
    if number is None:
        raise Http404
    return number


def _job_to_repeat(pk: UUID) -> SyncJob:
    job = get_object_or_404(SyncJob, pk=pk)
    if not may_repeat(job):
        raise Http404
    return job


def _repeating(form: SyncForm) -> SyncForm:
    """The form; where it names no records of the job that it repeats, it is about what is left of that."""
    if form.is_valid() and (pk := form.cleaned_data["of_job"]):
        form.job, same = form.job or _job_to_repeat(pk), form.cleaned_data["same"]
        if not form.cleaned_data["ids"]:
            found = form.job.results.filter(status__in=RETRYABLE)
            form.repeated = what_is_left(form.job, get_object_or_404(found, pk=same) if same else None)
    return form


def _selection_text(form: SyncForm) -> str:
    """What is chosen, in words; of a job that is repeated with its title."""
    kept, title = form.selection.to_json(), job_title(form.job) if form.job else ""
    if form.repeated and not form.repeated.of_job:
        return _("What is left of “%(job)s”") % {"job": title}
    return job_text.selection_text(kept, of=title)


def _crumbs(form: SyncForm) -> Sequence[Crumb]:
    return (history_crumb(), (job_title(form.job), job_address(form.job))) if form.job else ()


def _make_sending(form: SyncForm, **asked: Unpack[Asked]) -> SyncJob:
    return request_sync(form.selection, **asked)


def _make_dry_run(form: SyncForm, **asked: Unpack[Asked]) -> SyncJob:
    return request_dry_run(form.selection, **asked)


def _make_try(form: SyncForm, **asked: Unpack[Asked]) -> SyncJob:
    return request_try(form.selection, key_fields(), by_itself=form.cleaned_data["rest_by_itself"], **asked)


SEND, KEEP, TRY = "send", "keep", "try"
MAKERS: dict[str, Callable[..., SyncJob]] = {SEND: _make_sending, KEEP: _make_dry_run, TRY: _make_try}
"""What each button asks for."""


@require_permission("mobjects.sync_records")
def confirm_selection(request: HttpRequest, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    """Show what would be sent of some records, and ask. For admin actions; ids are our own."""
    if not ids:
        return none_selected(request, kind)
    return _show(request, SyncForm.build_initial(kind.value, ids))


def _show(request: HttpRequest, form: SyncForm) -> HttpResponse:
    valid = form.is_valid()
    shown, planned = None, None
    if valid:
        # One moment for the whole page, which only people read; a job judges by the database's clock.
        now = timezone.now()
        bounds = NO_BOUNDS if COUNT in request.POST else find_bounds(form.selection, FIRST)
        programs = examined_programs(form.selection, key_fields(), at=now)
        shown = preview_sync(form.selection, programs, at=now, bounds=bounds)
        known = {Kind.PROGRAM: programs} if programs else {}
        unseen = _unseen_kinds(request)
        planned = PlannedRecords(form.selection, at=now, known=known, unseen=unseen).read_page(size=SHOWN)
    return render_page(
        request,
        "sync/confirm/page.html",
        _("Sync: what will be sent"),
        status=200 if valid else 400,
        form=form,
        preview=shown,
        crumbs=_crumbs(form),
        selection=_selection_text(form) if valid else "",
        planned=planned,
        value_names=_names(request, planned, asks=False) if planned else {},
        counted=FIRST,
        first=min(shown.sendable, TRIED) if shown else 0,
        others=max(shown.sendable - TRIED, 0) if shown else 0,
        cancel=_cancel(form),
    )


def _list_records(request: HttpRequest, form: SyncForm, which: str) -> HttpResponse:
    """The records that a line of the preview counts, or all, and what of each would change."""
    position = request.POST.get(LIST, "").partition("@")[2]
    search = request.POST.get("q", "").replace("\0", "").strip()[:200]
    found = PlannedRecords(form.selection, which, search, unseen=_unseen_kinds(request))
    _kind, operation, reason = found.group
    title = {
        CLEARED: _("Values would be cleared in Marketo"),
        LOSING: _("Programs that would lose tags or costs in Marketo"),
        REPLACED: _("Roles that would be deleted and made anew in Marketo"),
        SKIPPED: _("Marketo would skip these"),
    }.get(which, _("What would be sent, record by record"))
    if reason:
        title = _("Held back: %s") % reason
    elif which.startswith(NEW_OF):
        title = _("New in Marketo")
    elif operation:
        title = _("Will be sent by %s") % operation
    planned = found.read_page(position)
    return render_page(
        request,
        "sync/confirm/records.html",
        title,
        planned=planned,
        value_names=_names(request, planned, asks=True),
        count=None if search or position else found.count_records(),
        hidden=[(bound.html_name, bound.data) for bound in form if bound.data not in (None, "", False)],
        button=LIST,
        which=which,
        search=search,
    )


def _unseen_kinds(request: HttpRequest) -> list[Kind]:
    """Kinds of which the reader may send records, but not see their values."""
    return [kind for kind in Kind if not may_see_kind(request, kind)]


def _names(request: HttpRequest, planned: PlannedPage, *, asks: bool) -> dict[str, SafeString]:
    """What the opportunities of roles are called; without asking the database, where the page has no statement left."""
    known = dict(row.opportunity for row in planned.rows if row.opportunity)
    changes = (change for row in planned.rows for change in row.changes)
    return link_opportunities(changes, linked=may_see_kind(request, Kind.OPPORTUNITY), known=None if asks else known)


def _cancel(form: SyncForm) -> str:
    if form.job:
        return job_address(form.job)
    if form.is_valid() and form.cleaned_data["of_import"]:
        return reverse("mobjects:import", args=[form.cleaned_data["of_import"]])
    return list_url(form.data.get("kind"))
