"""One address for load balancers: does this process answer, and does its database?"""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

HEALTH_PATH = "/healthz"


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer ``ok``, or 503 where the database does not answer. Open to everyone; tells nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unreachable\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


def answer_health_first(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware: a load balancer asks under any host name, often an address; the answer tells nothing."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path_info == HEALTH_PATH else get_response(request)

    return answer
