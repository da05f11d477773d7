"""Database triggers that keep what every statement changes about records: a row of RecordEdit with old and new values.

Like the triggers of the revision they see every path, and only what really happened. Laid anew after each ``migrate``,
and taken away before it: what a migration does to a table is no edit. See docs/decisions/0051-edits-by-triggers.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from mobjects.db.edit_sql import ID_FIELDS, EditSql, SqliteEditSql, part_fields, watched_fields
from mobjects.models import RECORD_MODELS, EditContext, EditSource, Kind, ProgramCost, ProgramTag, RecordEdit

SETTING = "mobjects.edit"
"""PostgreSQL's setting, for one transaction, that says who edits."""

KEPT_ELSEWHERE = (EditSource.IMPORT, EditSource.IMPORT_UNDO)
"""Sources that write down old and new values by themselves, for a hundred thousand records at once."""

_PARTS = (ProgramCost, ProgramTag)
_EDITS, _CONTEXT = RecordEdit._meta.db_table, EditContext._meta.db_table
_COLUMNS = "kind, record_id, changes, source, username, reference, saving, created_at"
_EVENTS = ("insert", "update", "delete")
_ELSEWHERE = ", ".join(f"'{source.value}'" for source in KEPT_ELSEWHERE)

Change = tuple[str, str, str]
"""SQL of what one trigger notes: our id of the record, its list of entries, the condition on the row."""


def install_edit_triggers(sender: AppConfig | None, using: str, **kwargs: Any) -> None:
    """Lay the triggers on a database; receiver of ``post_migrate``.

    Raises:
        KeyError: on a database other than SQLite and PostgreSQL.
    """
    connection = connections[using]
    lay = {"sqlite": _sqlite, "postgresql": _postgresql}[connection.vendor]
    if {_EDITS, _CONTEXT} <= set(connection.introspection.table_names()):
        _execute(connection, [*_drop(connection), *lay()])


def remove_edit_triggers(sender: AppConfig | None, using: str, plan: Any = (), **kwargs: Any) -> None:
    """Take the triggers away before migrations; receiver of ``pre_migrate``."""
    if plan:
        connection = connections[using]
        _execute(connection, list(_drop(connection)))


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _drop(connection: BaseDatabaseWrapper) -> Iterator[str]:
    existing = set(connection.introspection.table_names())
    for model, *_noted in _models():
        table = model._meta.db_table
        for event in _EVENTS:
            if connection.vendor == "sqlite":
                yield f'DROP TRIGGER IF EXISTS "{table}_edit_{event}"'
            elif table in existing:
                yield f'DROP TRIGGER IF EXISTS "{table}_edit_{event}" ON "{table}"'


# --- what is noted ------------------------------------------------------------------------------------------------


def _record_change(sql: EditSql, model: Any, event: str, old: str, new: str, asked: str) -> list[Change]:
    """What a trigger of a synced model notes."""
    before, after = (None if event == "insert" else old), (None if event == "delete" else new)
    entries = sql.record_entries(model, before, after, asked=asked)
    return [(f"{after or before}.id", entries, "")]


def _part_changes(sql: EditSql, model: Any, event: str, old: str, new: str, asked: str) -> list[Change]:
    """What a trigger of costs or tags notes: one that moves is gone from one program, and new in another."""
    program = '"program_id"'
    names = {row: sql.part_name(model, row) for row in (old, new)}
    texts = {row: sql.part_text(model, row) for row in (old, new)}
    gone: Change = (f"{old}.{program}", sql.entry(names[old], texts[old], "''"), "")
    come: Change = (f"{new}.{program}", sql.entry(names[new], "''", texts[new]), "")
    if event != "update":
        return [come if event == "insert" else gone]
    same = f"{old}.{program} = {new}.{program} AND {names[old]} = {names[new]}"
    content = _distinct(sql, model.content_fields, model, old, new)
    changed = f"({content} OR {asked})" if model is ProgramCost else content
    return [
        (come[0], sql.entry(names[new], texts[old], texts[new]), f"{same} AND {changed}"),
        (gone[0], gone[1], f"NOT ({same})"),
        (come[0], come[1], f"NOT ({same})"),
    ]


def _distinct(sql: EditSql, names: Any, model: type[models.Model], old: str, new: str) -> str:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    compared = (sql.differs(f'{new}."{field.column}"', f'{old}."{field.column}"') for field in fields)
    return f"({' OR '.join(compared)})"


def _models() -> Iterator[tuple[Any, str, Any, list[str]]]:
    """Each model with the kind of its records, what is noted of it, and the names of the fields that count."""
    for kind, model in RECORD_MODELS.items():
        yield model, kind.value, _record_change, [field.name for field in watched_fields(model)]
    for part in _PARTS:
        yield part, Kind.PROGRAM.value, _part_changes, [field.name for field in part_fields(part)]


def _noted(sql: EditSql, model: type[models.Model], names: Sequence[str], by_somebody: str) -> str:
    """When an updated record is looked at: its content differs, or an id does that somebody gave it. An id that comes
    with an answer is in the history of what was sent, and looking at every field for that takes longer than saving it.
    """
    content, ids = ([name for name in names if (name in ID_FIELDS) is asked] for asked in (False, True))
    ids_differ = f"{_distinct(sql, ids, model, 'OLD', 'NEW')} AND {by_somebody}"
    return f"{_distinct(sql, content, model, 'OLD', 'NEW')} OR ({ids_differ})"


