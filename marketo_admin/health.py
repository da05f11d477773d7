"""One address for load balancers: does this process answer, and does its database take what is written?"""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from mobjects.models import Installation

PATH = "/healthz"
_SQLITE_WAIT_MS = 500
"""A long write of an import holds SQLite's only lock for a while; who asks for health is not kept that long."""

GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers ``/healthz`` before anything looks at the host name: load balancers ask by address, without TLS.

    Open to everyone; tells nothing but ``ok``, or with 503 what the database does not do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self._get_response(request)
        trouble = find_trouble()
        response = HttpResponse(f"{trouble or 'ok'}\n", status=503 if trouble else 200, content_type="text/plain")
        response["Cache-Control"] = "no-store"
        return response


def find_trouble() -> str:
    """What is wrong with the database, in a few words; "" if nothing is."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "database unreachable"
    try:
        _write()
    except DatabaseError as error:
        busy = isinstance(error, OperationalError) and connection.vendor == "sqlite" and "locked" in str(error)
        return "" if busy else "database takes no writes"
    return ""


def _write() -> None:
    """Write a row as it is: a full disk and a read-only database are noticed by nothing less."""
    if connection.vendor != "sqlite":
        Installation.objects.update(seen_at=F("seen_at"))
        return
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_SQLITE_WAIT_MS}")
        try:
            with transaction.atomic():
                Installation.objects.update(seen_at=F("seen_at"))
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
