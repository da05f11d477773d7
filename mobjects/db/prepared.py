"""Queries that are asked again and again: Django takes longer to make one into SQL than the database to answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

_GIVEN = object()


def given() -> RawSQL:
    """What stands in a query for the value that is told only when it is asked."""
    return RawSQL("%s", (_GIVEN,))


class PreparedQueries:
    """Keeps what became of queries, for as long as one task lives; other values that stand in them stay the same."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _PreparedQuery] = {}

    def ask(
        self, name: Hashable, make: Callable[[], QuerySet[Any]], value: object = None, *, anew: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, as ``values_list`` has them.

        Args:
            name: of the query.
            make: makes it; may compare with :func:`given`.
            value: what :func:`given` stands for.
            anew: whether the query of this name is made anew, because other values in it may have changed.
        """
        if anew or name not in self._known:
            self._known[name] = _PreparedQuery(make())
        return self._known[name].rows(value)

    def ask_records(self, name: Hashable, make: Callable[[], QuerySet[Any]], value: object = None) -> list[Any]:
        """Records of a query, with what it was annotated with; arguments as for :meth:`ask`."""
        rows = self.ask(name, make, value)
        known = self._known[name]
        return [known.model.from_db(DEFAULT_DB_ALIAS, known.names, row) for row in rows]


class _PreparedQuery:
    def __init__(self, found: QuerySet[Any]) -> None:
        self._compiler: Any = found.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        columns = [column for column, _, _ in self._compiler.select]
        self.model: Any = found.model
        self.names = [name or column.target.attname for column, _, name in self._compiler.select]
        self._converters = self._compiler.get_converters(columns)

    def rows(self, value: object) -> Iterator[tuple[Any, ...]]:
        params: list[Any] = [value if each is _GIVEN else each for each in self._params]
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self._sql, params)
            rows = cursor.fetchall()
        return map(tuple, self._compiler.apply_converters(rows, self._converters)) if self._converters else iter(rows)
