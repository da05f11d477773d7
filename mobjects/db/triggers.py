"""Database triggers that raise ``revision`` on every content change, whichever path it takes.

Forms, imports, bulk statements, other programs: all of them pass through the database, so the
rule lives there. It is generated from each model's ``content_fields`` and laid anew after every
``migrate`` (SQLite drops a table's triggers when a migration rebuilds the table). See
docs/decisions/0010-revision-triggers.md.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from mobjects.models import RECORD_MODELS, ProgramCost, ProgramTag

CHILDREN: dict[type[models.Model], str] = {ProgramCost: "program", ProgramTag: "program"}
"""Child models whose changes count as changes of the parent they point to."""


def install_triggers(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Lay the triggers on a database; receiver of ``post_migrate``.

    Raises:
        NotImplementedError: on a database other than SQLite and PostgreSQL.
    """
    connection = connections[using]
    statements = {"sqlite": _sqlite, "postgresql": _postgresql}.get(connection.vendor)
    if statements is None:
        raise NotImplementedError(f"No revision triggers for {connection.vendor}; use SQLite or PostgreSQL.")
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for statement in statements(connection, existing):
            cursor.execute(statement)


def _sqlite(connection: BaseDatabaseWrapper, existing: set[str]) -> list[str]:
    result = []
    for model, columns in _parents(existing):
        table = model._meta.db_table
        changed = " OR ".join(f'NEW."{column}" IS NOT OLD."{column}"' for column in columns)
        result += [
            f'DROP TRIGGER IF EXISTS "{table}_revision"',
            f"""CREATE TRIGGER "{table}_revision" AFTER UPDATE OF {_listed(columns)} ON "{table}"
            FOR EACH ROW WHEN {changed}
            BEGIN UPDATE "{table}" SET revision = OLD.revision + 1 WHERE id = NEW.id; END""",
        ]
    for model, columns, parent, link in _children(existing):
        table = model._meta.db_table
        changed = " OR ".join(f'NEW."{column}" IS NOT OLD."{column}"' for column in columns)
        for event, when, ids in (
            ("INSERT", "", f'NEW."{link}"'),
            ("UPDATE", f"WHEN {changed} ", f'OLD."{link}", NEW."{link}"'),
            ("DELETE", "", f'OLD."{link}"'),
        ):
            name = f"{table}_parent_{event.lower()}"
            result += [
                f'DROP TRIGGER IF EXISTS "{name}"',
                f"""CREATE TRIGGER "{name}" AFTER {event} ON "{table}" FOR EACH ROW {when}
                BEGIN UPDATE "{parent}" SET revision = revision + 1 WHERE id IN ({ids}); END""",
            ]
    return result


def _postgresql(connection: BaseDatabaseWrapper, existing: set[str]) -> list[str]:
    result = []
    for model, columns in _parents(existing):
        table = model._meta.db_table
        result += _postgresql_trigger(
            table,
            "revision",
            f"BEFORE UPDATE OF {_listed(columns)}",
            f"IF {_distinct(columns)} THEN NEW.revision := OLD.revision + 1; END IF; RETURN NEW;",
        )
    for model, columns, parent, link in _children(existing):
        result += _postgresql_parts(model._meta.db_table, columns, parent, link)
    return result


def _postgresql_parts(table: str, columns: list[str], parent: str, link: str) -> list[str]:
    """Raise each parent once for a statement, not once for each of its rows: a parent's row is written anew each time,
    and every version of it stays until the transaction ends.
    """
    old, new = (f'SELECT "{link}" FROM {rows}' for rows in ("old_rows", "new_rows"))
    moved = (
        f'SELECT unnest(ARRAY[o."{link}", n."{link}"]) FROM old_rows o JOIN new_rows n USING (id) '
        f"WHERE {_distinct(columns, new='n', old='o')}"
    )
    result = [f'DROP TRIGGER IF EXISTS "{table}_parent" ON "{table}"', f'DROP FUNCTION IF EXISTS "{table}_parent"()']
    for event, tables, ids in (
        ("INSERT", "NEW TABLE AS new_rows", new),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows", moved),
        ("DELETE", "OLD TABLE AS old_rows", old),
    ):
        result += _postgresql_trigger(
            table,
            f"parent_{event.lower()}",
            f"AFTER {event}",
            f'UPDATE "{parent}" SET revision = revision + 1 WHERE id IN ({ids}); RETURN NULL;',
            each=f"REFERENCING {tables} FOR EACH STATEMENT",
        )
    return result


def _postgresql_trigger(table: str, suffix: str, event: str, body: str, *, each: str = "FOR EACH ROW") -> list[str]:
    name = f"{table}_{suffix}"
    return [
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$',
        f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
        f'CREATE TRIGGER "{name}" {event} ON "{table}" {each} EXECUTE FUNCTION "{name}"()',
    ]


def _listed(columns: list[str]) -> str:
    """Only statements that set one of them are looked at: sending writes each record twice, and none of these."""
    return ", ".join(f'"{column}"' for column in columns)


def _distinct(columns: list[str], *, new: str = "NEW", old: str = "OLD") -> str:
    after, before = (", ".join(f'{row}."{column}"' for column in columns) for row in (new, old))
    return f"ROW({after}) IS DISTINCT FROM ROW({before})"


def _parents(existing: set[str]) -> list[tuple[type[models.Model], list[str]]]:
    return [
        (model, _columns(model, model.content_fields))
        for model in RECORD_MODELS.values()
        if model._meta.db_table in existing
    ]


def _children(existing: set[str]) -> list[tuple[type[models.Model], list[str], str, str]]:
    result = []
    for model, field_name in CHILDREN.items():
        if model._meta.db_table in existing:
            link: Any = model._meta.get_field(field_name)
            fields = model.content_fields  # type: ignore[attr-defined]  # both children have it
            result.append((model, _columns(model, fields), link.related_model._meta.db_table, link.column))
    return result


def _columns(model: type[models.Model], names: tuple[str, ...]) -> list[str]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [field.column for field in fields]
