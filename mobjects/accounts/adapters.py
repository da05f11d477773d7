"""Where django-allauth asks us: addresses, who may sign up (nobody), what is said, mails (none), sealed secrets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects.accounts import second_factor
from mobjects.accounts.addresses import client_address
from mobjects.accounts.secret_keeping import seal, unseal

SAID = {
    "mfa/messages/totp_activated.txt": gettext_lazy("From now on you sign in with a code of your app as well."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("From now on you sign in without a code."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("These are new codes; the ones before are void."),
}
"""Our words for what allauth says; what is not listed is not said."""


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by those who manage users, or by the provider of an installation; never by the visitor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's address, without a proxy's."""
        return client_address(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing: the site sends no mail."""

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say what happened, in our words."""
        if words := message or SAID.get(message_template or ""):
            messages.add_message(request, level, words, extra_tags=extra_tags)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Back to the login page, which says why."""
        messages.error(request, _("This account was deactivated. Ask whoever manages users."))
        return redirect("account_login")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Yes, unless there is nothing here that could be asked for: who comes from a provider has no password."""
        user = context.request.user
        return not isinstance(user, User) or user.has_usable_password() or second_factor.has_factor(user)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are sealed; who has to have a second factor keeps it."""

    def encrypt(self, text: str) -> str:
        """The text as the database keeps it."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The text that was kept."""
        return unseal(encrypted_text)

    def get_totp_issuer(self) -> str:
        """What the app calls the site."""
        return f"Marketo Admin ({context.request.get_host()})"

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """What the app calls the account."""
        return user.get_username()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether its user may do without."""
        return not second_factor.needs_factor(authenticator.user)
