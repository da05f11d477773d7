"""Reading the records that a chunk of a file means: plain rows of canonical text, no model instances.

The database writes most values as the text that they are compared in; see
:func:`mobjects.marketo.value_text.to_text`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from mobjects.models import SyncedRecord
from mobjects.resources.columns import CustomColumn, FileColumn

StoredRecord = tuple[Any, ...]
"""id, revision, accepted values (only if something is unsent), further fields, then those beside a file's columns."""

LEADING_VALUES = 3
"""How many values stand before the further fields."""


class RecordLookup:
    """Reads records of a model.

    Args:
        model: of the records.
        more: names of fields to read besides those of the columns.
        columns: of the file, in the order of an item's values.
    """

    def __init__(self, model: type[models.Model], more: Sequence[str], columns: Sequence[FileColumn]) -> None:
        self._postgresql = connection.vendor == "postgresql"
        self._decimals: list[tuple[int, Callable[[Any], str]]] = []
        synced = issubclass(model, SyncedRecord)
        parts = ["t.id", "t.revision" if synced else "0", unsent_accepted_sql() if synced else "NULL"]
        for name in more:
            parts.append(self._text(model._meta.get_field(name), len(parts)))
        for column in columns:
            custom = isinstance(column, CustomColumn)
            parts.append(self._custom(column.name) if custom else self._field(model, column, len(parts)))
        table = connection.ops.quote_name(model._meta.db_table)
        self._select = f"SELECT {', '.join(parts)} FROM {table} t"  # noqa: S608 -- names of our own fields

    def find_by_field(self, field: str, values: Collection[Any]) -> list[StoredRecord]:
        """The records whose field has one of some values."""
        if not values:
            return []
        if self._postgresql:
            return self._fetch_records(f"WHERE t.{field} = ANY(%s)", [_array_text(values)])
        return self._fetch_records(f"WHERE t.{field} IN (SELECT value FROM json_each(%s))", [json.dumps(list(values))])  # noqa: S608

    def find_by_terms(self, terms: Sequence[str], values: Collection[tuple[Any, ...]]) -> list[StoredRecord]:
        """The records for which terms in SQL have, together, one of some combinations of values."""
        if not values:
            return []
        if self._postgresql:
            types = ["text" if isinstance(value, str) else "bigint" for value in next(iter(values))]
            lists = ", ".join(f"%s::{name}[]" for name in types)
            names = ", ".join(f"v{place}" for place in range(len(terms)))
            same = " AND ".join(f"{term} = k.v{place}" for place, term in enumerate(terms))
            params = [list(each) for each in zip(*values, strict=True)]
            return self._fetch_records(f"JOIN unnest({lists}) k({names}) ON {same}", params)
        same = " AND ".join(f"{term} = json_extract(k.value, '$[{place}]')" for place, term in enumerate(terms))
        return self._fetch_records(f"JOIN json_each(%s) k ON {same}", [json.dumps(list(values))])

    def _fetch_records(self, chosen: str, params: list[Any]) -> list[StoredRecord]:
        with prefer_index_lookups(), connection.cursor() as cursor:
            cursor.execute(f"{self._select} {chosen}", params)
            records: list[StoredRecord] = cursor.fetchall()
        return [self._with_decimals(record) for record in records] if self._decimals else records

    def _with_decimals(self, record: StoredRecord) -> StoredRecord:
        values = list(record)
        for place, text_of in self._decimals:
            if values[place] is not None:
                values[place] = text_of(values[place])
        return tuple(values)

    # --- SQL -----------------------------------------------------------------------------------------------------

    def _field(self, model: type[models.Model], column: FileColumn, place: int) -> str:
        if column.field:
            return self._text(model._meta.get_field(column.field), place)
        return "NULL"

    def _custom(self, name: str) -> str:
        if self._postgresql:
            return f"COALESCE(t.custom_attributes ->> '{name}', '')"
        return f"""COALESCE(CAST(json_extract(t.custom_attributes, '$."{name}"') AS TEXT), '')"""

    def _text(self, field: Any, place: int) -> str:
        """A field as canonical text, in SQL."""
        column = f"t.{connection.ops.quote_name(field.column)}"
        if isinstance(field, models.CharField | models.TextField):
            return column
        if self._postgresql:
            if isinstance(field, models.DateTimeField):
                return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""
            return f"{column}::text"
        return self._sqlite_text(field, column, place)

    def _sqlite_text(self, field: Any, column: str, place: int) -> str:
        if isinstance(field, models.DateTimeField):
            return f"substr({column}, 1, 10) || 'T' || substr({column}, 12, 8) || '+00:00'"
        if isinstance(field, models.BooleanField):
            return f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
        if isinstance(field, models.DecimalField):
            # Kept as a float, which has 15 digits exactly; SQLite's own printf is not as exact everywhere.
            self._decimals.append((place, f"{{:.{field.decimal_places}f}}".format))
            return column
        if isinstance(field, models.JSONField):
            return column
        return f"CAST({column} AS TEXT)"  # A cast also keeps Python's driver from making it a date.


def _array_text(values: Collection[Any]) -> str:
    """Values as PostgreSQL writes an array of them; the driver takes four times as long for a list of them."""
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join([f'"{text}"' for text in quoted]) + "}"


@contextmanager
def prefer_index_lookups() -> Iterator[None]:
    """Have PostgreSQL look a few thousand keys up one by one, not by reading the whole table for each chunk."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")


def unsent_accepted_sql() -> str:
    """The values that Marketo accepted last, in SQL; NULL unless something is kept in ``t`` that it has not."""
    accepted = "t.accepted::text" if connection.vendor == "postgresql" else "t.accepted"
    return f"CASE WHEN t.revision > t.synced_revision AND t.synced_revision > 0 THEN {accepted} END"
