"""Exactly the records that a page of a form counts: a count is a button of the form, and this is what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mobjects.models import RECORD_MODELS, Kind
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.presentation.badges import record_state_badge
from mobjects.views.base import render_page

LIST = "list"
"""Name of the buttons; the value says which records. Another page of the list is ``<value>@<page>``."""
PER_PAGE = 100


def asked_list(request: HttpRequest) -> str:
    """Which of a form's counts was pressed; "" if none was."""
    return request.POST.get(LIST, "").partition("@")[0]


def show_records(
    request: HttpRequest,
    title: str,
    found: Sequence[tuple[Kind, SyncedQuerySet]],
    *,
    action: str,
    hidden: Mapping[str, Any],
) -> HttpResponse:
    """List records and lead back to the form that counted them.

    Args:
        found: the records, by kind.
        action: the form's address.
        hidden: what the form held.
    """
    rows: list[Any] = []
    for kind, records in found:
        rows += [(kind, pk) for pk in records.order_by("pk").values_list("pk", flat=True)]
    page = Paginator(rows, PER_PAGE).get_page(request.POST.get(LIST, "").partition("@")[2])
    return render_page(
        request,
        "record_list.html",
        title,
        page=page,
        records=_shown(list(page.object_list)),
        action=action,
        hidden=hidden.items(),
        button=LIST,
        which=asked_list(request),
    )


def _shown(pairs: Sequence[tuple[Kind, int]]) -> list[tuple[str, str, str, Any]]:
    """Of each record its address, name, kind and state."""
    by_kind = {
        kind: RECORD_MODELS[kind].objects.in_bulk([pk for each, pk in pairs if each is kind])
        for kind in {kind for kind, _ in pairs}
    }
    shown = []
    for kind, pk in pairs:
        if record := by_kind[kind].get(pk):
            address = reverse(f"admin:mobjects_{record._meta.model_name}_change", args=[pk])
            words = str(record._meta.verbose_name).capitalize()
            shown.append((address, str(record), words, record_state_badge(record.state)))
    return shown
