"""Headers that Django 5 has no setting for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "microphone",
    "midi",
    "payment",
    "usb",
)
"""What browsers could give to a page and no page of this site asks for."""

PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in UNUSED)


class PermissionsPolicyMiddleware:
    """Says on every page that it uses nothing of the machine it is shown on, and nobody in it may."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


PLAIN_STYLE = "'sha256-23M6kUWtZFrS0YsQFzj76JqdrWA4bnDO0wjze74+QDA='"
"""Of templates/_plain.html, a page that needs no other file: what stands between ``<style>`` and ``</style>``. A test
says what to put here if it changes."""


def content_policy(sign_in: Iterable[str]) -> dict[str, list[str]]:
    """What a page may load and run, as Django 6 takes it for ``SECURE_CSP``: docs/decisions/0079.

    Args:
        sign_in: addresses of the company's sign-in, where the button of a form may lead, too; "" is none.
    """
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, filter(None, sign_in))}
    return {
        "default-src": ["'none'"],
        # The theme's Alpine makes functions out of what stands in its attributes.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", PLAIN_STYLE],
        # The theme's scripts write style attributes.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *sorted(origins)],
        "frame-ancestors": ["'none'"],
    }


def write_policy(policy: Mapping[str, Iterable[str]]) -> str:
    """A policy as the header says it."""
    return "; ".join(" ".join([name, *values]) for name, values in policy.items())


class ContentPolicyMiddleware:
    """Says on every answer what a page may load and run: ``SECURE_CSP``. Django 6 has the same."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._policy = write_policy(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # With DEBUG, Django's own pages of errors have their styles and scripts in them.
        if not (settings.DEBUG and response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)):
            response.headers.setdefault("Content-Security-Policy", self._policy)
        return response
