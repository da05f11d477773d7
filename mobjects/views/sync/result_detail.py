"""A record inside a job: why it was not accepted, what went out, and its form, with the field in error in focus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects import result_queries, selectors
from mobjects.audit.events import record_event
from mobjects.forms.records.custom_fields import CUSTOM
from mobjects.models import (
    RECORD_MODELS,
    CustomField,
    EventKind,
    Kind,
    Opportunity,
    ProgramCost,
    ProgramTag,
    SyncedRecord,
    SyncJobAction,
    SyncResult,
)
from mobjects.presentation.failure_advice import advise
from mobjects.presentation.failures.named_field import COSTS, TAGS, NamedField, find_field
from mobjects.presentation.history.opportunity_names import link_opportunities
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import field_text
from mobjects.sync.transport_factory import find_member, key_fields, key_names
from mobjects.views.base import history_crumb, may_see_kind, render_page, require_permission
from mobjects.views.sync.result_list import list_query, read_filter

ROW_MODELS = {COSTS: ProgramCost, TAGS: ProgramTag}


@dataclass(frozen=True, slots=True)
class SentField:
    """One value of a record as it was before, as it went out, and as Marketo has accepted it by now.

    Args:
        is_wrong: the reason names it.
    """

    name: str
    before: str
    sent: str
    accepted: str
    is_wrong: bool

    @property
    def is_changed(self) -> bool:
        """Whether what went out is not what was accepted before."""
        return self.before != self.sent


class ValueWords(NamedTuple):
    """What the values in the middle are: heading, caption of the table, and that those of now are the same."""

    heading: str
    caption: str
    same: str


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.view_syncresult")
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of one record in one job. A POST saves its form, as the record's own page would."""
    result = get_object_or_404(SyncResult.objects.select_related("job", "batch"), pk=pk)
    model = RECORD_MODELS[Kind(result.kind)]
    record = model.objects.filter(pk=result.record_id).first()
    wrong = (
        find_field(result.kind, result.error, CustomField.objects.filter(kind=result.kind)) if result.error else None
    )
    context = _context(request, result, record, wrong)
    page = admin.site.get_model_admin(model)
    if record is None or not page.has_view_or_change_permission(request, record):
        return render_page(
            request, "sync/result/alone.html", context.pop("title"), crumbs=context.pop("crumbs"), **context
        )
    rows: Sequence[Any] = getattr(record, wrong.rows).all() if wrong and wrong.rows else ()
    row = wrong.choose_row(rows) if wrong else None
    if wrong and row and (address := _other_page(request, page, wrong.rows, list(rows).index(row))):
        return redirect(address)
    response: HttpResponse = page.changeform_view(request, str(record.pk), "", context)
    if isinstance(response, TemplateResponse):
        response.template_name = "mobjects/sync/result/page.html"
        if wrong:
            _focus(response, wrong, row)
    elif isinstance(response, HttpResponseRedirectBase):
        return redirect(_address_after(request, response.url, context))
    return response


def _context(
    request: HttpRequest, result: SyncResult, record: SyncedRecord | None, wrong: NamedField | None
) -> dict[str, Any]:
    """What is shown above the form."""
    job, query = result.job, list_query(request)
    before, after = result_queries.neighbours(result_queries.find_results(read_filter(request, job)), result.pk)
    job_url = reverse("admin:mobjects_syncjob_change", args=[job.pk])
    may_retry = request.user.has_perm("mobjects.sync_records") and selectors.may_repeat(job)
    failed = result.status in selectors.RETRYABLE
    may_see_values = may_see_kind(request, result.kind)
    fields = _fields(result, record, wrong) if may_see_values else []
    return {
        "title": _("%(record)s in a job") % {"record": result.shown_label},
        "crumbs": (history_crumb(), (job_title(job), f"{job_url}?{query}" if query else job_url)),
        "result": result,
        "record": record,
        "job": job,
        "list_query": query,
        "before": before,
        "after": after,
        "advice": advise(result.status, result.error) if failed else None,
        "wrong_field": wrong.label if wrong else "",
        "fields": fields,
        "value_names": link_opportunities(
            ((each.name, each.before, each.sent, each.accepted) for each in fields),
            linked=may_see_kind(request, Kind.OPPORTUNITY),
        ),
        "hidden": "" if may_see_values else RECORD_MODELS[Kind(result.kind)]._meta.verbose_name_plural,
        "value_words": _value_words(result),
        "attempts": list(result_queries.attempts_of(result)),
        "conflicts": selectors.open_conflicts([result]),
        "existing": {(result.kind, result.record_id): getattr(record, "external_id", None) or ""} if record else {},
        # What became of the record stands above already.
        "sync_panel": None,
        "may_retry": may_retry and failed and selectors.results_left(job).filter(pk=result.pk).exists(),
        "may_see_payload": request.user.has_perm("mobjects.view_payload"),
        "raw": _raw(request, result) if may_see_values else [],
    }


