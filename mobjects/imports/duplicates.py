"""Rows of a file that mean the same record: all of them are errors, and each names another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mobjects.imports.staging import PROBLEMS, ROWS

SEPARATOR = "\x1f"
"""Stands behind the part of a key that is shown; XML cannot carry it, so no value holds it."""


@dataclass(frozen=True, slots=True)
class UniqueRule:
    """What may stand in a file once.

    Args:
        field: of :class:`~mobjects.models.ImportRow`: ``marketo_id``, ``marketo_guid``, ``key`` or ``record_id``.
        column: the column where the problem is noted; empty for the row as a whole.
        position: of that column in the file.
    """

    field: str
    column: str = ""
    position: int | None = None


def mark_duplicates(imported_id: int, noun: str, rules: Sequence[UniqueRule]) -> None:
    """Note a problem for each row that means what another row means, and make it an error.

    Args:
        imported_id: the import, all of whose rows are written.
        noun: what its rows are.
        rules: what to look for; a row that broke one is left out of those that follow.
    """
    found = False
    with connection.cursor() as cursor:
        for rule in rules:
            if _any(cursor, imported_id, rule.field):
                found = True
                cursor.execute(_insert_problems_sql(rule.field), _params(imported_id, noun, rule))
        if found:
            cursor.execute(
                f"UPDATE {ROWS} SET outcome = 'error' WHERE imported_id = %s AND outcome <> 'error' AND (SELECT 1 "  # noqa: S608
                f"FROM {PROBLEMS} noted WHERE noted.imported_id = {ROWS}.imported_id AND noted.number = {ROWS}.number "
                "AND noted.level = 'error' LIMIT 1) IS NOT NULL",
                [imported_id],
            )


def _filled(field: str) -> str:
    return f"{field} <> ''" if field in ("key", "marketo_guid") else f"{field} IS NOT NULL"


def _any(cursor: Any, imported_id: int, field: str) -> bool:
    repeated = f"SELECT 1 FROM {ROWS} WHERE imported_id = %s AND {_filled(field)} GROUP BY {field} HAVING count(*) > 1"  # noqa: S608
    cursor.execute(f"SELECT EXISTS ({repeated})", [imported_id])
    return bool(cursor.fetchone()[0])


def _insert_problems_sql(field: str) -> str:
    """The first two rows name each other, all others the first one.

    In one pass over the sorted rows, and problems looked up for each: of joins, which IN and EXISTS become, PostgreSQL
    would look at every pair where its statistics know nothing of this import yet.
    """
    return f"""
        INSERT INTO {PROBLEMS} (imported_id, number, level, "column", position, value, rule, suggestion)
        SELECT %s, number, 'error', %s, CAST(%s AS integer), {_shown(field)},
            'rows ' || low || ' and ' || CASE number WHEN low THEN following ELSE number END || %s, ''
        FROM (
            SELECT number, {field}, min(number) OVER (PARTITION BY {field}) AS low,
                count(*) OVER (PARTITION BY {field}) AS times,
                lead(number) OVER (PARTITION BY {field} ORDER BY number) AS following
            FROM {ROWS} WHERE imported_id = %s AND {_filled(field)}
        ) repeated
        WHERE times > 1 AND (
            SELECT 1 FROM {PROBLEMS} noted WHERE noted.imported_id = %s AND noted.number = repeated.number
            AND noted.rule LIKE %s LIMIT 1
        ) IS NULL
        ORDER BY number
    """  # noqa: S608


def _params(imported_id: int, noun: str, rule: UniqueRule) -> list[Any]:
    end = f" mean the same {noun}; keep one."
    return [imported_id, rule.column, rule.position, end, imported_id, imported_id, f"rows %{end}"]


def _shown(field: str) -> str:
    """The cell, as far as the key tells."""
    if field == "record_id":
        return "''"
    if field == "marketo_guid":
        return field
    if field == "marketo_id":
        return "CAST(marketo_id AS varchar(20))"
    if connection.vendor == "postgresql":
        return "split_part(key, chr(31), 1)"
    return "CASE instr(key, char(31)) WHEN 0 THEN key ELSE substr(key, 1, instr(key, char(31)) - 1) END"
