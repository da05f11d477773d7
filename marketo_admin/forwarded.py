"""From where a request came, where a proxy stands in front: only with DJANGO_BEHIND_PROXY, for anybody can send the
header.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse


class ForwardedAddressMiddleware:
    """Has ``REMOTE_ADDR`` hold the address that our proxy saw: the last one in ``X-Forwarded-For``.

    Those before it came with the request, and may be made up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        try:
            request.META["REMOTE_ADDR"] = str(ip_address(last))
        except ValueError:
            pass  # None was sent, or a proxy writes something else there: its own address stays.
        return self.get_response(request)