def _accepted_now(result: SyncResult, record: SyncedRecord) -> Mapping[str, str]:
    """What Marketo last accepted of a record, its key also under the names that it had when the result was sent."""
    keys = key_fields()
    accepted = keys.accepted_of(record)
    if not isinstance(record, Opportunity) or keys.opportunity not in accepted:
        return accepted
    return {**dict.fromkeys(key_names(result.job.transport), accepted[keys.opportunity]), **accepted}


def _fields(result: SyncResult, record: SyncedRecord | None, wrong: NamedField | None) -> list[SentField]:
    """All values that went out or would have, those that changed first."""
    accepted = _accepted_now(result, record) if record is not None else {}
    old = {name: before for name, before, _sent in result.diff}
    names = [*old, *(name for name in result.sent if name not in old)]
    sent = {name: value for name, _before, value in result.diff} | result.sent
    rows = [
        SentField(
            field_text(name),
            old.get(name, sent[name]),
            sent[name],
            accepted.get(name, ""),
            wrong is not None and wrong.is_entry(name, sent[name] or old.get(name, "")),
        )
        for name in names
    ]
    return sorted(rows, key=lambda row: not row.is_changed)


def _value_words(result: SyncResult) -> ValueWords:
    """A pull or a comparison sends nothing, and a record without a batch was not sent yet."""
    if result.job.action in (SyncJobAction.PULL, SyncJobAction.COMPARE):
        caption = _("Values: before, in Marketo then, and as Marketo has accepted them by now")
        return ValueWords(_("In Marketo then"), caption, _("as in Marketo then"))
    if result.batch_id is None:
        caption = _("Values: before, to be sent, and as Marketo has accepted them by now")
        return ValueWords(_("To be sent"), caption, _("as it was to be sent"))
    return ValueWords(_("Sent"), _("Values: before, as sent, and as Marketo has accepted them by now"), _("as sent"))


def _raw(request: HttpRequest, result: SyncResult) -> list[tuple[str, str]]:
    """The record's own part of the request and of the answer; empty where there is none, or none to be seen."""
    batch = result.batch
    if batch is None or result.position is None or not request.user.has_perm("mobjects.view_payload"):
        return []
    record_event(EventKind.PAYLOAD_READ, on=result)
    sent, answered = find_member(result.job.transport, batch.request, batch.response, result.position, batch.size)
    return [(words, text) for words, text in ((_("Sent"), sent), (_("Answered"), answered)) if text]


def _other_page(request: HttpRequest, page: ModelAdmin[Any], rows: str, place: int) -> str:
    """The address at which a row stands in the form, if that is another page of the rows and none was asked for.

    Args:
        page: with the form.
        rows: their name.
        place: of the row among all of them.
    """
    parameter = f"{rows}-page"
    inlines: Sequence[Any] = page.inlines
    number = place // next(each.per_page for each in inlines if each.model is ROW_MODELS[rows]) + 1
    if number == 1 or request.method != "GET" or parameter in request.GET:
        return ""
    query = request.GET.copy()
    query[parameter] = str(number)
    return f"{request.path}?{query.urlencode()}"


def _focus(response: TemplateResponse, wrong: NamedField, row: Any | None) -> None:
    """Put the keyboard into the field that the reason names."""
    context = response.context_data or {}
    name = f"{CUSTOM}{wrong.input_name}" if wrong.is_custom else wrong.input_name or wrong.column
    forms = [context["adminform"].form] if wrong.input_name else []
    if row is not None:
        inlines = context["inline_admin_formsets"]
        sets = [inline.formset for inline in inlines if inline.formset.prefix == wrong.rows]
        forms = [form for formset in sets for form in formset.forms if form.instance.pk == row.pk]
    for form in forms[:1]:
        if name in form.fields:
            form.fields[name].widget.attrs |= {"autofocus": True, "aria-describedby": "result-reason"}


def _address_after(request: HttpRequest, address: str, context: dict[str, Any]) -> str:
    """Where a saved form leads: on to the next record of the list, and back to the job behind the last one."""
    query = f"?{context['list_query']}" if context["list_query"] else ""
    if "_continue" in request.POST or "_addanother" in request.POST:
        return request.get_full_path()
    if "_save" not in request.POST:
        return address  # Its own page, such as that of a sync which was asked for.
    if context["after"]:
        return reverse("mobjects:result", args=[context["after"]]) + query
    return reverse("admin:mobjects_syncjob_change", args=[context["job"].pk]) + query
