"""A person's own sign-in: the password, the sessions that are open, and an end to each of them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.accounts import account_settings
from mobjects.accounts.addresses import UNKNOWN
from mobjects.accounts.second_factor import has_factor
from mobjects.accounts.sessions import end_sessions, list_sessions, open_sessions
from mobjects.audit.events import record_event
from mobjects.models import EventKind
from mobjects.views.base import press_only, render_page

PAGE = "mobjects:sign-in"


@require_GET
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """How the person signs in, and where they are signed in."""
    user = _signed_in(request)
    return render_page(
        request,
        "account/sign_in.html",
        _("Your sign-in"),
        sessions=list_sessions(user),
        here=request.session.session_key,
        unknown=UNKNOWN,
        has_password=user.has_usable_password(),
        has_factor=has_factor(user),
        idle_minutes=int(account_settings.idle_limit().total_seconds() // 60),
        hours=int(account_settings.session_limit().total_seconds() // 3600),
    )


@press_only(lambda pk: PAGE)
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the person out in one of their browsers."""
    session = get_object_or_404(open_sessions(_signed_in(request)), pk=pk)
    if session.session_key == request.session.session_key:
        session.delete()
        logout(request)
    else:
        session.end()
        record_event(EventKind.SIGNED_OUT, words=session.ip)
    messages.success(request, _("That session was signed out."))
    return redirect(PAGE)


@press_only(lambda: PAGE)
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign the person out everywhere, here too."""
    end_sessions(_signed_in(request))
    logout(request)
    messages.success(request, _("You were signed out everywhere."))
    return redirect(PAGE)


def _signed_in(request: HttpRequest) -> User:
    """Who is asking; these pages are reached by nobody else."""
    if not isinstance(request.user, User):
        raise TypeError("the page was reached without signing in")
    return request.user
