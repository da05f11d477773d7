"""The list of who did what, and the admin's pages that are recorded where the admin itself keeps nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.audit.events import record_event
from mobjects.models import AuditEvent, EventKind, PurgeKind
from mobjects.presentation.event_text import describe_event, purged_text
from mobjects.views.base import render_page, require_permission
from mobjects.views.keyset import AFTER, BEFORE, read_keyset_page
from mobjects.views.sync.result_list import read_dates, start_of_day

PER_PAGE = 50
ASKED = ("kind", "person", "model", "object", "since", "until")
"""Parameters that narrow the list."""


@require_GET
@require_permission("mobjects.view_auditevent")
def audit_page(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:150] for name in ASKED}
    try:
        page = read_keyset_page(_narrowed(request, asked), PER_PAGE, request.GET)
    except (ValueError, ValidationError):  # The address names no place.
        return redirect("mobjects:audit")
    kept = {name: value for name, value in asked.items() if value}
    return render_page(
        request,
        "audit/page.html",
        _("Audit"),
        asked=asked,
        days=read_dates(request),
        kinds=EventKind.choices,
        events=[describe_event(event) for event in page.rows],
        count=page.count,
        places={name: _address({**kept, **place}) for name, place in page.places.items()},
        address=reverse("mobjects:audit"),
        is_narrowed=bool(kept),
        purged=purged_text(PurgeKind.AUDIT),
    )


def _narrowed(request: HttpRequest, asked: dict[str, str]) -> QuerySet[AuditEvent]:
    days = read_dates(request)
    conditions: dict[str, Any] = {
        "kind": asked["kind"],
        "username": asked["person"],
        "model": asked["model"],
        "object_id": asked["object"],
        "created_at__gte": start_of_day(days.since),
        "created_at__lt": start_of_day(days.until, days=1),
    }
    return AuditEvent.objects.filter(**{name: value for name, value in conditions.items() if value}).order_by("-pk")


def _address(parameters: dict[str, str | None]) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return "?" + urlencode({name: value for name, value in given.items() if name in (*ASKED, AFTER, BEFORE)})


def change_password(request: HttpRequest) -> Any:
    """Let a person change their own password, and record that they did."""
    response = admin.site.password_change(request)
    if request.method == "POST" and response.status_code == 302:
        record_event(EventKind.PASSWORD_CHANGED, on=request.user)  # type: ignore[arg-type]  # behind admin_view
    return response
