"""The one clock that all hosts share: the database's.

Whatever is compared with a moment that another host may have written (leases, waiting, schedules, when a batch was
sent) is read from here and never from the host, whose clock may be minutes off. Moments that only people read, and
those that one process alone compares, may come from the host.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

MARGIN = timedelta(seconds=60)
"""How far a host's clock may be from the database's. What is off by more sends nothing: RQ and Marketo's signatures
still go by the host's own clock."""

QUESTIONS = {
    "postgresql": "SELECT CLOCK_TIMESTAMP()",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'now')",
}
"""How each database tells the time; not that of the transaction's start."""


def now() -> datetime:
    """The database's time, aware, in UTC. Costs a query; SQLite tells whole milliseconds.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(QUESTIONS[connection.vendor])
        (found,) = cursor.fetchone()
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def host_offset() -> timedelta:
    """This host's clock minus the database's; what asking takes counts for half.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    before = timezone.now()
    there = now()
    return before + (timezone.now() - before) / 2 - there
