"""Database triggers that guard the history: they refuse to change or remove what is finished, note what the door
(:mod:`mobjects.audit.door`) lets through of it, and refuse to change or remove a link of the chain.

Laid anew after each ``migrate``, and taken away before it, as those of edits are. What is not finished (a batch that is
still being sent, a result that waits for its answer) is changed and removed freely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from mobjects.audit.door import SETTING
from mobjects.audit.history_tables import TABLES, HistoryTable
from mobjects.models import HistoryChange, HistoryDoor, HistorySeal, SealKind

PREFIX = "history_guard"
MESSAGE = "The chain over the history is kept as it is: no link of it is changed or removed."
LOCKED = "Finished history is kept as it is: no {name} is changed or removed but by retention and erasure."
FUNCTION = f"mobjects_{PREFIX}"

_CHANGES, _DOOR, _SEALS = (model._meta.db_table for model in (HistoryChange, HistoryDoor, HistorySeal))


def install_guard_triggers(sender: AppConfig | None, using: str, **kwargs: Any) -> None:
    """Lay the triggers on a database, if they are not there yet; receiver of ``post_migrate``."""
    connection = connections[using]
    if not {_CHANGES, _DOOR, _SEALS} <= set(connection.introspection.table_names()):
        return
    wanted = dict(_statements(connection.vendor))
    there = _find_triggers(connection)
    if set(wanted) == set(there):
        return
    with connection.cursor() as cursor:
        for name, table in there.items():
            cursor.execute(_drop(connection, name, table))
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
        for statement in wanted.values():
            cursor.execute(statement)


def remove_guard_triggers(sender: AppConfig | None, using: str, plan: Any = True, **kwargs: Any) -> None:
    """Take the triggers away; receiver of ``pre_migrate``, which does so if there is anything to migrate."""
    if plan:
        connection = connections[using]
        with connection.cursor() as cursor:
            for name, table in _find_triggers(connection).items():
                cursor.execute(_drop(connection, name, table))


def _find_triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that there are, with their tables."""
    query = {
        "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
        "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE %s",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(query, [f"{PREFIX}_%"])
        return {name: table.strip('"') for name, table in cursor.fetchall()}


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
    return f'DROP TRIGGER IF EXISTS "{name}"{on}'


def _statements(vendor: str) -> Iterator[tuple[str, str]]:
    """Each trigger by its name, which changes with its text."""
    make = {"sqlite": _sqlite, "postgresql": _postgresql}[vendor]
    for table in TABLES.values():
        yield from (_named(text) for text in make(table))
    for event in ("UPDATE", "DELETE"):
        yield _named(_seal_guard(vendor, event))


def _named(text: str) -> tuple[str, str]:
    name = f"{PREFIX}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return name, text.replace("{name}", name)


def _seal_guard(vendor: str, event: str) -> str:
    """A link of the chain is never changed or removed, by retention neither."""
    if vendor == "sqlite":
        return (
            f'CREATE TRIGGER "{{name}}" BEFORE {event} ON "{_SEALS}" FOR EACH ROW '
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
    return (
        f'CREATE TRIGGER "{{name}}" BEFORE {event} ON "{_SEALS}" FOR EACH ROW '
        f"EXECUTE FUNCTION {FUNCTION}('seal', 'never')"
    )


# --- SQLite -------------------------------------------------------------------------------------------------------


def _sqlite(table: HistoryTable) -> Iterator[str]:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _columns(table))
    ended = table.ended.format(row="OLD") or "true"
    door = f"EXISTS (SELECT 1 FROM {_DOOR})"
    for event, when, what in (("UPDATE", changed, SealKind.CHANGED), ("DELETE", "true", SealKind.REMOVED)):
        fires = f'ON "{table.table}" FOR EACH ROW WHEN ({when})'
        yield (
            f'CREATE TRIGGER "{{name}}" BEFORE {event} {fires} AND ({ended}) AND NOT {door} BEGIN '
            f"SELECT RAISE(ABORT, '{LOCKED.format(name=table.name)}'); END"
        )
        yield (
            f'CREATE TRIGGER "{{name}}" AFTER {event} {fires} AND {door} BEGIN '
            f"INSERT INTO {_CHANGES} (\"table\", row_key, what) VALUES ('{table.name}', OLD.id, '{what.value}'); END"
        )


# --- PostgreSQL ---------------------------------------------------------------------------------------------------

_POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF TG_ARGV[0] = 'seal' THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END IF;
IF TG_LEVEL = 'ROW' THEN
  RAISE EXCEPTION '{LOCKED.format(name="%")}', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END IF;
EXECUTE 'INSERT INTO {_CHANGES} ("table", row_key, what) SELECT $1, string_agg(id::text, '',''), $2 FROM ('
  || TG_ARGV[2] || ') AS noted HAVING count(*) > 0' USING TG_ARGV[0], TG_ARGV[1];
RETURN NULL;
END $$
"""


def _postgresql(table: HistoryTable) -> Iterator[str]:
    """What is refused is refused row by row; what goes through the door is noted once for each statement: that costs
    half as much as a note for each row, and leaves no dead row of each to be read past.
    """
    ended = table.ended.format(row="OLD") or "true"
    opened = f"coalesce(current_setting('{SETTING}', true), '') <> ''"
    columns = ", ".join(f'"{column}"' for column in _columns(table))
    changed = "SELECT was.id FROM was LEFT JOIN became USING (id) WHERE became.id IS NULL OR " + _differs(
        table, "became", "was"
    )
    for event, when, what, rows, keys in (
        (f"UPDATE OF {columns}", _differs(table, "NEW", "OLD"), SealKind.CHANGED, "NEW TABLE AS became", changed),
        ("DELETE", "true", SealKind.REMOVED, "", "SELECT id FROM was"),
    ):
        yield (
            f'CREATE TRIGGER "{{name}}" BEFORE {event} ON "{table.table}" FOR EACH ROW '
            f"WHEN ({ended} AND NOT ({opened}) AND ({when})) EXECUTE FUNCTION {FUNCTION}('{table.name}')"
        )
        yield (
            f'CREATE TRIGGER "{{name}}" AFTER {event.split()[0]} ON "{table.table}" '
            f"REFERENCING OLD TABLE AS was {rows} FOR EACH STATEMENT WHEN ({opened}) "
            f"EXECUTE FUNCTION {FUNCTION}('{table.name}', '{what.value}', '{keys}')"
        )


def _differs(table: HistoryTable, new: str, old: str) -> str:
    """SQL that a sealed column of two rows is not the same."""
    return " OR ".join(f'{new}."{column}" IS DISTINCT FROM {old}."{column}"' for column in _columns(table))


def _columns(table: HistoryTable) -> list[str]:
    """The columns in the database."""
    by_name: dict[str, Any] = {field.attname: field for field in table.model._meta.concrete_fields}
    return [by_name[name].column for name in table.columns]
