"""What PostgreSQL plans statements by."""

from __future__ import annotations

from django.db import connection, models


def refresh_statistics(*tables: type[models.Model]) -> None:
    """Have PostgreSQL look how much some tables hold, before statements that join thousands of their rows.

    After a table was emptied, and autovacuum has looked at it, PostgreSQL counts on one row until it looks again, and
    goes through all rows of one table for each of another. Does nothing on SQLite.

    Args:
        tables: the models; a million rows take about a second.
    """
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(table._meta.db_table) for table in tables)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {names}")


def walk_in_order() -> None:
    """Have PostgreSQL find the first rows of an order by an index, until the transaction ends, and sort nothing.

    A condition that is a CASE it supposes to be true of hardly any row, however many there are: it then judges all of
    a million to give the first hundred. Does nothing on SQLite.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")
