"""In which language and zone a person sees pages: what they chose, else their browser's, else English and UTC."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import unquote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import get_languages
from django.views.decorators.http import require_http_methods

from mobjects.forms.time_zone import PersonForm
from mobjects.models import PersonSettings
from mobjects.views.base import render_page
from mobjects.zones import zone_names

COOKIE = "time_zone"
"""Set by static/mobjects/time-zone.js."""


class PersonMiddleware:
    """Has each request answered in the language and the zone of whoever asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = read_choices(request)
        with ExitStack() as held:
            held.enter_context(timezone.override(find_zone(chosen["time_zone"]) or browser_zone(request)))
            if chosen["language"] not in get_languages():
                return self.get_response(request)
            held.enter_context(translation.override(chosen["language"]))
            response = self.get_response(request)
            # LocaleMiddleware stands further out and would name the browser's language.
            response.headers.setdefault("Content-Language", chosen["language"])
            return response


def read_choices(request: HttpRequest) -> dict[str, str]:
    """The language (a code) and the time zone (a name) that the user chose; "" for what they did not."""
    # Read with the user, where the backend of mobjects.accounts.backend did that.
    kept = getattr(request.user, "person_settings", None)
    return {"language": kept.language if kept else "", "time_zone": kept.time_zone if kept else ""}


def browser_zone(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The browser's zone as far as it told us; else UTC."""
    return find_zone(unquote(request.COOKIES.get(COOKIE, ""))) or zoneinfo.ZoneInfo("UTC")


def find_zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of a name; ``None`` if there is none. Whatever a browser may have sent is fine."""
    return zoneinfo.ZoneInfo(name) if name in zone_names() else None


def script_address(request: HttpRequest) -> str:
    """Where the script is that tells us the browser's zone; for ``UNFOLD["SCRIPTS"]``."""
    return static("mobjects/time-zone.js")


@require_http_methods(["GET", "POST"])
def time_zone_page(request: HttpRequest) -> HttpResponse:
    """Let a person choose the language of pages and the zone of the times that they see."""
    form = PersonForm(request.POST or None, initial=read_choices(request))
    if request.method == "POST" and form.is_valid():
        PersonSettings.objects.update_or_create(user=request.user, defaults=form.cleaned_data)
        language, zone = form.cleaned_data["language"], form.cleaned_data["time_zone"]
        with translation.override(language or translation.get_language_from_request(request)):
            messages.success(request, f"{_say_language(language)} {_say_zone(zone)}")
        return redirect("mobjects:time-zone")
    return render_page(
        request,
        "time_zone.html",
        _("Language and time zone"),
        status=400 if form.errors else 200,
        form=form,
        browser=browser_zone(request).key,
        now=timezone.now(),
    )


def _say_language(code: str) -> str:
    if not code:
        return _("Pages are in the language of your browser from now on.")
    return _("Pages are in %(language)s from now on.") % {"language": get_languages()[code]}


def _say_zone(name: str) -> str:
    if not name:
        return _("Times are shown in the zone of your browser from now on.")
    return _("Times are shown in %(zone)s from now on.") % {"zone": name}
