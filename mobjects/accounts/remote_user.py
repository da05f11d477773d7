"""Signing in by what a proxy in front says (``REMOTE_USER``): believed of known proxies only."""

from __future__ import annotations

from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpRequest

from mobjects.accounts import account_settings


class ProxyUserMiddleware(RemoteUserMiddleware):
    """Signs in whom a known proxy names in the header of ``ACCOUNTS_REMOTE_USER_HEADER``."""

    force_logout_if_no_header = True

    @property
    def header(self) -> str:  # type: ignore[override]  # a setting, where Django has a constant
        """The name under which a WSGI server hands on the header."""
        return "HTTP_" + account_settings.remote_user_header().upper().replace("-", "_")

    def process_request(self, request: HttpRequest) -> None:
        """Anybody else's header is thrown away first."""
        if not getattr(request, "came_by_proxy", False):
            request.META.pop(self.header, None)
        super().process_request(request)


class ProxyUserBackend(RemoteUserBackend):
    """Users are made by those who manage them: an unknown name signs in nobody."""

    create_unknown_user = False
