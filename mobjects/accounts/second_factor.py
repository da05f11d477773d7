"""The second factor: codes are guessed no faster than passwords, secrets are sealed, some groups must have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis.exceptions import RedisError

from mobjects.accounts import account_settings
from mobjects.accounts.names import EVERYBODY, SUPERUSERS
from mobjects.accounts.secret_keeping import SecretKeyChanged, seal, unseal

KEY_CHANGED = gettext_lazy(
    "Codes cannot be read: the site's secret key was changed. Ask a manager of users to remove your second factor."
)

_REACHABLE = frozenset(
    {
        *("mfa_activate_totp", "mfa_view_recovery_codes", "account_reauthenticate", "mfa_reauthenticate"),
        *("mfa_index", "sign-in", "log-out", "logout", "password-change", "session-end", "sessions-end"),
    }
)
"""Names of the pages that somebody who still has to set up a second factor comes to."""


class GuardedCode:
    """Counts a wrong code like a wrong password, and answers in words where a code cannot be checked."""

    user: User

    def clean_code(self) -> str:
        """The code. Raises ``ValidationError`` for a wrong one, one that was used, and while the name is locked."""
        request, credentials = context.request, {"username": self.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, credentials):
            request.axes_locked_out = True  # Its middleware answers with the page that says so.
            raise ValidationError(_("Locked"))
        try:
            return str(super().clean_code())  # type: ignore[misc]  # of the form that stands behind
        except ValidationError:
            user_login_failed.send(sender=__name__, credentials=credentials, request=request)
            raise
        except SecretKeyChanged:
            raise ValidationError(KEY_CHANGED) from None
        except RedisError:
            raise ValidationError(
                _("Codes cannot be checked now, because the site does not reach its Redis. Try again later.")
            ) from None


class SignInCodeForm(GuardedCode, AuthenticateForm):
    """The code after the password."""


class ConfirmCodeForm(GuardedCode, ReauthenticateForm):
    """The code before something is changed about signing in."""


class EnrolForm(ActivateTOTPForm):
    """The first code of a new app. Until then its secret is sealed in the session."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        forms.Form.__init__(self, *args, **kwargs)
        self.user = user
        session = context.request.session
        kept = session.get(SECRET_SESSION_KEY) if self.is_bound else None
        if kept is None:
            kept = session[SECRET_SESSION_KEY] = seal(generate_totp_secret())
        self.secret = unseal(kept)


class SecondFactorMiddleware:
    """Leads who has to have a second factor, and has none, to the page where it is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """The way to the page; ``None`` where the one that was asked for may be shown."""
        user, match = request.user, request.resolver_match
        if not isinstance(user, User) or match is None or match.url_name in _REACHABLE:
            return None
        if not needs_factor(user) or has_factor(user):
            return None
        if "HX-Request" in request.headers:
            return HttpResponse(status=403)
        messages.warning(request, _("You need a second factor here. Set it up first."))
        return redirect("mfa_activate_totp")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page of recovery codes cannot show what was sealed with another secret key."""
        if not isinstance(exception, SecretKeyChanged):
            return None
        messages.error(request, KEY_CHANGED)
        return redirect("mobjects:sign-in")


def needs_factor(user: User) -> bool:
    """Whether a user has to have a second factor, as the settings say."""
    groups = account_settings.second_factor_groups()
    if not groups:
        return False
    if EVERYBODY in groups or (SUPERUSERS in groups and user.is_superuser):
        return True
    return user.groups.filter(name__in=groups).exists()


def has_factor(user: User) -> bool:
    """Whether a user signs in with a second factor."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def remove_factor(user: User) -> bool:
    """Have a user sign in without it, as for a lost telephone; whether there was one."""
    deleted, _of_what = Authenticator.objects.filter(user=user).delete()
    return bool(deleted)
