"""Gives each request its id, and logs what was pressed and what went wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path

from mobjects.audit.trace import choose_request_id, traced

HEADER = "X-Request-ID"
QUIET = ("GET", "HEAD", "OPTIONS")

logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Takes the id that a proxy sends as ``X-Request-ID``, or makes one; answers with it, and logs under it.

    Pages that are only read are not logged while all is well: parts of them renew themselves every few seconds.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, began = choose_request_id(request.headers.get(HEADER, "")), time.perf_counter()
        with traced(request_id=request_id):
            response = self._get_response(request)
            if request.method not in QUIET or response.status_code >= 500:
                seconds = round(time.perf_counter() - began, 3)
                # Without its query, which a link may have filled with anything, and on one line.
                said = {"method": request.method, "path": escape_uri_path(request.path), "status": response.status_code}
                words = "%(method)s %(path)s: %(status)s"
                logger.info(words, said, extra={**said, "seconds": seconds})
        response[HEADER] = request_id
        return response
