"""Which request is being answered, so that whatever is recorded meanwhile knows by whom; and refusals are recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest, HttpResponse

from mobjects.audit.events import Asker, asker, record_event
from mobjects.models import EventKind

PATH_KEPT = 200
"""So much of an address that was refused is kept; never its query, which a link may have filled with anything."""

logger = logging.getLogger(__name__)


class AuditMiddleware:
    """Says who asks while a request is answered, and records those who were refused (403).

    Stands behind the authentication, and outside of what may refuse.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = asker.set(Asker(lambda: request.user, client_address(request), lambda: name_token(request)))
        try:
            response = self.get_response(request)
            # Of visitors without a session nothing is kept: whoever likes could fill the database.
            if response.status_code == 403 and request.user.is_authenticated:
                _record_refusal(request)
            return response
        finally:
            asker.reset(token)


def name_token(request: HttpRequest) -> str:
    """What the API token of a request is called; "" without one. Set by :mod:`mobjects.api.middleware`."""
    return str(getattr(request, "api_token", None) or "")


def client_address(request: HttpRequest) -> str:
    """From where a request came; behind a proxy that is for the settings to say (``DJANGO_BEHIND_PROXY``)."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]


def _record_refusal(request: HttpRequest) -> None:
    """The answer is a refusal whether or not the database can write it down."""
    try:
        record_event(EventKind.REFUSED, words=f"{request.method} {request.path}"[:PATH_KEPT])
    except Error:
        logger.exception("A refusal could not be recorded.")
