"""Many rows, each with values of its own, in one statement that is prepared once.

``bulk_update`` builds one CASE for every column and row: a hundred records took longer than the call to Marketo.
``bulk_create`` prepares every value by itself, also those that are the same in all rows: it takes twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models


def bulk_update_rows(model: type[models.Model], columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Update rows by their ``id``.

    Args:
        columns: field name to its new value in SQL, such as ``"%s"`` or ``"COALESCE(marketo_id, %s)"``; each takes
            exactly one parameter of the field's type.
        rows: for each row a value for each column, in their order, and then the id.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    quote = connection.ops.quote_name
    assignments = ", ".join(
        f"{quote(field.column)} = {sql}" for field, sql in zip(fields, columns.values(), strict=True)
    )
    statement = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE id = %s"
    prepared = [
        (
            *(field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=False)),
            row[-1],
        )
        for row in rows
    ]
    if prepared:
        with connection.cursor() as cursor:
            cursor.executemany(statement, prepared)


def bulk_insert_rows(
    model: type[models.Model], same: Mapping[str, Any], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows; the database gives them their ids. Every field without a default of the database has to be named.

    Args:
        same: fields that have one value in all rows.
        columns: fields that differ.
        rows: for each row a value for each column, in their order.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in (*same, *columns)]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    places = ", ".join("%s" for _ in fields)
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({places})"
    first = [field.get_db_prep_save(value, connection) for field, value in zip(fields, same.values(), strict=False)]
    differing = fields[len(first) :]
    prepared = [
        (*first, *(field.get_db_prep_save(value, connection) for field, value in zip(differing, row, strict=True)))
        for row in rows
    ]
    if prepared:
        with connection.cursor() as cursor:
            cursor.executemany(statement, prepared)
