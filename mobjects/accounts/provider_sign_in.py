"""Signing in through the company's provider (OIDC): who is let in, under which name, into which groups.

What counts are the claims of the ID token, whose signature is checked; nothing is asked of the provider beside it.
"""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.internal.flows.login import clear_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mobjects.accounts import account_settings
from mobjects.accounts.sessions import end_sessions

NAME_LENGTH = 150
"""Of Django's users."""


class SignedTokenAdapter(OpenIDConnectOAuth2Adapter):
    """Checks the signature of the ID token, which allauth leaves to TLS."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """The person; raises ``OAuth2Error`` where the provider sends no ID token."""
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("the provider sent no ID token")
        return super().complete_login(request, app, token, **kwargs)

    def _decode_id_token(self, app: Any, id_token: str) -> Any:
        return jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Lets in who is in a group that the settings map to one of ours, and keeps these groups as the provider says."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Yes: :meth:`pre_social_login` has refused who is not to come in."""
        return True

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> NoReturn:
        """Back to the login page; what went wrong between the two servers is for the log."""
        raise ImmediateHttpResponse(say_failed(request))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Refuse, or connect, who comes; before anything is written."""
        claims = _claims(sociallogin)
        groups = mapped_groups(claims)
        if not groups:
            if sociallogin.is_existing:
                _give_groups(sociallogin.user, set())
                end_sessions(sociallogin.user)
            _refuse(request, _("None of your groups there may use this site. Ask whoever manages them."))
        if not sociallogin.is_existing:
            self._find_user(request, sociallogin, claims)
        if sociallogin.is_existing:
            _give_groups(sociallogin.user, groups)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the user, with their groups."""
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            _give_groups(user, mapped_groups(_claims(sociallogin)))
        return user

    def _find_user(self, request: HttpRequest, sociallogin: SocialLogin, claims: dict[str, Any]) -> None:
        """Connect to a user of that name, where the settings say so; else refuse to take over their name."""
        # Not kept: the site sends no mail, and two people of one address are no matter.
        sociallogin.email_addresses = []
        name = str(claims.get("preferred_username") or claims.get("email") or "")
        if not 0 < len(name) <= NAME_LENGTH or "\0" in name:
            _refuse(
                request, _("Your provider says no user name that this site can use (the claim preferred_username).")
            )
        sociallogin.user.username = name
        there = User.objects.filter(username=name).first()
        if there is None:
            return
        linked = SocialAccount.objects.filter(user=there).exists()
        if linked or there.is_superuser or not account_settings.links_users():
            _refuse(request, _("There is another user of your name here. Ask whoever manages users."))
        sociallogin.connect(request, there)


def mapped_groups(claims: dict[str, Any]) -> set[str]:
    """Our groups for the claims of a person, as the settings map them.

    Args:
        claims: of the ID token; groups may be a list or one name.
    """
    said = claims.get(account_settings.groups_claim())
    theirs = set(map(str, said)) if isinstance(said, list) else {str(said)}
    return {ours for name, ours in account_settings.group_map() if name in theirs}


def say_failed(request: HttpRequest) -> HttpResponse:
    """Back to the login page; what went wrong between the two servers is no matter of the visitor's."""
    messages.error(request, _("Signing in there did not work, or was given up. Try again, or sign in with a password."))
    return redirect("account_login")


def _claims(sociallogin: SocialLogin) -> dict[str, Any]:
    claims = sociallogin.account.extra_data.get("id_token")
    return claims if isinstance(claims, dict) else {}


def _give_groups(user: User, names: set[str]) -> None:
    """Put a user into the groups that the provider says, and out of the others that the settings map to."""
    if names and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    mapped = {ours for _name, ours in account_settings.group_map()}
    user.groups.remove(*Group.objects.filter(name__in=mapped - names))
    user.groups.add(*Group.objects.filter(name__in=names))


def _refuse(request: HttpRequest, words: str) -> NoReturn:
    clear_authentication_records(request)
    messages.error(request, words)
    raise ImmediateHttpResponse(redirect("account_login"))
