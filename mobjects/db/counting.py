"""How many rows there are, without a statement for it alone and without walking through a whole table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Count, QuerySet, Window

LIMIT = 10_000
"""What is more than this is shown as “more than 10,000”."""
_COUNT = "_rows_in_all"


def read_counted_page(rows: QuerySet[Any], size: int, number: int) -> Page[Any]:
    """One page of ordered rows, with its paginator; where there is no such page, the first.

    Only for rows of which few are counted, such as those of one record: all that are chosen are walked through.

    Args:
        size: rows on a page.
        number: of the page, from 1.
    """
    counted, start = rows.annotate(**{_COUNT: Window(Count("*"))}), (number - 1) * size
    found = list(counted[start : start + size])
    if not found and number > 1:
        return read_counted_page(rows, size, 1)
    pages = Paginator(found, size)
    pages.count = getattr(found[0], _COUNT) if found else 0  # In the place of the cached property.
    return Page(found, number, pages)


@dataclass(frozen=True, slots=True)
class BoundedFigures:
    """Counts and values that one statement reads, as SQL: made once, read often. See :func:`read_bounded`.

    Args:
        columns: by their names, the SQL of each and what stands for its placeholders.
    """

    columns: Mapping[str, tuple[str, tuple[Any, ...]]]

    @classmethod
    def of(
        cls,
        counted: Mapping[str, QuerySet[Any]],
        first: Mapping[str, QuerySet[Any]] | None = None,
        *,
        limit: int = LIMIT,
    ) -> Self:
        """What :func:`read_bounded` reads; the arguments are the same."""
        columns = {}
        for name, rows in counted.items():
            sql, args = rows.order_by().values("pk")[: limit + 1].query.sql_with_params()
            columns[name] = f"(SELECT COUNT(*) FROM ({sql}) counted)", args
        for name, rows in (first or {}).items():
            sql, args = rows[:1].query.sql_with_params()
            columns[name] = f"({sql})", args
        return cls(columns)

    def and_those(self, others: Self) -> Self:
        """These and others, in one statement; their names differ."""
        return replace(self, columns={**self.columns, **others.columns})

    def read(self) -> dict[str, Any]:
        """Ask the database; by the names. ``None`` for a value where there is no row."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT " + ", ".join(sql for sql, _ in self.columns.values()),
                [arg for _, args in self.columns.values() for arg in args],
            )
            return dict(zip(self.columns, cursor.fetchone(), strict=True))


def read_bounded(
    counted: Mapping[str, QuerySet[Any]], first: Mapping[str, QuerySet[Any]] | None = None, *, limit: int = LIMIT
) -> dict[str, Any]:
    """Counts that stop at a limit, and single values, in one statement whose cost does not grow with the tables.

    Args:
        counted: how many rows each of these has, counted as far as ``limit`` + 1: then "more than the limit". Their
            conditions have to be found by an index, and must not be such that Django knows them to fit nothing.
        first: the value of the first row of each of these, which have one column.

    Returns:
        By the names of both, which differ. Of ``first``, ``None`` where there is no row.
    """
    return BoundedFigures.of(counted, first, limit=limit).read()
