"""What will be sent, and "Send": the page between the wish and the job."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mobjects import clock
from mobjects.formatting import format_count
from mobjects.forms.sync import SyncForm
from mobjects.jobs.requests import request_sync
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.types import Operation
from mobjects.models import RECORD_MODELS, Kind, SyncJob
from mobjects.presentation import job_text
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.rate_limits.usage import LimitUsage, UnknownUsage
from mobjects.sync.send.clearings import count_clearings, count_replacements
from mobjects.sync.send.selection import ForecastGroup, SyncSelection, count_calls, forecast_groups, records_of_group
from mobjects.sync.transport_factory import key_fields, missing_settings, open_transport
from mobjects.views.base import list_url, none_selected, render_page, require_permission
from mobjects.views.record_list import asked_list, show_records
from mobjects.views.sync.job_actions import redirect_to_new_job

SENT = "sync_sent"
"""In the session: the form tokens that were used, and the job each of them made."""
SENT_KEPT = 20


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One line of the forecast; ``which`` stands for its records.

    ``batches`` counts the calls that they take at least; it is ``None`` if Marketo does not support the operation.
    """

    which: str
    kind: str
    operation: str
    count: int
    batches: int | None

    @property
    def may_be_read(self) -> bool:
        """Whether its records may be in Marketo already, and so can be read there first."""
        return bool(self.batches) and self.operation != Operation.INSERT


