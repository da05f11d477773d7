"""In which zone a person sees times: the one they chose, else their browser's, else UTC."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache
from urllib.parse import unquote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from mobjects.forms.time_zone import TimeZoneForm
from mobjects.models import PersonSettings
from mobjects.views.base import render_page

COOKIE = "time_zone"
"""Set by static/mobjects/time-zone.js."""


class TimeZoneMiddleware:
    """Has each request answered in the zone of whoever asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(find_zone(chosen_zone(request)) or browser_zone(request)):
            return self.get_response(request)


def chosen_zone(request: HttpRequest) -> str:
    """The name of the zone that the user chose; "" if none."""
    if not request.user.is_authenticated:
        return ""
    names = PersonSettings.objects.filter(user=request.user.pk).values_list("time_zone", flat=True)
    return names.first() or ""


def browser_zone(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The browser's zone as far as it told us; else UTC."""
    return find_zone(unquote(request.COOKIES.get(COOKIE, ""))) or zoneinfo.ZoneInfo("UTC")


def find_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of a name; ``None`` if there is none. Whatever a browser may have sent is fine."""
    return zoneinfo.ZoneInfo(name) if name in _known_zones() else None


@cache
def _known_zones() -> set[str]:
    """Read once: it looks through hundreds of files."""
    return zoneinfo.available_timezones()


def script_address(request: HttpRequest) -> str:
    """Where the script is that tells us the browser's zone; for ``UNFOLD["SCRIPTS"]``."""
    return static("mobjects/time-zone.js")


@require_http_methods(["GET", "POST"])
def time_zone_page(request: HttpRequest) -> HttpResponse:
    """Let a person choose the zone of the times that they see."""
    form = TimeZoneForm(request.POST or None, initial={"time_zone": chosen_zone(request)})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["time_zone"]
        PersonSettings.objects.update_or_create(user=request.user, defaults={"time_zone": chosen})
        messages.success(request, f"Times are shown in {chosen or 'the zone of your browser'} from now on.")
        return redirect("mobjects:time-zone")
    return render_page(
        request,
        "time_zone.html",
        "Time zone",
        status=400 if form.errors else 200,
        form=form,
        browser=browser_zone(request).key,
        now=timezone.now(),
    )
