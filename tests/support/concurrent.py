"""Two things at once: one is done on a database connection of its own while a test is in the middle of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from mobjects.db.retry import retry_on_database_error


class Concurrently(threading.Thread):
    """Something done at the same time, on a connection of its own. Its exception is raised where its result is read."""

    def __init__(self, do: Callable[[], Any]) -> None:
        # One that hangs must not keep the suite from ending once its test has run out of time.
        super().__init__(daemon=True)
        self._do = retry_on_database_error(do)
        self.start()
        # Until it is done, or waits for what is locked here.
        self.join(timeout=1.5)

    def run(self) -> None:
        try:
            self._result, self._error = self._do(), None
        except BaseException as error:  # noqa: BLE001 -- raised again in result()
            self._error = error
        finally:
            connection.close()

    @property
    def waits(self) -> bool:
        """Whether it is not done yet."""
        return self.is_alive()

    def result(self) -> Any:
        self.join()
        if self._error is not None:
            raise self._error
        return self._result


@contextmanager
def concurrently(do: Callable[[], Any], *, before: str) -> Iterator[list[Any]]:
    """Do something else when a statement that begins so is about to be executed, and let it end afterwards.

    Args:
        do: what somebody else does, in transactions of his own.
        before: the beginning of the statement. Once.

    Returns:
        A list that holds what it gave, once the block is left.
    """
    begun: list[Concurrently] = []
    given: list[Any] = []

    def in_between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not begun and sql.startswith(before):
            begun.append(Concurrently(do))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(in_between):
        yield given
    assert begun, f"nothing was executed that begins with {before}"
    given.append(begun[0].result())


def in_transaction(do: Callable[[], Any]) -> Callable[[], Any]:
    """The same in a transaction of its own."""

    def within() -> Any:
        with transaction.atomic():
            return do()

    return within


postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer and no row locks")
