"""The statements that change one field of a chunk of records, or take that back: the database does the work.

Old and new values stand as texts in the rows of the bulk edit. They end up as Django itself would have stored them, so
that a form that is saved later finds no difference.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.operations import EDITED_MODELS, edited_fields, model_field
from mobjects.imports.writing.target_tables import execute_sql, quote_name
from mobjects.models import BulkEditOutcome, BulkEditRow, SyncedRecord

ROWS = BulkEditRow._meta.db_table
CHANGED_SINCE = _("was changed since it was shown")
GONE_SINCE = _("was deleted since it was shown")
CHANGED_AFTER = _("was changed since the bulk edit")
GONE_AFTER = _("was deleted since the bulk edit")
_BOUNDS = f"r.bulk_edit_id = %s AND r.number BETWEEN %s AND %s AND r.outcome = '{BulkEditOutcome.CHANGED.value}'"


class FieldSql:
    """Statements for one edit of one field.

    Args:
        edit_id: the bulk edit.
        model_name: of the records.
        field_name: of the field's column in files.

    Raises:
        KeyError: there is no such field any more.
    """

    def __init__(self, edit_id: int, model_name: str, field_name: str) -> None:
        self.edit_id = edit_id
        self.model: Any = EDITED_MODELS[model_name]
        self.field = model_field(model_name, edited_fields(model_name)[field_name])
        self.table = quote_name(self.model._meta.db_table)
        self._sqlite = connection.vendor == "sqlite"
        self._custom = field_name if self.field is None else ""
        column = "custom_attributes" if self._custom else self.field.column
        self._column = quote_name(column)
        self._synced = issubclass(self.model, SyncedRecord)
        if self._sqlite:
            connection.ensure_connection()
            connection.connection.create_function("mobjects_with_custom", 3, _with_custom, deterministic=True)

    def lock_records(self, first: int, last: int) -> None:
        """Hold the records, programs before their costs, in the order of ids, as everybody does."""
        if self._sqlite:
            return  # The row of the bulk edit was written already, which takes the only write lock.
        chosen = f"SELECT r.record_id FROM {ROWS} r WHERE {_BOUNDS}"  # noqa: S608
        bounds = (self.edit_id, first, last)
        if not self._synced:
            owner = self.model._meta.get_field("program")
            programs = f"SELECT {quote_name(owner.column)} FROM {self.table} WHERE id IN ({chosen})"  # noqa: S608
            self._hold(quote_name(owner.related_model._meta.db_table), programs, "NO KEY UPDATE", bounds)
        self._hold(self.table, chosen, "UPDATE", bounds)

    def _hold(self, table: str, ids: str, strength: str, bounds: tuple[int, int, int]) -> None:
        execute_sql(
            f"SELECT count(*) FROM (SELECT id FROM {table} WHERE id IN ({ids}) ORDER BY id FOR {strength}) held",  # noqa: S608
            *bounds,
        )

    def leave_changed(self, first: int, last: int) -> int:
        """Mark the rows whose records are not as they were shown any more; how many these are."""
        version = " AND t.revision = r.version" if self._synced else ""
        return self._mark(
            BulkEditOutcome.LEFT.value, f"{self._holds('r.old')}{version}", CHANGED_SINCE, GONE_SINCE, first, last
        )

    def keep_changed(self, first: int, last: int) -> int:
        """Mark the rows whose records do not hold the new value any more; how many these are."""
        return self._mark(BulkEditOutcome.KEPT.value, self._holds("r.new"), CHANGED_AFTER, GONE_AFTER, first, last)

    def _mark(self, outcome: str, same: str, changed: str, gone: str, first: int, last: int) -> int:
        record = f"SELECT 1 FROM {self.table} t WHERE t.id = r.record_id"  # noqa: S608
        return execute_sql(
            f"UPDATE {ROWS} AS r SET outcome = %s, reason = CASE WHEN EXISTS ({record}) THEN %s ELSE %s END "  # noqa: S608
            f"WHERE {_BOUNDS} AND NOT EXISTS ({record} AND {same})",
            outcome,
            changed,
            gone,
            self.edit_id,
            first,
            last,
        )

    def write_new(self, first: int, last: int, now: datetime) -> None:
        """Give the records their new values."""
        self._write("r.new", first, last, now)

    def write_old(self, first: int, last: int, now: datetime) -> None:
        """Give the records their old values back."""
        self._write("r.old", first, last, now)

    def _write(self, source: str, first: int, last: int, now: datetime) -> None:
        moment: list[Any] = []
        sets = f"{self._column} = {self._stored(source)}"
        if self._synced:
            sets += ", modified_at = %s"
            moment = [self.model._meta.get_field("modified_at").get_db_prep_save(now, connection)]
        execute_sql(
            f"UPDATE {self.table} AS t SET {sets} FROM {ROWS} r WHERE {_BOUNDS} AND t.id = r.record_id",  # noqa: S608
            *moment,
            self.edit_id,
            first,
            last,
        )

    # --- parts of statements -----------------------------------------------------------------------------------

    def _stored(self, source: str) -> str:
        """A text as the column keeps it."""
        if not self._custom:
            return self._typed(source)
        if self._sqlite:
            return f"mobjects_with_custom(t.{self._column}, '{self._custom}', {source})"
        return (
            f"CASE WHEN COALESCE({source}, '') = '' THEN t.{self._column} - '{self._custom}' "
            f"ELSE t.{self._column} || jsonb_build_object('{self._custom}', {source}) END"
        )

    def _typed(self, source: str) -> str:
        field = self.field
        if isinstance(field, models.CharField | models.TextField):
            return source if field.null else f"COALESCE({source}, '')"
        if not self._sqlite:
            return f"({source})::{field.cast_db_type(connection)}"
        if isinstance(field, models.DateTimeField):
            return f"datetime({source})"  # In UTC, as Django keeps it.
        if isinstance(field, models.DecimalField):
            return f"CAST({source} AS NUMERIC)"
        if isinstance(field, models.BooleanField):
            return f"({source} = 'true')"
        return source if isinstance(field, models.DateField) else f"CAST({source} AS INTEGER)"

    def _holds(self, source: str) -> str:
        """The condition that a record holds a text."""
        column = f"t.{self._column}"
        if self._custom:
            custom = (
                f"json_extract({column}, '$.\"{self._custom}\"')" if self._sqlite else f"{column} ->> '{self._custom}'"
            )
            return f"COALESCE({custom}, '') = COALESCE({source}, '')"
        if isinstance(self.field, models.DateTimeField):
            column = f"substr({column}, 1, 19)" if self._sqlite else f"date_trunc('second', {column})"
        same = "IS" if self._sqlite else "IS NOT DISTINCT FROM"
        return f"{column} {same} {self._typed(source)}"


def _with_custom(kept: str, name: str, text: str | None) -> str:
    """Custom attributes with another value of one of them, as Django writes them."""
    values = {key: value for key, value in json.loads(kept).items() if key != name}
    if text:
        values[name] = text
    return json.dumps(dict(sorted(values.items())))
