"""How the two databases tell values in JSON from each other and make them values of columns.

Values end up exactly as Django would have stored them, so that a form that is saved later finds no difference.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, models

from mobjects.models import ImportRow

ROWS = ImportRow._meta.db_table


class SqlDialect:
    """How values in JSON are told from each other and become values of columns. This one is PostgreSQL's."""

    def rows_sql(self, condition: str) -> str:
        """Rows of an import within bounds (three parameters: import, first and last number) that meet a condition.

        Concatenated, because long JSON is kept compressed and would be unpacked anew for each of its values.
        """
        return (
            f"(SELECT number, outcome, record_id, data || '{{}}' AS data, old || '{{}}' AS old FROM {ROWS} "  # noqa: S608
            f"WHERE imported_id = %s AND number BETWEEN %s AND %s AND {condition} ORDER BY number OFFSET 0) r"
        )

    def join_row(self) -> str:
        """The row ``r`` of a change ``x``, as a join. By its key, whatever the planner knows of the tables."""
        return (
            f"JOIN LATERAL (SELECT data || '{{}}' AS data, old || '{{}}' AS old FROM {ROWS} "  # noqa: S608
            "WHERE imported_id = x.imported_id AND number = x.number OFFSET 0) r ON true"
        )

    def has_field(self, source: str, field: Any) -> str:
        """Whether JSON sets a field."""
        return f"{source} ? '{field.attname}'"

    def typed_value(self, source: str, field: Any) -> str:
        """A field's value in JSON as the column's type; NULL if it is empty or not there."""
        if isinstance(field, models.JSONField):
            return f"{source} -> '{field.attname}'"
        text = f"{source} ->> '{field.attname}'"
        if isinstance(field, models.CharField | models.TextField):
            return text
        return f"({text})::{field.rel_db_type(connection) if field.is_relation else field.cast_db_type(connection)}"

    def stored_value(self, source: str, field: Any) -> str:
        """A field's value in JSON as a record keeps it."""
        typed = self.typed_value(source, field)
        if isinstance(field, models.JSONField):
            return f"COALESCE({typed}, '{{}}')"
        is_text = isinstance(field, models.CharField | models.TextField)
        return f"COALESCE({typed}, '')" if is_text and not field.null else typed

    def equals_value(self, field: Any, column: str, source: str) -> str:
        """Whether a record's value is the one in JSON. Times are compared to the second, as they are shown."""
        if isinstance(field, models.DateTimeField):
            column = f"date_trunc('second', {column})"
        return f"{column} IS NOT DISTINCT FROM {self.stored_value(source, field)}"

    def has_key(self, source: str, key: str) -> str:
        """Whether a JSON object has a key, given in SQL."""
        return f"{source} ? ({key})"

    def keys_of(self, source: str, field: Any) -> str:
        """The keys of a field that is an object in JSON, as a table ``held`` with a column ``key``; none without it."""
        return f"jsonb_object_keys({source} -> '{field.attname}') AS held(key)"


class SqliteDialect(SqlDialect):
    """SQLite's."""

    def rows_sql(self, condition: str) -> str:
        return (
            f"(SELECT number, outcome, record_id, data, old FROM {ROWS} "  # noqa: S608
            f"WHERE imported_id = %s AND number BETWEEN %s AND %s AND {condition}) r"
        )

    def join_row(self) -> str:
        return f"JOIN {ROWS} r ON r.imported_id = x.imported_id AND r.number = x.number"

    def has_field(self, source: str, field: Any) -> str:
        return f"json_type({source}, '$.{field.attname}') IS NOT NULL"

    def typed_value(self, source: str, field: Any) -> str:
        text = f"json_extract({source}, '$.{field.attname}')"
        if isinstance(field, models.JSONField):
            return f"mobjects_json({text})"
        if isinstance(field, models.DateTimeField):
            return f"datetime({text})"  # In UTC, as Django keeps it.
        if isinstance(field, models.DecimalField):
            return f"CAST({text} AS NUMERIC)"
        if isinstance(field, models.BooleanField):
            return f"({text} = 'true')"
        is_text = isinstance(field, models.CharField | models.TextField | models.DateField)
        return text if is_text else f"CAST({text} AS INTEGER)"

    def equals_value(self, field: Any, column: str, source: str) -> str:
        stored = self.stored_value(source, field)
        if isinstance(field, models.JSONField):
            return f"mobjects_sorted({column}) IS mobjects_sorted({stored})"
        if isinstance(field, models.DateTimeField):
            column = f"substr({column}, 1, 19)"
        return f"{column} IS {stored}"

    def has_key(self, source: str, key: str) -> str:
        return f"EXISTS (SELECT 1 FROM json_each({source}) entry WHERE entry.key = {key})"  # noqa: S608

    def keys_of(self, source: str, field: Any) -> str:
        return f"json_each({source}, '$.{field.attname}') held"


def get_dialect() -> SqlDialect:
    """That of the database in use."""
    if connection.vendor != "sqlite":
        return SqlDialect()
    connection.ensure_connection()
    connection.connection.create_function("mobjects_json", 1, _spaced, deterministic=True)
    connection.connection.create_function("mobjects_sorted", 1, _sorted, deterministic=True)
    return SqliteDialect()


def _spaced(text: str | None) -> str | None:
    """JSON as Django writes it."""
    return None if text is None else json.dumps(json.loads(text))


def _sorted(text: str | None) -> str | None:
    return None if text is None else json.dumps(json.loads(text), sort_keys=True)
