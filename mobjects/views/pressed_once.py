"""What a form asks for is done once, however often its button is pressed: on a slow line people press again, and each
press arrives.

A page carries a token (the template tag ``press_token``); the session keeps where each form that was sent with one led.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

from django.contrib import messages
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Made = TypeVar("Made")

TOKEN = "token"  # noqa: S105 -- the name of an input
LED = "press_led_to"
"""In the session: the presses that something was made by, and the address that each led to."""
KEPT = 20
DONE_ALREADY = _("The button was pressed twice; it was done once. This is where the first press led.")


class MadeBeforeError(Exception):
    """The same press has made it already, see :func:`lead_to_made`."""


def make_once(
    request: HttpRequest, make: Callable[[], Made], address: Callable[[Made], str], key: str = ""
) -> Made | None:
    """Make something, unless the same form, sent from the same page, has made it already.

    Args:
        make: does it, in a transaction.
        address: where what was made leads to; "" if nothing came of the press, which may then be repeated.
        key: what tells one press from another; if it is not given, the page's token and all that stands in the form.

    Returns:
        What was made; ``None`` if it was made before, see :func:`lead_to_made`.
    """
    key = key or press_key(request)
    if not key:
        return make()
    with transaction.atomic():
        # Two presses give two requests at once; here the second waits until the first has noted where it led.
        Session.objects.select_for_update().filter(pk=request.session.session_key).first()
        noted: dict[str, str] = type(request.session)(request.session.session_key).get(LED, {})
        if key in noted:
            request.session[LED] = noted
            return None
        made = make()
        if led := address(made):
            request.session[LED] = dict([*noted.items(), (key, led)][-KEPT:])
            try:
                request.session.save()
            except UpdateError as error:  # Signed out meanwhile, everywhere: nothing is made.
                raise SessionInterrupted(str(error)) from error
    return made


def press_key(request: HttpRequest, *, but: Collection[str] = ()) -> str:
    """What tells a press from another: a form that was changed since is another one. "" if its page has no token.

    Args:
        but: names of buttons that are no difference.
    """
    if not request.POST.get(TOKEN):
        return ""
    left_out = {"csrfmiddlewaretoken", *but}
    given = sorted((name, request.POST.getlist(name)) for name in request.POST if name not in left_out)
    files = sorted((name, str(file), getattr(file, "size", 0)) for name, file in request.FILES.items())
    return hashlib.sha256(repr((given, files)).encode(errors="replace")).hexdigest()[:32]


def made_before(request: HttpRequest, key: str = "") -> str:
    """The address to which the same press led before; "" if there was none."""
    noted: dict[str, str] = request.session.get(LED, {})
    return noted.get(key or press_key(request), "")


def lead_to_made(request: HttpRequest, key: str = "", said: StrOrPromise = DONE_ALREADY) -> HttpResponse:
    """Lead to where the first press led, and say that it was one."""
    messages.info(request, said)
    return redirect(made_before(request, key))
