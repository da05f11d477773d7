"""How each database says, in SQL, what changed about a row: texts as they are sent, under the names of the content.

The texts are those of :func:`mobjects.marketo.value_text.to_text`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models

from mobjects.marketo import attributes
from mobjects.marketo.types import DataType
from mobjects.models import Program, ProgramCost, ProgramTag, SyncedRecord
from mobjects.models.program import COST_PREFIX

TAG_PREFIX = "Tag "
ID_FIELDS = ("marketo_id", "marketo_guid")
_PLAIN_NUMBERS = {
    item.field_name for each in attributes.STANDARD.values() for item in each if item.type is DataType.FLOAT
}
"""Fields whose numbers are sent without zeros at their end."""


class EditSql:
    """Expressions for PostgreSQL.

    Texts are ``''`` where there is nothing; a list of changes is text, ``["Stage", "New", "Won"],["Amount", "", "5"]``.
    """

    array = "json_build_array({name}, {old}, {new})::text"
    type_of_json = "jsonb_typeof"

    def text(self, row: str, field: Any) -> str:
        """The text of a column.

        Args:
            row: the row's name in the statement.
            field: of the model.
        """
        column = f'{row}."{field.column}"'
        if isinstance(field, models.ForeignKey):
            return self._link(row, field)
        if isinstance(field, models.DecimalField):
            written = self.plain_number if field.name in _PLAIN_NUMBERS else self.decimal
            return f"coalesce({written(column, field.decimal_places)}, '')"
        if isinstance(field, models.BooleanField):
            return f"CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' ELSE '' END"
        if isinstance(field, models.DateTimeField):
            return f"coalesce({self.moment(column)}, '')"
        if isinstance(field, models.DateField):
            return f"coalesce({self.date(column)}, '')"
        return f"coalesce(CAST({column} AS text), '')"

    def decimal(self, column: str, places: int) -> str:
        """A number with all of its places, or NULL."""
        return f"CAST({column} AS text)"  # PostgreSQL keeps them.

    def plain_number(self, column: str, places: int) -> str:
        """A number without zeros at its end, or NULL."""
        return f"CAST(trim_scale({column}) AS text)"

    def moment(self, column: str) -> str:
        """A moment in UTC, or NULL."""
        return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""

    def date(self, column: str) -> str:
        """A date, or NULL."""
        return f"to_char({column}, 'YYYY-MM-DD')"

    def month(self, column: str) -> str:
        """A month."""
        return f"to_char({column}, 'YYYY-MM')"

    def _link(self, row: str, field: Any) -> str:
        table, column = field.related_model._meta.db_table, f'{row}."{field.column}"'
        name = f'(SELECT linked.name FROM "{table}" linked WHERE linked.id = {column})'
        return f"coalesce({name} || ' ({attributes.OUR_NUMBER_PREFIX}' || {column} || ')', '')"

    def differs(self, left: str, right: str) -> str:
        """The condition that two values differ, where NULL is a value."""
        return f"{left} IS DISTINCT FROM {right}"

    def joined(self, entries: Sequence[str]) -> str:
        """A list of those entries that are not NULL."""
        return f"concat_ws(',', {', '.join(entries)})"

    def listed(self, entries: str) -> str:
        """The column's value for a list of entries."""
        return f"('[' || {entries} || ']')::jsonb"

    def custom_entries(self, old: str, new: str) -> str:
        """The entries of custom attributes that differ, or NULL."""
        old, new = (self.mapping(row) for row in (old, new))
        entry = self.array.format(name="k", old=f"coalesce({old} ->> k, '')", new=f"coalesce({new} ->> k, '')")
        return (
            f"(SELECT string_agg({entry}, ',' ORDER BY k) FROM jsonb_object_keys({old} || {new}) k "
            f"WHERE {self.differs(f'{old} ->> k', f'{new} ->> k')})"
        )

    def mapping(self, custom: str) -> str:
        """Custom attributes; none where SQL from outside has put something else, which must not make it fail."""
        return f"(CASE {self.type_of_json}({custom}) WHEN 'object' THEN {custom} ELSE '{{}}' END)"

    def empty_object(self) -> str:
        """No custom attributes."""
        return "'{}'::jsonb"

    # --- the same for both ----------------------------------------------------------------------------------------

    def entry(self, name: str, old: str, new: str) -> str:
        """One entry; names and texts are SQL."""
        return self.array.format(name=name, old=old, new=new)

    def record_entries(self, model: type[SyncedRecord], old: str | None, new: str | None, *, asked: str = "") -> str:
        """What differs between two rows of a synced model; a row that is not there is None.

        Args:
            asked: the condition that Marketo's IDs are looked at, too.
        """
        return self.joined([self._field_entry(model, field, old, new, asked) for field in watched_fields(model)])

    def _field_entry(self, model: type[SyncedRecord], field: Any, old: str | None, new: str | None, asked: str) -> str:
        if isinstance(field, models.JSONField):
            before, after = (f'{row}."{field.column}"' if row else self.empty_object() for row in (old, new))
            return f"CASE WHEN {self.differs(before, after)} THEN {self.custom_entries(before, after)} END"
        name = f"'{attributes.entry_name(model.KIND, field.name)}'"
        before, after = (self.text(row, field) if row else "''" for row in (old, new))
        if old and new:
            condition = self.differs(f'{old}."{field.column}"', f'{new}."{field.column}"')
            condition += f" AND {asked}" if asked and field.name in ID_FIELDS else ""
        else:
            condition = f"{after if new else before} <> ''"
        return f"CASE WHEN {condition} THEN {self.entry(name, before, after)} END"

    def part_name(self, model: type[models.Model], row: str) -> str:
        """The name under which a cost or tag stands among the values of its program."""
        return f"'{COST_PREFIX}' || {row}.id" if model is ProgramCost else f"'{TAG_PREFIX}' || {row}.type"

    def part_text(self, model: type[models.Model], row: str) -> str:
        """A cost or tag as one line."""
        if model is ProgramTag:
            return f"{row}.value"
        amount = self.decimal(f"{row}.amount", 2)
        line = f"rtrim({self.month(f'{row}.month')} || ' ' || {amount} || ' ' || {row}.note)"
        return f"{line} || coalesce(' ({attributes.COST_ID_WORDS}' || {row}.marketo_cost_id || ')', '')"


