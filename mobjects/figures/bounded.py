"""Counts that stop at a limit: many of them in one statement, whose cost does not grow with the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet

LIMIT = 10_000
"""What is more than this is shown as “more than 10,000”."""


def read_bounded(
    counted: Mapping[str, QuerySet[Any]], first: Mapping[str, QuerySet[Any]] | None = None, *, limit: int = LIMIT
) -> dict[str, Any]:
    """Counts and single values, in one statement.

    Args:
        counted: how many rows each of these has, counted as far as ``limit`` + 1: then "more than the limit". Their
            conditions have to be found by an index, and must not be such that Django knows them to fit nothing.
        first: the value of the first row of each of these, which have one column.

    Returns:
        By the names of both, which differ. Of ``first``, ``None`` where there is no row.
    """
    columns = {}
    for name, rows in counted.items():
        sql, args = rows.order_by().values("pk")[: limit + 1].query.sql_with_params()
        columns[name] = f"(SELECT COUNT(*) FROM ({sql}) counted)", args  # noqa: S608
    for name, rows in (first or {}).items():
        sql, args = rows[:1].query.sql_with_params()
        columns[name] = f"({sql})", args
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(sql for sql, _ in columns.values()),
            [arg for _, args in columns.values() for arg in args],
        )
        return dict(zip(columns, cursor.fetchone(), strict=True))
