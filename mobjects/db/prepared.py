"""Statements that are run again and again: Django takes longer to make one into SQL than the database to run it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import JSONField, Model, QuerySet
from django.db.models.expressions import Col, RawSQL
from django.db.models.sql import UpdateQuery


@dataclass(frozen=True, slots=True)
class _Given:
    """Stands among the parameters of a statement for one that is told when it is run."""

    number: int
    field: Any = None
    is_list: bool = False

    def prepare(self, values: Sequence[object]) -> object:
        """What the driver gets of these values."""
        value = values[self.number]
        if self.is_list:
            return orjson.dumps(value).decode()
        return value if self.field is None else self.field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


def given(number: int = 0, field: Any = None) -> RawSQL:
    """What stands in a statement for a value that is told only when it is run.

    Args:
        number: its place among those values, from 0.
        field: of a model, whose values the driver does not take as they are.
    """
    return RawSQL("%s", (_Given(number, field),))


def given_among(field: Any, number: int = 0) -> RawSQL:
    """The same for a list of values of a field, to be compared with by ``__in``."""
    members = "SELECT value FROM json_each(%s)"
    if connection.vendor == "postgresql":
        members = f"SELECT value::{field.rel_db_type(connection)} FROM json_array_elements_text(%s)"
    return RawSQL(members, (_Given(number, is_list=True),))  # noqa: S611 -- nobody's values are in it


def the_row(model: type[Model]) -> QuerySet[Any]:
    """The row whose key is the first value."""
    return model._default_manager.filter(pk=given(0, model._meta.pk)).order_by()


class PreparedQueries:
    """Keeps what became of statements, for as long as it lives; other values that stand in them stay the same."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _PreparedQuery] = {}
        self._updates: dict[Hashable, _PreparedUpdate] = {}

    def ask(
        self, name: Hashable, make: Callable[[], QuerySet[Any]], *values: object, anew: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, as ``values_list`` has them.

        Args:
            name: of the query.
            make: makes it; may compare with :func:`given`.
            values: what :func:`given` stands for.
            anew: whether the query of this name is made anew, because other values in it may have changed.
        """
        if anew or name not in self._known:
            self._known[name] = _PreparedQuery(make())
        return self._known[name].rows(values)

    def ask_records(self, name: Hashable, make: Callable[[], QuerySet[Any]], *values: object) -> list[Any]:
        """Records of a query, with what it was annotated with; arguments as for :meth:`ask`."""
        rows = self.ask(name, make, *values)
        known = self._known[name]
        return [known.model.from_db(DEFAULT_DB_ALIAS, known.names, row) for row in rows]

    def update(
        self, name: Hashable, make: Callable[[], tuple[QuerySet[Any], Mapping[str, Any]]], *values: object
    ) -> int:
        """Change rows; how many.

        Args:
            name: of the statement.
            make: makes which rows, and their new values by field; :func:`given` may stand among both.
            values: what it stands for.
        """
        if name not in self._updates:
            self._updates[name] = _PreparedUpdate(*make())
        return self._updates[name].run(values)


SHARED = PreparedQueries()
"""For as long as the process lives: statements in which all that may change is given."""


class _PreparedQuery:
    def __init__(self, found: QuerySet[Any]) -> None:
        self._compiler: Any = found.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        columns = [column for column, _, _ in self._compiler.select]
        self.model: Any = found.model
        self.names = [name or column.target.attname for column, _, name in self._compiler.select]
        converters: Mapping[int, Any] = self._compiler.get_converters(columns)
        self._converters = [(at, _converter(*found)) for at, found in converters.items()]

    def rows(self, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self._sql, _fill_in(self._params, values))
            rows = cursor.fetchall()
        return map(self._converted, rows) if self._converters else iter(rows)

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for at, convert in self._converters:
            values[at] = convert(values[at])
        return tuple(values)


def _converter(steps: Sequence[Callable[..., Any]], expression: Any) -> Callable[[Any], Any]:
    """All that Django does to a value of a column, as one function; JSON is read by orjson.

    orjson takes a whole number of more than 64 bits for a float: what we keep as JSON are texts and counts.
    """
    if [getattr(step, "__func__", None) for step in steps] == [JSONField.from_db_value] and isinstance(expression, Col):
        return _read_json
    if len(steps) == 1:
        (only,) = steps
        return lambda value: None if value is None else only(value, expression, connection)

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, expression, connection)
        return value

    return convert


def _read_json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


class _PreparedUpdate:
    def __init__(self, found: QuerySet[Any], changes: Mapping[str, Any]) -> None:
        query: Any = found.order_by().query.chain(UpdateQuery)
        query.add_update_values(changes)
        self._sql, self._params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()

    def run(self, values: Sequence[object]) -> int:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self._sql, _fill_in(self._params, values))
            return int(cursor.rowcount)


def _fill_in(params: Sequence[Any], values: Sequence[object]) -> list[Any]:
    return [each.prepare(values) if type(each) is _Given else each for each in params]
