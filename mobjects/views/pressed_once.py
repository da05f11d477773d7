"""What a form asks for is done once, however often its button is pressed: on a slow line people press again, and each
press arrives.

A page carries a token (the template tag ``press_token``); where each form that was sent with one led is kept for a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from mobjects.db.done_once import KEPT, do_once, done_before

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Made = TypeVar("Made")

TOKEN = "token"  # noqa: S105 -- the name of an input
DONE_ALREADY = _("The button was pressed twice; it was done once. This is where the first press led.")


class MadeBeforeError(Exception):
    """The same press has made it already, see :func:`lead_to_made`."""


def make_once(
    request: HttpRequest,
    make: Callable[[], Made],
    address: Callable[[Made], str],
    key: str = "",
    *,
    within: timedelta = KEPT,
) -> Made | None:
    """Make something, unless the same form, sent from the same page, has made it already.

    Args:
        make: does it, in a transaction.
        address: where what was made leads to; "" if nothing came of the press, which may then be repeated.
        key: what tells one press from another; if it is not given, the page's token and all that stands in the form.
        within: what was pressed longer ago was another press.

    Returns:
        What was made; ``None`` if it was made before, see :func:`lead_to_made`.
    """
    key = key or press_key(request)
    return do_once(_owner(request), key, make, address, within=within)[0] if key else make()


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
    return hashlib.sha256(repr((request.path, given, files)).encode(errors="replace")).hexdigest()


def made_before(request: HttpRequest, key: str = "") -> str:
    """The address to which the same press led before; "" if there was none."""
    key = key or press_key(request)
    return done_before(_owner(request), key) if key else ""


def lead_to_made(request: HttpRequest, key: str = "", said: StrOrPromise = DONE_ALREADY) -> HttpResponse:
    """Lead to where the first press led, and say that it was one."""
    messages.info(request, said)
    return redirect(made_before(request, key))


def _owner(request: HttpRequest) -> str:
    return f"page {request.user.pk}"
