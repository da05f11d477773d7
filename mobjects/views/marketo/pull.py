"""Reading from Marketo into the local copies ("pull"), and comparing the two: the pages between wish and job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from mobjects.forms.pull import CompareForm, PullForm, join_ids
from mobjects.models import RECORD_MODELS, AllowedValues, Kind, SyncJobAction, records_of_kind
from mobjects.presentation.vocabulary import KIND_WORDS, selected_text
from mobjects.sync.compare.task import MAX_ONE_BY_ONE
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.paging import can_list
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import key_fields, target
from mobjects.views.base import list_url, none_selected, render_page, require_permission
from mobjects.views.sync.job_actions import start_job
from mobjects.views.uploads import takes_upload

PAGE = 100
"""Objects in one answer of Marketo's."""
NOTHING_READ = _("Nothing was read.")


@takes_upload("mobjects.pull_records")
@require_http_methods(["GET", "POST"])
@require_permission("mobjects.pull_records")
def pull_page(request: HttpRequest) -> HttpResponse:
    """Ask what to read; on "Pull", make the job and go to its page."""
    if request.method == "GET":
        return _show_pull(request, PullForm({"kind": request.GET.get("kind", Kind.PROGRAM.value)}))
    form = PullForm(request.POST, request.FILES)
    if "start" not in request.POST or not form.is_valid():
        return _show_pull(request, form)
    asked = form.cleaned_data["pull"]
    kind, reason = asked.kind.value, form.cleaned_data["reason"]
    return start_job(request, SyncJobAction.PULL, kind, asked.to_json(), reason, str(NOTHING_READ))


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.pull_records")
def compare_page(request: HttpRequest) -> HttpResponse:
    """Ask what to compare; on "Compare", make the job and go to its page."""
    if request.method == "GET":
        return _show_compare(request, CompareForm({"kinds": list(Kind)}))
    form = CompareForm(request.POST)
    if "start" not in request.POST or not form.is_valid():
        return _show_compare(request, form)
    asked = form.cleaned_data["comparison"]
    kind, reason = asked.kind_of_job, form.cleaned_data["reason"]
    return start_job(request, SyncJobAction.COMPARE, kind, asked.to_json(), reason, str(NOTHING_READ))


@require_permission("mobjects.pull_records")
def confirm_pull(request: HttpRequest, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    """Say what reading these records again does, and ask. For admin actions; ids are our own."""
    if not ids:
        return none_selected(request, kind)
    return _show_pull(request, PullForm({"kind": kind.value, "ids": join_ids(ids)}))


@require_permission("mobjects.pull_records")
def confirm_compare(request: HttpRequest, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    """Say what comparing these records does, and ask. For admin actions; ids are our own."""
    if not ids:
        return none_selected(request, kind)
    return _show_compare(request, CompareForm({"kinds": [kind.value], "ids": join_ids(ids)}))


def _show_pull(request: HttpRequest, form: PullForm) -> HttpResponse:
    valid = form.is_valid()
    kind = Kind(form.data["kind"]) if form.data.get("kind") in tuple(Kind) else None
    ids = form.cleaned_data.get("ids")
    calls = _calls_for(kind, ids, form.keys) if kind and (ids or not form.lists) else None
    return render_page(
        request,
        "marketo/pull/page.html",
        gettext("Pull from Marketo"),
        status=200 if valid else 400,
        form=form,
        kind=kind,
        kinds=[(each, str(RECORD_MODELS[each]._meta.verbose_name_plural).capitalize()) for each in RECORD_MODELS],
        what=_describe_selection(kind, ids),
        plural=str(KIND_WORDS[kind]) if kind else gettext("records"),
        lists=form.lists,
        called=form.keys.traits.id_kind(kind).value if kind else "Marketo ID",
        usage=_usage(calls),
        allowed=AllowedValues() if kind is Kind.PROGRAM and not ids else None,
        cancel=list_url(kind if ids else None),
    )


def _show_compare(request: HttpRequest, form: CompareForm) -> HttpResponse:
    valid = form.is_valid()
    ids = form.cleaned_data.get("ids")
    kinds = [kind for kind in RECORD_MODELS if kind in form.cleaned_data.get("kinds", ())]
    keys = key_fields()
    calls = sum(_calls_to_compare(each, ids, keys) for each in kinds)
    kind = kinds[0] if len(kinds) == 1 else None
    return render_page(
        request,
        "marketo/pull/compare.html",
        gettext("Drift report"),
        status=200 if valid else 400,
        form=form,
        what=_describe_selection(kind, ids) if ids else "",
        usage=_usage(calls),
        cancel=list_url(kind if ids else None),
    )


def _calls_for(kind: Kind, ids: Sequence[int] | None, keys: KeyFields) -> int:
    """How many calls a pull of records held here needs at least: of those with these ids of ours, or of all."""
    held = records_of_kind(kind) if ids is None else records_of_kind(kind).filter(pk__in=ids)
    known = held.filter(**{f"{keys.id_column(kind)}__isnull": False}).count()
    return known if can_list(kind, keys) else _divide_up(known, keys.traits.named_to_a_query)


def _calls_to_compare(kind: Kind, ids: Sequence[int] | None, keys: KeyFields) -> int:
    held = records_of_kind(kind).filter(**{f"{keys.id_column(kind)}__isnull": False}).exclude(accepted={})
    if not can_list(kind, keys):
        held = held if ids is None else held.filter(pk__in=ids)
        return _divide_up(held.count(), keys.traits.named_to_a_query)
    few = ids is not None and len(ids) <= MAX_ONE_BY_ONE
    return len(ids or ()) if few else max(1, _divide_up(held.count(), PAGE))


def _divide_up(count: int, size: int) -> int:
    return -(-count // size)


def _usage(calls: int | None) -> dict[str, Any]:
    """How many calls are needed at least, if that is known, and how many were made today."""
    usage = RedisRateLimiter.from_settings(target()).read_usage()
    return {"calls": calls, "now": usage, "warning": usage.quota_warning(calls) if usage and calls else ""}


def _describe_selection(kind: Kind | None, ids: Sequence[int] | None) -> str:
    if kind is None or not ids:
        return ""
    return selected_text(kind, len(ids))
