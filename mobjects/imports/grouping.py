"""Equal problems, counted: one line for each, and one fix for all."""

from __future__ import annotations

from django.db import connection

from mobjects.imports.staging import GROUPS, PROBLEMS


def write(imported_id: int) -> None:
    """Write the groups of an import's problems, which are all written."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {GROUPS} (imported_id, level, "column", position, value, rule, suggestion, count, first)
            SELECT imported_id, level, "column", position, value, rule, max(suggestion), count(*), min(number)
            FROM {PROBLEMS} WHERE imported_id = %s GROUP BY imported_id, level, "column", position, value, rule
            ORDER BY min(number)
            """,  # noqa: S608
            [imported_id],
        )
