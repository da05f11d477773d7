"""Too many failed sign-ins with a name or from an address: what is said then, and how it is lifted.

Counting is django-axes' work, in the database, so that all web hosts share it and a lost Redis lifts nothing.
"""

from __future__ import annotations

from typing import Any

from axes.utils import reset
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from mobjects.accounts import account_settings

NAME_LENGTH = 150
"""Of Django's users."""


def say_locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """The page for who is locked out, the same for names that exist and names that do not; for django-axes.

    Args:
        response, credentials: what the page would have been and what was tried; neither is shown.
    """
    request.current_app = admin.site.name
    context = {**admin.site.each_context(request), "title": _("Locked"), "minutes": account_settings.lock_minutes()}
    return TemplateResponse(request, "mobjects/account/locked.html", context, status=429).render()


def counted_name(request: HttpRequest, credentials: Any = None) -> str | None:
    """The name that failures are counted under, as long as one can be; for django-axes, which would fail to keep more.

    Args:
        credentials: what was tried; without them the form is read.
    """
    name = (credentials or request.POST).get("username")
    return None if name is None else str(name)[:NAME_LENGTH]


def lift_lock(username: str) -> int:
    """Forget the failed sign-ins with a name; how many entries there were. One of an address stays."""
    return int(reset(username=username))
