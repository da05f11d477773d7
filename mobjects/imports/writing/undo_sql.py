"""The statements of an undo: which changes can be taken back, and taking them back. The same for both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_noop as _

from mobjects.imports.writing.commit_sql import CHANGES, CHUNK_TABLE, ImportSql, empty_chunk
from mobjects.imports.writing.target_tables import MARKETO_ID_FIELDS, ImportTarget, execute_sql, quote_name
from mobjects.models import CustomField, Opportunity, Program, ProgramCost
from mobjects.models.program import COST_PREFIX
from mobjects.models.synced_record import RecordStatus

REASONS = {
    "gone": _("was deleted since"),
    "parts": _("has parts or roles that came since"),
    "marketo": _("is in Marketo by now, or is being sent"),
    "changed": _("was changed since"),
    "link": _("what it belonged to was deleted since"),
    "field": _("held a value of a custom field that was deleted since"),
}
"""Why a change is left alone, by the names that statements give."""
KEPT_ID = _("The Marketo ID stays, because the record was sent to Marketo since.")

_CUSTOM_FIELDS = CustomField._meta.db_table
_IN_MARKETO = ", ".join(
    f"'{status.value}'" for status in (RecordStatus.CREATED, RecordStatus.UPDATED, RecordStatus.UNCHANGED)
)


class UndoSql(ImportSql):
    """Takes back changes of one import.

    Args:
        imported_id: the import.
        target: what its rows were written to.
    """

    def __init__(self, imported_id: int, target: ImportTarget) -> None:
        super().__init__(imported_id, target)
        sets_owner = target.parts is not None
        # A change of something that the record of parts holds itself names no part.
        self._changed_id = "x.owner_id" if sets_owner else "x.record_id"
        self._mine = "x.record_id IS NULL" if sets_owner else "x.record_id IS NOT NULL"

    def lock_records(self, first: int, last: int) -> None:
        """Hold the records, owners first, in the order of ids."""
        if self.sqlite:
            return
        tables = [(self.target.parent_sql, "owner_id")] if self.target.is_part else []
        for table, column in (*tables, (self.target.table_sql, "record_id")):
            execute_sql(
                f"SELECT count(*) FROM (SELECT id FROM {table} WHERE id IN (SELECT {column} FROM {CHANGES} "  # noqa: S608
                "WHERE imported_id = %s AND number BETWEEN %s AND %s) ORDER BY id FOR UPDATE) held",
                *self._bounds(first, last),
            )

    def verdicts_query(self, first: int, last: int) -> tuple[str, list[Any]]:
        """A query of the changes that were not dealt with yet, and its parameters.

        Its columns: id, number, owner_id, created, ``reason``, one of ``REASONS`` or ``''`` if it can be undone, and
        ``keeps_id``: whether a Marketo ID that the file brought has to stay.
        """
        cases = [
            (f"{self.target.table_sql}.id IS NULL", "gone"),
            *([(f"x.created AND ({self._has_children()})", "parts")] if self._children() else []),
            (f"x.created AND ({self._arrived()})", "marketo"),
            (self._changed(), "changed"),
            *([(f"NOT x.created AND ({self._unlinked()})", "link")] if self.target.link else []),
            *((f"NOT x.created AND {self._undefined(field)}", "field") for field in self._custom_attributes()),
        ]
        reason = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name in cases)
        query = (
            f"SELECT x.id, x.number, x.owner_id, x.created, CASE {reason} ELSE '' END AS reason, "
            f"{self._keeps_id()} AS keeps_id {self._joined()} "
            f"WHERE {self._mine} AND x.imported_id = %s AND x.number BETWEEN %s AND %s AND x.undone = ''"
        )
        return query, list(self._bounds(first, last))

    def save_verdicts(self, first: int, last: int) -> None:
        """Write down what becomes of each change. Nothing is taken back yet."""
        statement, params = self.verdicts_query(first, last)
        notes = " ".join(f"WHEN v.reason = '{code}' THEN '{words}'" for code, words in REASONS.items())
        notes += f" WHEN v.keeps_id THEN '{KEPT_ID}'"
        outcome = "CASE WHEN v.reason <> '' THEN 'left' WHEN v.created THEN 'removed' ELSE 'restored' END"
        source = f"SELECT v.id, {outcome} AS undone, CASE {notes} ELSE '' END AS note FROM ({statement}) v"  # noqa: S608
        if self.sqlite:
            self._save_verdicts_sqlite(source, params, first, last)
        else:
            execute_sql(
                f"UPDATE {CHANGES} SET undone = j.undone, undone_note = j.note FROM ({source}) j "  # noqa: S608
                f"WHERE {CHANGES}.id = j.id",
                *params,
            )

    def _save_verdicts_sqlite(self, source: str, params: list[Any], first: int, last: int) -> None:
        table = "temp.mobjects_judged"
        execute_sql(
            f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, undone TEXT NOT NULL, note TEXT NOT NULL)"
        )
        execute_sql(f"DELETE FROM {table}")  # noqa: S608
        execute_sql(f"INSERT INTO {table} (id, undone, note) {source}", *params)
        execute_sql(
            f"UPDATE {CHANGES} SET (undone, undone_note) = (SELECT j.undone, j.note FROM {table} j "  # noqa: S608
            f"WHERE j.id = {CHANGES}.id) WHERE id IN (SELECT id FROM {table})"
        )

    def remove_created(self, first: int, last: int) -> None:
        """Delete the created records that are to be removed."""
        execute_sql(
            f"DELETE FROM {self.target.table_sql} WHERE id IN (SELECT record_id FROM {CHANGES} WHERE imported_id = %s "  # noqa: S608
            "AND number BETWEEN %s AND %s AND undone = 'removed')",
            *self._bounds(first, last),
        )

    def restore_changed(self, first: int, last: int, now: datetime) -> None:
        """Give the changed records back what they held."""
        names, values = self._assigned()
        picked = (
            f"SELECT x.imported_id, {self._changed_id} AS record_id, x.number, x.revision FROM {CHANGES} x "  # noqa: S608
            f"WHERE {self._mine} AND x.imported_id = %s AND x.number BETWEEN %s AND %s AND x.undone = 'restored'"
        )
        modified: Any = [] if self.target.is_part else [self.target.modified_value(now)]
        sets = "" if self.target.is_part else ", modified_at = %s"
        table, bounds = self.target.table_sql, self._bounds(first, last)
        if self.sqlite:
            empty_chunk()
            execute_sql(f"INSERT INTO {CHUNK_TABLE} (imported_id, record_id, number, revision) {picked}", *bounds)
            rows = f"{CHUNK_TABLE} x {self.dialect.join_row()}"
            execute_sql(
                f"UPDATE {table} SET ({', '.join(names)}) = (SELECT {', '.join(values)} FROM {rows} "  # noqa: S608
                f"WHERE x.record_id = {table}.id){sets} WHERE id IN (SELECT record_id FROM {CHUNK_TABLE})",
                *modified,
            )
            return
        assigned = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        execute_sql(
            f"UPDATE {table} SET {assigned}{sets} FROM ({picked}) x {self.dialect.join_row()} "  # noqa: S608
            f"WHERE {table}.id = x.record_id",
            *modified,
            *bounds,
        )

    # --- parts of statements -----------------------------------------------------------------------------------

    def _joined(self) -> str:
        table = self.target.table_sql
        owner = f" LEFT JOIN {self.target.parent_sql} p ON p.id = x.owner_id" if self.target.is_part else ""
        return f"FROM {CHANGES} x {self.dialect.join_row()} LEFT JOIN {table} ON {table}.id = {self._changed_id}{owner}"

    def _assigned(self) -> tuple[list[str], list[str]]:
        names, values = [], []
        for field in self.target.file_fields:
            has = self.dialect.has_field("r.old", field)
            if field.name in MARKETO_ID_FIELDS:
                has = f"({has} AND NOT ({self._sent()}))"
            names.append(quote_name(field.column))
            old, now = self.dialect.stored_value("r.old", field), self.target.column_sql(field)
            values.append(f"CASE WHEN {has} THEN {old} ELSE {now} END")
        return names, values

    def _sent(self) -> str:
        """Whether a changed record was sent since, so that an ID from the file is not taken away any more."""
        if not self.target.is_part:
            return self._synced(self.target.table_sql)
        owner = f"SELECT 1 FROM {self.target.parent_sql} p WHERE p.id = {self.target.owner_id_sql}"  # noqa: S608
        return f"EXISTS ({owner} AND (p.synced_revision >= x.revision OR {_under_way('p')}))"

    def _keeps_id(self) -> str:
        ids = [field for field in self.target.file_fields if field.name in MARKETO_ID_FIELDS]
        brought = " OR ".join(self.dialect.has_field("r.old", field) for field in ids)
        return f"NOT x.created AND ({brought}) AND {self._sent()}" if ids else "x.id IS NULL"

    def _synced(self, table: str) -> str:
        return f"({table}.synced_revision > 0 OR {table}.last_status IN ({_IN_MARKETO}) OR {_under_way(table)})"

    def _arrived(self) -> str:
        """Whether a created record came to Marketo, or may have."""
        # An ID that the file itself brought tells nothing: what it names was in Marketo before, and stays there.
        ids = [
            (field, self.target.column_sql(field))
            for field in self.target.file_fields
            if field.name in MARKETO_ID_FIELDS
        ]
        conditions = [
            f"({at} IS NOT NULL AND NOT {self.dialect.equals_value(field, at, 'r.data')})" for field, at in ids
        ]
        if not self.target.is_part:
            return " OR ".join([*conditions, self._synced(self.target.table_sql)])
        table = self.target.table_sql
        key = f"'{COST_PREFIX}' || {table}.id" if self.target.model is ProgramCost else f"'Tag ' || {table}.type"
        return " OR ".join([*conditions, self.dialect.has_key("p.accepted", key), _under_way("p")])

    def _has_children(self) -> str:
        """Whether a created record has parts or roles; those this import could have created are no others."""
        table = self.target.table_sql
        return " OR ".join(
            f"EXISTS (SELECT 1 FROM {quote_name(child)} child WHERE child.{quote_name(column)} = {table}.id)"  # noqa: S608
            for child, column in self._children()
        )

    def _children(self) -> list[tuple[str, str]]:
        if self.target.model not in (Opportunity, Program):
            return []
        relations: list[Any] = [
            relation for relation in self.target.model._meta.related_objects if relation.on_delete is models.CASCADE
        ]
        return [(relation.related_model._meta.db_table, relation.field.column) for relation in relations]

    def _changed(self) -> str:
        """Whether a record is no longer as the import left it.

        A record's revision tells that of its content; of a part, whose program has many, each field is compared, and so
        is what a row of parts set of the program itself.
        """
        by_fields = self.target.is_part or self.target.parts is not None
        content = () if by_fields else self.target.model.content_fields  # type: ignore[attr-defined]
        conditions = [] if by_fields else [f"{self.target.table_sql}.revision <> x.revision"]
        for field in self.target.file_fields:
            if field.name not in content:
                same = self.dialect.equals_value(field, self.target.column_sql(field), "r.data")
                conditions.append(f"({self.dialect.has_field('r.data', field)} AND NOT {same})")
        return " OR ".join(conditions)

    def _unlinked(self) -> str:
        linked = self.target.link_field
        parent_id = self.dialect.typed_value("r.old", linked)
        parent = f"SELECT 1 FROM {self.target.parent_sql} linked WHERE linked.id = {parent_id}"  # noqa: S608
        return f"{self.dialect.has_field('r.old', linked)} AND NOT EXISTS ({parent})"

    def _custom_attributes(self) -> list[Any]:
        return [field for field in self.target.file_fields if field.name == "custom_attributes"]

    def _undefined(self, field: Any) -> str:
        """Whether a record would get a value back that no form lets it keep: its custom field is not there any more."""
        defined = f"SELECT name FROM {_CUSTOM_FIELDS} WHERE kind = '{self.target.owner.value}'"  # noqa: S608
        here = self.dialect.has_key(self.target.column_sql(field), "held.key")
        return (
            f"EXISTS (SELECT 1 FROM {self.dialect.keys_of('r.old', field)} "  # noqa: S608
            f"WHERE held.key NOT IN ({defined}) AND NOT {here})"
        )


def _under_way(table: str) -> str:
    """Whether a synced record is in a batch, or was in one whose outcome is unknown."""
    return f"({table}.claimed_by_id IS NOT NULL OR {table}.unknown_since IS NOT NULL)"
