"""What people send is looked at before it is read: who sends it, and how long it says that it is.

Django reads a whole body, files included, to find the token of the form in it. Whoever may do nothing could have the
site write files of any size to its disk that way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from marketo_admin.errors import body_refused, not_allowed
from mobjects.views.uploads import find_upload_rule

GetResponse = Callable[[HttpRequest], HttpResponse]

STRANGER_BYTES = 64_000
"""The longest body of somebody who is not signed in: a login form is the longest that one has."""


class BodyMiddleware:
    """Refuses bodies that are too long for who sends them where, without reading them.

    It has to stand before the middleware that looks for the form's token, and after the one that knows who is signed
    in has run: Django asks in ``process_view``, in the order of the list, when all of them have seen the request.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse the body, or let the view have it (``None``)."""
        length = _length(request)
        if length is None:
            # Nor does a chunked one, before its end. Browsers send the length of all that they send.
            return body_refused(request, gettext("It does not say how long it is."), status=411)
        if length <= STRANGER_BYTES:
            return None
        return _look_at_person(request, view, length) if request.user.is_authenticated else _send_to_login(request)


def _send_to_login(request: HttpRequest) -> HttpResponse:
    """Whoever is not signed in, or not any more, signs in first."""
    login = reverse("admin:login")
    if request.path == login:
        return body_refused(request, _too_long(STRANGER_BYTES), status=413)
    return redirect_to_login(request.get_full_path(), login)


def _look_at_person(request: HttpRequest, view: Any, length: int) -> HttpResponse | None:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    rule = find_upload_rule(view)
    if rule is not None and length > most:
        if not rule.allows(request):
            return not_allowed(request, PermissionError())
        most = rule.most_bytes
    return body_refused(request, _too_long(most), status=413) if length > most else None


def _length(request: HttpRequest) -> int | None:
    """How long the body says that it is; 0 without one, ``None`` if it does not say."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isascii() and said.isdigit() else None


def _too_long(most: int) -> str:
    return gettext("It is longer than the %(megabytes)s MB that are read here.") % {
        "megabytes": f"{most / 1_000_000:.3g}"
    }