@dataclass(frozen=True, slots=True)
class HeldLine:
    """Records that will be held back, and why; ``which`` stands for them."""

    which: str
    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class SyncPreview:
    """What sending a selection now would do; ``problem`` says why it cannot be sent at all.

    ``usage`` is false where it is not known how many calls were made today; ``cleared`` counts values, ``replaced``
    roles that are deleted in Marketo and made anew; ``read_together`` is how many records one call reads at most.
    """

    lines: list[ForecastLine]
    held: list[HeldLine]
    endpoint: str = ""
    caller: str = ""
    problem: str = ""
    usage: LimitUsage | UnknownUsage | None = None
    read_first: bool = False
    cleared: int = 0
    replaced: int = 0
    read_together: int = 1

    @property
    def sendable(self) -> int:
        """Records that would go out."""
        return sum(line.count for line in self.lines if line.batches)

    @property
    def batches(self) -> int:
        """Calls to Marketo that send, all kinds together."""
        return sum(line.batches or 0 for line in self.lines)

    @property
    def calls(self) -> int:
        """All calls to Marketo that are foreseen; looking things up and trying again come on top."""
        to_read = [line for line in self.lines if line.may_be_read] if self.read_first else []
        return self.batches + sum(-(-line.count // self.read_together) for line in to_read)

    @property
    def warning(self) -> str:
        """That today's share of the quota is not enough; "" if it is, or if that is not known."""
        return self.usage.quota_warning(self.calls) if self.usage else ""

    @property
    def ready(self) -> bool:
        """Whether there is something to send and somewhere to send it."""
        return self.sendable > 0 and not self.problem


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.sync_records")
def sync_page(request: HttpRequest) -> HttpResponse:
    """Show what would be sent; on "Send", make the job and go to its page."""
    if request.method == "GET":
        given = request.GET
        return _show(request, SyncForm.build_initial(given.get("kind", "all"), of_import=given.get("of_import", "")))
    form = SyncForm(request.POST)
    if (which := asked_list(request)) and form.is_valid():
        return _list_group(request, form, which)
    if "send" not in request.POST or not form.is_valid():
        return _show(request, form)
    if _find_sent_job(request, form):
        # Before anything else: the first press of a double click may have sent it all by now.
        return _lead_to_job(request, form)
    if request.POST.get("shown", form.options) != form.options:
        messages.warning(request, "You changed the options: this is what they would send. Press “Send” to do so.")
        return _show(request, form)
    if not preview_sync(form.selection).ready:
        # What was there to send went out, or was taken back, since the page was shown.
        return _show(request, form)
    before = clock.now()
    job = _job_once(request, form)
    return _lead_to_job(request, form) if job is None else redirect_to_new_job(request, job, before)


@require_permission("mobjects.sync_records")
def confirm_selection(request: HttpRequest, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    """Show what would be sent of some records, and ask. For admin actions; ids are our own."""
    if not ids:
        return none_selected(request, kind)
    return _show(request, SyncForm.build_initial(kind.value, ids))


def preview_sync(selection: SyncSelection) -> SyncPreview:
    """What sending this selection now would do; sends nothing."""
    keys = key_fields()
    groups = forecast_groups(selection, keys)
    cleared, replaced = count_clearings(selection, keys), count_replacements(selection, keys)
    held = [HeldLine(_which(group), _kind_label(group), group.reason, group.count) for group in groups if group.reason]
    sending = [group for group in groups if not group.reason]
    try:
        transport = open_transport()
    except ConfigError as error:
        return SyncPreview([_line(None, group) for group in sending], held, problem=error.message, cleared=cleared)
    with closing(transport):
        lines = [_line(transport, group) for group in sending]
        usage = RedisRateLimiter.from_settings(transport.endpoint).read_usage()
        missing = missing_settings()
        return SyncPreview(
            lines,
            held,
            transport.endpoint,
            transport.caller,
            missing,
            usage,
            selection.read_first,
            cleared,
            replaced,
            keys.traits.named_to_a_query,
        )


def _show(request: HttpRequest, form: SyncForm) -> HttpResponse:
    valid = form.is_valid()
    shown = preview_sync(form.selection) if valid else None
    return render_page(
        request,
        "sync/confirm/page.html",
        "Sync: what will be sent",
        status=200 if valid else 400,
        form=form,
        preview=shown,
        selection=job_text.selection_text(form.selection.to_json()) if valid else "",
        records=format_count(shown.sendable, "record") if shown else "",
        cancel=_cancel(form),
    )


def _find_sent_job(request: HttpRequest, form: SyncForm) -> str | None:
    noted: str | None = request.session.get(SENT, {}).get(str(form.cleaned_data["token"]))
    return noted


def _lead_to_job(request: HttpRequest, form: SyncForm) -> HttpResponse:
    messages.info(request, "This was sent already; here is its job.")
    return redirect("admin:mobjects_syncjob_change", _find_sent_job(request, form))


def _job_once(request: HttpRequest, form: SyncForm) -> SyncJob | None:
    """The job, or ``None`` if the same page has made one already."""
    token = str(form.cleaned_data["token"])
    with transaction.atomic():
        # A double click gives two requests at once; here the second waits until the first has noted its job.
        Session.objects.select_for_update().filter(pk=request.session.session_key).first()
        noted: dict[str, str] = type(request.session)(request.session.session_key).get(SENT, {})
        if token in noted:
            request.session[SENT] = noted
            return None
        job = request_sync(form.selection, user=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
        request.session[SENT] = dict([*noted.items(), (token, str(job.pk))][-SENT_KEPT:])
        request.session.save()
    return job


def _line(transport: MarketoTransport | None, group: ForecastGroup) -> ForecastLine:
    limit = transport.limit(group.kind, group.operation) if transport and group.operation else None
    batches = count_calls(group, limit, transport.traits) if transport and limit else None
    return ForecastLine(_which(group), _kind_label(group), str(group.operation), group.count, batches)


def _which(group: ForecastGroup) -> str:
    """A group in a button's value."""
    return "|".join((group.kind.value, group.operation.value if group.operation else "", group.reason))


def _list_group(request: HttpRequest, form: SyncForm, which: str) -> HttpResponse:
    """Exactly the records that a line of the preview counts."""
    name, operation, reason = [*which.split("|", 2), "", ""][:3]
    if name not in tuple(Kind) or operation not in ("", *Operation):
        raise Http404
    kind, selection, keys = Kind(name), form.selection, key_fields()
    sent = Operation(operation) if operation else None
    found = [(kind, records_of_group(kind, sent, reason, part, keys)) for part in selection.iter_parts()]
    title = f"Held back: {reason}" if reason else f"Will be sent by {operation}"
    hidden = {bound.html_name: bound.data for bound in form if bound.data not in (None, "", False)}
    return show_records(request, title, found, action=reverse("mobjects:sync"), hidden=hidden)


def _kind_label(group: ForecastGroup) -> str:
    return str(RECORD_MODELS[group.kind]._meta.verbose_name_plural).capitalize()


def _cancel(form: SyncForm) -> str:
    if form.is_valid() and form.cleaned_data["of_import"]:
        return reverse("mobjects:import", args=[form.cleaned_data["of_import"]])
    return list_url(form.data.get("kind"))