class SqliteEditSql(EditSql):
    """Expressions for SQLite."""

    array = "json_array({name}, {old}, {new})"
    type_of_json = "json_type"

    def decimal(self, column: str, places: int) -> str:
        return f"CASE WHEN {column} IS NOT NULL THEN printf('%.{places}f', {column}) END"

    def plain_number(self, column: str, places: int) -> str:
        return f"rtrim(rtrim({self.decimal(column, places)}, '0'), '.')"

    def moment(self, column: str) -> str:
        return f"substr({column}, 1, 10) || 'T' || substr({column}, 12, 8) || '+00:00'"

    def date(self, column: str) -> str:
        return column

    def month(self, column: str) -> str:
        return f"substr({column}, 1, 7)"

    def differs(self, left: str, right: str) -> str:
        return f"{left} IS NOT {right}"

    def joined(self, entries: Sequence[str]) -> str:
        parts = " || ".join(f"coalesce(',' || {entry}, '')" for entry in entries)
        return f"substr({parts}, 2)"

    def listed(self, entries: str) -> str:
        return f"'[' || {entries} || ']'"

    def custom_entries(self, old: str, new: str) -> str:
        old, new = (self.mapping(row) for row in (old, new))
        before, after = (
            f"coalesce((SELECT value FROM json_each({row}) WHERE key = named.key), '')" for row in (old, new)
        )
        return (
            f"(SELECT group_concat({self.array.format(name='named.key', old=before, new=after)}) FROM "
            f"(SELECT key FROM json_each({old}) UNION SELECT key FROM json_each({new})) named "
            f"WHERE {before} <> {after})"
        )

    def empty_object(self) -> str:
        return "'{}'"


def watched_fields(model: type[SyncedRecord]) -> list[Any]:
    """The fields of a synced model whose changes are kept: content, Marketo's IDs, and what is kept for reference."""
    own = [field.name for field in model._meta.concrete_fields]
    reference = ("name", "type", "workspace") if model is Program else ()
    names = [name for name in (*model.content_fields, *reference, *ID_FIELDS) if name in own]
    return [model._meta.get_field(name) for name in names]


def part_fields(model: type[models.Model]) -> list[Any]:
    """The same of costs and tags."""
    names = (*model.content_fields, *(("marketo_cost_id",) if model is ProgramCost else ()))  # type: ignore[attr-defined]
    return [model._meta.get_field(name) for name in names]
