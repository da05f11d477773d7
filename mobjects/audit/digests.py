"""The digests of rows: what of a row is hashed, and in which form.

A link says in which form its digests were made, so that an older one stays verifiable. Where the database knows SHA-256
(PostgreSQL), it makes text and digest; where it does not (SQLite), values are hashed as they are kept, without making
objects of their JSON and moments, which cost four fifths of sealing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import BinaryField, DateTimeField, Field, FloatField, QuerySet, TextField
from django.db.models.expressions import RawSQL

from mobjects.audit.history_tables import HistoryTable, Key
from mobjects.models import SealForm


class FormRefused(Exception):
    """Digests cannot be made in a form here. Says why, as a sentence."""


def choose_form() -> SealForm:
    """The form in which this database's new links are made."""
    return SealForm.POSTGRESQL if connection.vendor == "postgresql" else SealForm.SQLITE


def read_digests(table: HistoryTable, rows: QuerySet[Any], form: int) -> dict[Key, bytes]:
    """SHA-256 of rows, by key, in the order of the rows.

    Args:
        table: whose columns are hashed.
        rows: of its model.
        form: how.

    Raises:
        FormRefused: the digests were made on the other database.
    """
    if form == SealForm.JSON:
        found = {row[0]: _hash_json(table, row) for row in rows.values_list(*table.columns)}
    elif form != choose_form():
        raise FormRefused(f"It was made on {SealForm(form).label}; on {connection.vendor} it cannot be compared.")
    elif form == SealForm.POSTGRESQL:
        found = {pk: bytes(digest) for pk, digest in rows.values_list("pk", _digest_on_postgresql(table))}
    else:
        found = {row[0]: _hash_json(table, row[1:]) for row in rows.values_list("pk", *_kept_values(table))}
    return {table.find_key(pk): digest for pk, digest in found.items()}


def _hash_json(table: HistoryTable, row: Sequence[Any]) -> bytes:
    """JSON without blanks, names sorted, what JSON does not know as Python writes it."""
    text = json.dumps([table.name, *row], default=str, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _kept_values(table: HistoryTable) -> list[RawSQL]:
    """The columns as SQLite keeps them: JSON and moments are texts."""
    fields = _fields(table)
    return [RawSQL(f'"{table.table}"."{field.column}"', [], output_field=TextField()) for field in fields]  # noqa: S611 -- our columns


def _digest_on_postgresql(table: HistoryTable) -> RawSQL:
    columns = ", ".join(_text_on_postgresql(table, field) for field in _fields(table))
    text = f"ROW('{table.name}', {columns})::text"
    return RawSQL(f"sha256(convert_to({text}, 'UTF8'))", [], output_field=BinaryField())  # noqa: S611 -- our columns


def _text_on_postgresql(table: HistoryTable, field: Field[Any, Any]) -> str:
    """A column so that its text does not hang on the connection's time zone, its dates or its digits."""
    column = f'"{table.table}"."{field.column}"'
    if isinstance(field, DateTimeField):
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
    if isinstance(field, FloatField):
        return f"round({column} * 1000000)::bigint"
    return column


def _fields(table: HistoryTable) -> list[Field[Any, Any]]:
    by_name: dict[str, Any] = {field.attname: field for field in table.model._meta.concrete_fields}
    return [by_name[name] for name in table.columns]