# --- SQLite -------------------------------------------------------------------------------------------------------


def _sqlite() -> list[str]:
    sql = SqliteEditSql()
    kept = f"NOT EXISTS (SELECT 1 FROM {_CONTEXT} WHERE source IN ({_ELSEWHERE}))"
    result = []
    for model, kind, changes_of, names in _models():
        table = model._meta.db_table
        differs = _distinct(sql, names, model, "OLD", "NEW")
        if changes_of is _record_change:
            differs = _noted(sql, model, names, f"EXISTS (SELECT 1 FROM {_CONTEXT} WHERE id = 1)")
        when = {"update": f"({differs}) AND "}
        columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in names)
        of = {"update": f" OF {columns}"}
        for event in _EVENTS:
            inserts = "; ".join(
                _sqlite_insert(sql, kind, change)
                for change in changes_of(sql, model, event, "OLD", "NEW", "c.id IS NOT NULL")
            )
            result.append(
                f'CREATE TRIGGER "{table}_edit_{event}" AFTER {event.upper()}{of.get(event, "")} ON "{table}" '
                f"FOR EACH ROW WHEN {when.get(event, '')}{kept} BEGIN {inserts}; END"
            )
    return result


def _sqlite_insert(sql: EditSql, kind: str, change: Change) -> str:
    record_id, entries, condition = change
    return (
        f"INSERT INTO {_EDITS} ({_COLUMNS}) SELECT '{kind}', record_id, {sql.listed('entries')}, "
        f"coalesce(source, '{EditSource.OTHER.value}'), coalesce(username, ''), coalesce(reference, ''), saving, "
        f"strftime('%Y-%m-%d %H:%M:%f', 'now') FROM (SELECT {record_id} AS record_id, {entries} AS entries, "
        f"c.source, c.username, c.reference, c.saving FROM (SELECT 1) one LEFT JOIN {_CONTEXT} c ON c.id = 1 "
        f"WHERE {condition or 'true'}) WHERE entries <> ''"
    )


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def _postgresql() -> list[str]:
    sql = EditSql()
    result = []
    for model, kind, changes_of, names in _models():
        table, differs = model._meta.db_table, _distinct(sql, names, model, "o", "n")
        rows = {
            "insert": ("NEW TABLE AS new_rows", "new_rows n"),
            "update": (
                "OLD TABLE AS old_rows NEW TABLE AS new_rows",
                f"old_rows o JOIN new_rows n ON n.id = o.id AND {differs}",
            ),
            "delete": ("OLD TABLE AS old_rows", "old_rows o"),
        }
        if changes_of is _record_change:
            del rows["update"]
            changes = changes_of(sql, model, "update", "OLD", "NEW", "context IS NOT NULL")
            result += _postgresql_trigger(
                sql, table, kind, "update", changes, "(SELECT 1) one", _row(sql, model, names)
            )
        for event, (tables, source) in rows.items():
            changes = changes_of(sql, model, event, "o", "n", "context IS NOT NULL")
            fires = f'AFTER {event.upper()} ON "{table}" REFERENCING {tables} FOR EACH STATEMENT'
            result += _postgresql_trigger(sql, table, kind, event, changes, source, fires)
    return result


def _row(sql: EditSql, model: Any, names: list[str]) -> str:
    """When the trigger of an updated record fires: row by row, since sending writes each record twice and changes none
    of what is noted, and tables of old and new rows are made for each statement, whatever it changes.
    """
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in names)
    when = _noted(sql, model, names, f"coalesce(current_setting('{SETTING}', true), '') <> ''")
    return f'AFTER UPDATE OF {columns} ON "{model._meta.db_table}" FOR EACH ROW WHEN ({when})'


def _postgresql_trigger(
    sql: EditSql, table: str, kind: str, event: str, changes: list[Change], rows: str, fires: str
) -> list[str]:
    name = f"{table}_edit_{event}"
    body = "; ".join(_postgresql_insert(sql, kind, change, rows) for change in changes)
    return [
        (
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ '
            f"DECLARE context jsonb := nullif(current_setting('{SETTING}', true), '')::jsonb; BEGIN "
            f"IF context ->> 'source' IN ({_ELSEWHERE}) THEN RETURN NULL; END IF; {body}; RETURN NULL; END $$"
        ),
        f'CREATE TRIGGER "{name}" {fires} EXECUTE FUNCTION "{name}"()',
    ]


def _postgresql_insert(sql: EditSql, kind: str, change: Change, rows: str) -> str:
    record_id, entries, condition = change
    said = ", ".join(f"coalesce(context ->> '{name}', '')" for name in ("username", "reference"))
    return (
        f"INSERT INTO {_EDITS} ({_COLUMNS}) SELECT '{kind}', record_id, {sql.listed('entries')}, "
        f"coalesce(context ->> 'source', '{EditSource.OTHER.value}'), {said}, (context ->> 'saving')::uuid, "
        f"clock_timestamp() FROM (SELECT {record_id} AS record_id, {entries} AS entries FROM {rows} "
        f"WHERE {condition or 'true'} ORDER BY {record_id}) changed WHERE entries <> ''"
    )
