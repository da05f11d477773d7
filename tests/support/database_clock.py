"""The database's clock in tests: by default it goes with the test's own, also where that is moved by time_machine.

Replaced on the wire, for each connection of this process; processes that a test starts ask the database itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.backends.signals import connection_created
from django.utils import timezone

from mobjects.clock import QUESTIONS


class DatabaseClock:
    """What the database answers when it is asked for the time; ``None`` lets it answer itself."""

    def __init__(self) -> None:
        self.source: Callable[[], datetime] | None = timezone.now

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.source is None or sql not in QUESTIONS.values():
            return execute(sql, params, many, context)
        cast = "::timestamptz" if context["connection"].vendor == "postgresql" else ""
        return execute(f"SELECT %s{cast}", [self.source().isoformat()], many, context)

    def install(self, connection: Any, **_: Any) -> None:
        """Answer on this connection."""
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)


DATABASE_CLOCK = DatabaseClock()
connection_created.connect(DATABASE_CLOCK.install, dispatch_uid="database-clock")
