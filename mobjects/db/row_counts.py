"""How many rows there are, without a count that grows with the table: exact while they are few, else what the database
estimates, and said so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

EXACT_UP_TO = 10_000
"""PostgreSQL counts so many rows; of more it is asked for its estimate. SQLite counts all: its tables are small."""


class RowCount(int):
    """A number of rows.

    Args:
        about: it is an estimate.
    """

    about: bool

    def __new__(cls, value: int, *, about: bool = False) -> RowCount:
        made = super().__new__(cls, value)
        made.about = about
        return made

    def __str__(self) -> str:
        return self.words

    @classmethod
    def total(cls, counts: Iterable[RowCount]) -> RowCount:
        """The sum, which is an estimate where one of them is."""
        added = list(counts)
        return cls(sum(added), about=any(count.about for count in added))

    @property
    def words(self) -> str:
        """For people: ``12`` or ``about 1,000,000``."""
        number = number_format(int(self), force_grouping=True)
        return _("about %(number)s") % {"number": number} if self.about else number


class RowCountPaginator(Paginator):  # type: ignore[type-arg]
    """Numbered pages over a number of rows that may be an estimate."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or about."""
        rows: Any = self.object_list
        return count_rows(rows) if isinstance(rows, models.QuerySet) else len(rows)


def count_rows(rows: models.QuerySet[Any]) -> RowCount:
    """How many rows a query finds; two queries at most."""
    if not _estimates(rows.db):
        return RowCount(rows.count())
    number = rows.order_by()[: EXACT_UP_TO + 1].count()
    if number <= EXACT_UP_TO:
        return RowCount(number)
    plan = json.loads(rows.order_by().values("pk").explain(format="json"))
    return _estimated(plan[0]["Plan"])


def count_values(tables: Sequence[type[models.Model]], column: str, values: Sequence[str]) -> list[dict[str, RowCount]]:
    """How many rows of some tables have each value of a column that an index begins with; two queries at most.

    Args:
        tables: models whose tables all have the column; on one database.
        values: no others are counted.

    Returns:
        For each table, the number by value.
    """
    found = [(model, value) for model in tables for value in values]
    if not found:
        return []
    using = found[0][0]._default_manager.db
    limit = f" LIMIT {EXACT_UP_TO + 1}" if _estimates(using) else ""
    counts = (f"(SELECT COUNT(*) FROM ({_one_value(model, column)}{limit}) found)" for model, _value in found)
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", [value for _model, value in found])
        numbers = dict(zip(found, map(RowCount, cursor.fetchone()), strict=True))
        many = [part for part, number in numbers.items() if limit and number > EXACT_UP_TO]
        if many:
            numbers |= zip(many, _estimate_parts(cursor, column, many), strict=True)
    return [{value: numbers[model, value] for value in values} for model in tables]


def _estimate_parts(cursor: Any, column: str, parts: Sequence[tuple[type[models.Model], str]]) -> list[RowCount]:
    """PostgreSQL's estimates, from one plan."""
    union = " UNION ALL ".join(_one_value(model, column) for model, _value in parts)
    cursor.execute(f"EXPLAIN (FORMAT JSON) {union}", [value for _model, value in parts])
    plan = cursor.fetchone()[0][0]["Plan"]
    return [_estimated(each) for each in (plan["Plans"] if len(parts) > 1 else [plan])]


def _one_value(model: type[models.Model], column: str) -> str:
    return f'SELECT 1 FROM "{model._meta.db_table}" WHERE "{column}" = %s'


def _estimated(plan: dict[str, Any]) -> RowCount:
    return RowCount(max(plan["Plan Rows"], EXACT_UP_TO + 1), about=True)


def _estimates(using: str) -> bool:
    return connections[using].vendor == "postgresql"
