"""Who asks the API, and how often they may: a token stands for a person there, never a session."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from mobjects.accounts import account_settings
from mobjects.accounts.addresses import client_address
from mobjects.accounts.tokens import REFUSAL_WORDS, TokenCheck, TokenRefusal, check_token, note_use
from mobjects.api.problems import Problem
from mobjects.audit.events import record_event
from mobjects.models import EventKind

PATH = "/api/"
MINUTE, HOUR = 60, 3600

logger = logging.getLogger(__name__)


def is_api(request: HttpRequest) -> bool:
    """Whether a request is for the API, whatever becomes of it."""
    return request.path_info.startswith(PATH)


class TokenMiddleware:
    """Lets nobody without a token come to the API, and has the request be that of the token's person.

    A browser's session counts for nothing there, so no page of another site can do anything in its name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self._get_response(request)
        request.user = AnonymousUser()
        try:
            _let_in(request)
        except Problem as problem:
            return problem.to_response()
        with timezone.override("UTC"):
            return self._get_response(request)


def _let_in(request: HttpRequest) -> None:
    """Find out who asks. Raises Problem where nobody may."""
    address = client_address(request)
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthorized(_("Send a token: “Authorization: Bearer ma_…”. Make one on the page “Your API tokens”."))
    refused_before = f"api-refused:{address}"
    _limit(refused_before, counting=False)
    found = check_token(text.strip(), address)
    if found.refusal is not None or found.token is None or found.user is None:
        _limit(refused_before)
        _record_refusal(found)
        raise _unauthorized(REFUSAL_WORDS[found.refusal or TokenRefusal.UNKNOWN])
    _limit(f"api:{found.token.pk}")
    request.user = found.user
    vars(request)["api_token"] = found.token
    note_use(found.token, found.user, address)


def _unauthorized(detail: object) -> Problem:
    return Problem(401, str(detail), headers={"WWW-Authenticate": 'Bearer realm="Marketo Admin"'})


def _limit(name: str, *, counting: bool = True) -> None:
    """Count a request within this minute. Raises Problem for one too many.

    Without Redis nothing is counted: what a token may do is for the database to say.
    """
    most, key = account_settings.requests_per_minute(), f"{name}:{int(time.time()) // MINUTE}"
    try:
        if counting:
            cache.add(key, 0, 2 * MINUTE)
            count = cache.incr(key)
        else:
            count = int(cache.get(key, 0))
    except (RedisError, ValueError):
        logger.warning("Requests to the API are not counted: the cache does not answer.")
        return
    if count > most:
        wait = MINUTE - int(time.time()) % MINUTE
        detail = _("More than %(most)s requests within a minute. Go on in %(seconds)s seconds.")
        raise Problem(429, detail % {"most": f"{most:,}", "seconds": wait}, headers={"Retry-After": str(wait)})


def _record_refusal(found: TokenCheck) -> None:
    """Keep that a token which there is was refused, once an hour for each reason: whoever likes could fill the
    database.
    """
    if found.token is None or found.refusal is None:
        return
    try:
        if cache.add(f"api-noted:{found.token.pk}:{found.refusal}", 1, HOUR):
            record_event(
                EventKind.TOKEN_REFUSED,
                on=found.token,
                username=found.token.user.get_username(),
                detail={"why": found.refusal.value},
            )
    except (Error, RedisError):
        logger.exception("A refusal could not be recorded.")
