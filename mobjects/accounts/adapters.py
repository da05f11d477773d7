"""Where django-allauth asks us: addresses, who may sign up (nobody), mails (none)."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from mobjects.accounts.addresses import client_address


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
