"""Many rows, each with values of its own, in one statement.

``bulk_update`` builds one CASE for every column and row, ``bulk_create`` asks every field about every value: either
takes longer for a batch than the call to Marketo. Here rows hold what a database takes as it is: texts, whole numbers,
``None``, and for JSON fields what JSON can hold; where that is content, which SQLite compares as text, it is written as
Django writes it. The database gets them as one JSON document, which it takes apart by itself; only what SQLite inserts
goes row by row, as that is quicker there. Its updates are not: where a table has a trigger, each statement first copies
the pages that it is going to change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections, models

Row = Sequence[Any]


def _encode(value: object) -> str:
    return orjson.dumps(value).decode()


def bulk_update_rows(
    model: type[models.Model],
    columns: Mapping[str, str],
    rows: Sequence[Row],
    *,
    same: Mapping[str, Any] | None = None,
    by_id: Collection[str] = (),
) -> None:
    """Update rows by their ``id``.

    Args:
        columns: field name to its new value in SQL, such as ``"%s"`` or ``"COALESCE(marketo_id, %s)"``; each takes
            exactly one parameter.
        rows: for each row a value for each column, in their order, and then the id.
        same: fields that get one value in all rows.
        by_id: names of columns whose SQL takes the id of another row.
    """
    writer = _RowWriter(model, same or {}, (*columns, "id"), by_id)
    new = [sql.replace("%s", given) for sql, given in zip(columns.values(), writer.given, strict=False)]
    pairs = [f"{name} = {sql}" for name, sql in zip(writer.names, ["%s"] * len(writer.same) + new, strict=False)]
    statement = f"UPDATE {writer.table} SET {', '.join(pairs)}"
    writer.write(statement, f"WHERE {writer.table}.id = {writer.given[-1]}", rows)


def bulk_insert_rows(
    model: type[models.Model], same: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Insert rows; the database gives them their ids. Every field without a default of the database has to be named.

    Args:
        same: fields that have one value in all rows.
        columns: fields that differ.
        rows: for each row a value for each column, in their order.
    """
    writer = _RowWriter(model, same, columns)
    start = f"INSERT INTO {writer.table} ({', '.join(writer.names)})"
    if writer.is_typed:
        writer.write(f"{start} SELECT {', '.join(['%s'] * len(same) + writer.given)}", "", rows)
    else:
        writer.write_each(f"{start} VALUES ({', '.join(['%s'] * len(writer.names))})", rows)


class _RowWriter:
    """Runs a statement on rows: once, on all of them; SQLite's inserts once for each."""

    def __init__(
        self, model: type[models.Model], same: Mapping[str, Any], columns: Sequence[str], by_id: Collection[str] = ()
    ) -> None:
        # Asked for once: the usual proxy finds out which thread asks, for each of thousands of values.
        self._connection = connections[DEFAULT_DB_ALIAS]
        quote = self._connection.ops.quote_name
        fields: list[Any] = [model._meta.get_field(name) for name in (*same, *columns)]
        self.same = [
            field.get_db_prep_save(value, self._connection) for field, value in zip(fields, same.values(), strict=False)
        ]
        self._each: list[Any] = [model._meta.get_field("id" if name in by_id else name) for name in columns]
        self._content: Collection[str] = getattr(model, "content_fields", ())
        self.is_typed = self._connection.vendor == "postgresql"
        self.table, self.names = quote(model._meta.db_table), [quote(field.column) for field in fields]
        part = "given.c{}" if self.is_typed else "json_extract(given.value, '$[{}]')"
        self.given = [part.format(number) for number in range(len(columns))]

    def write(self, statement: str, where: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        source, document = (
            self._typed_document(rows) if self.is_typed else ("json_each(%s) AS given", self._texts(rows))
        )
        with self._connection.cursor() as cursor:
            cursor.execute(f"{statement} FROM {source} {where}", [*self.same, document])

    def write_each(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(statement, [(*self.same, *row) for row in self._with_text(rows)])

    def _typed_document(self, rows: Sequence[Row]) -> tuple[str, str]:
        names = [f"c{number}" for number in range(len(self._each))]
        typed = ", ".join(
            f"{name} {field.rel_db_type(self._connection)}" for name, field in zip(names, self._each, strict=True)
        )
        document = _encode([dict(zip(names, row, strict=True)) for row in rows])
        return f"json_to_recordset(%s) AS given({typed})", document

    def _texts(self, rows: Sequence[Row]) -> str:
        return _encode(list(self._with_text(rows)))

    def _with_text(self, rows: Sequence[Row]) -> Iterable[Row]:
        json_at = [number for number, field in enumerate(self._each) if isinstance(field, models.JSONField)]
        for row in rows:
            values = list(row)
            for number in json_at:
                values[number] = self._json_text(self._each[number], values[number])
            yield values

    def _json_text(self, field: Any, value: Any) -> str:
        if field.name not in self._content:
            return _encode(value)
        written: str = field.get_db_prep_save(value, self._connection)
        return written
