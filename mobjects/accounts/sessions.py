"""How long a session lasts, and which sessions a person has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from mobjects.accounts import account_settings

SIGNED_IN, SEEN = "signed_in_at", "seen_at"
"""In the session: when it began and when its person did something last, in seconds since 1970."""
NOT_SAVED = gettext_lazy(
    "Nothing of the page that you sent was saved or done: you were not signed in any more. Sign in, then go back twice "
    "in your browser: what you typed should still stand there."
)
_WRITTEN_EVERY = timedelta(minutes=1)
"""A session is not written for each request; so one may end this much early."""


class SessionLimitsMiddleware:
    """Ends sessions that are idle or old, before anybody looks at who is asking.

    Parts of pages that renew themselves (``HX-Request``) are no sign of a person: a page left open would keep its
    session alive for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if reason := _why_over(request):
                logout(request)
                messages.info(request, reason)
            elif "HX-Request" not in request.headers:
                _note_activity(request)
        before, was_signed_in = request.session.session_key, request.user.is_authenticated
        response = self._get_response(request)
        if not was_signed_in and _is_sent_away(request, response):
            messages.warning(request, NOT_SAVED)
        if before and request.session.session_key != before:
            _follow_key(before, request.session.session_key)
        return response


def _is_sent_away(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a page that somebody sent was answered with the login page; signing in and out loses nothing."""
    address = response.get("Location", "").partition("?")[0]
    is_page = request.method == "POST" and "HX-Request" not in request.headers
    login = reverse("admin:login")
    return is_page and address == login and not request.path.startswith((login, reverse("admin:logout")))


def begin(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Have a session of a user begin now, and keep where it did."""
    request.session[SIGNED_IN] = request.session[SEEN] = timezone.now().timestamp()
    UserSession.objects.create_from_request(request, user=user)


def open_sessions(user: AbstractBaseUser) -> QuerySet[UserSession]:
    """The sessions of a person, some of which may have run out."""
    found: QuerySet[UserSession] = UserSession.objects.filter(user_id=user.pk)
    return found


def list_sessions(user: AbstractBaseUser) -> list[UserSession]:
    """The sessions of a person that are still open, the one last seen first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda session: session.last_seen_at, reverse=True)


def end_sessions(user: AbstractBaseUser) -> int:
    """Sign a person out everywhere; how many sessions there were."""
    sessions = list(open_sessions(user))
    for session in sessions:
        session.end()
    return len(sessions)


def _why_over(request: HttpRequest) -> str:
    """Why a session is over, in words; "" if it is not. One that begins with this request is not."""
    session, now = request.session, timezone.now().timestamp()
    idle, whole = account_settings.idle_limit(), account_settings.session_limit()
    if now - session.get(SIGNED_IN, now) >= whole.total_seconds():
        hours = whole // timedelta(hours=1)
        return ngettext(
            "You were signed out: a session lasts %(count)s hour. Sign in again.",
            "You were signed out: a session lasts %(count)s hours. Sign in again.",
            hours,
        ) % {"count": hours}
    if now - session.get(SEEN, now) >= idle.total_seconds():
        minutes = idle // timedelta(minutes=1)
        return ngettext(
            "You were signed out: nothing was done for %(count)s minute. Sign in again.",
            "You were signed out: nothing was done for %(count)s minutes. Sign in again.",
            minutes,
        ) % {"count": minutes}
    return ""


def _note_activity(request: HttpRequest) -> None:
    now = timezone.now()
    if request.user.is_authenticated and SIGNED_IN not in request.session:  # Of a version before this one.
        begin(request, request.user)
    elif now.timestamp() - request.session[SEEN] >= _WRITTEN_EVERY.total_seconds():
        request.session[SEEN] = now.timestamp()
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)


def _follow_key(before: str, now: str | None) -> None:
    """Keep track of a session that got another key, as with a new password, or that is over."""
    if now and not UserSession.objects.filter(session_key=now).exists():
        UserSession.objects.filter(session_key=before).update(session_key=now)
    else:
        UserSession.objects.filter(session_key=before).delete()


def _on_signed_in(user: AbstractBaseUser, request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is not None and hasattr(request, "session"):
        begin(request, user)


user_logged_in.connect(_on_signed_in, dispatch_uid="mobjects.accounts.sessions")
