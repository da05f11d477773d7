"""The tables in which texts are searched on PostgreSQL, with their trigram index, and the triggers that keep them.

The index is not on the records: each writing of a record, whatever it changes, would have to write all its trigrams
anew, and sending writes each record twice. See docs/decisions/0054-search-tables.md.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError, connections, models, transaction

from mobjects.db.text_search import SEARCHED, search_table

PENDING_KILOBYTES = 16 * 1024
"""So much is put aside before it is worked into the index: cheaper for imports, and still quickly read through."""


def install_search_tables(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Lay and fill them on a PostgreSQL, where they are missing; receiver of ``post_migrate``.

    A role that may not create the extension ``pg_trgm`` gets no index: searching finds the same, by reading the whole
    search table, until somebody creates the extension and ``migrate`` runs again.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model, columns in SEARCHED.items():
            if model._meta.db_table in existing:
                with transaction.atomic(using):  # So that no record is missed between its triggers and its filling.
                    for statement in _statements(model, columns.text, search_table(model) in existing):
                        cursor.execute(statement)
        try:
            with transaction.atomic(using):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        for model in SEARCHED:
            if model._meta.db_table in existing:
                table = search_table(model)
                cursor.execute(
                    f'CREATE INDEX IF NOT EXISTS "{table}_text" ON "{table}" USING gin (text gin_trgm_ops) '
                    f"WITH (gin_pending_list_limit = {PENDING_KILOBYTES})"
                )


def _statements(model: type[models.Model], names: tuple[str, ...], exists: bool) -> list[str]:
    """What lays one table with its triggers, and fills it if it did not exist."""
    table, search = model._meta.db_table, search_table(model)
    columns = [model._meta.get_field(name).column for name in names]  # type: ignore[union-attr]
    quoted = [f'"{column}"' for column in columns]
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in quoted)
    insert = f'INSERT INTO "{search}" SELECT id, {_text(quoted)} FROM'
    upsert = "ON CONFLICT (id) DO UPDATE SET text = EXCLUDED.text"
    # Ids beyond all known ones are new: nothing to look for, which takes a fifth of writing them.
    known = f'(SELECT coalesce(max(id), 0) FROM "{search}")'
    either = (
        f"IF (SELECT min(id) FROM new_rows) > {known} THEN {insert} new_rows; ELSE {insert} new_rows {upsert}; END IF"
    )
    mended = _text([f"NEW.{column}" for column in quoted])
    events = (
        ("insert", "INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", either),
        (
            "update",
            f"UPDATE OF {', '.join(quoted)}",
            f"FOR EACH ROW WHEN ({changed})",
            f'UPDATE "{search}" SET text = {mended} WHERE id = NEW.id',
        ),
        (
            "delete",
            "DELETE",
            "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
            f'DELETE FROM "{search}" WHERE id IN (SELECT id FROM old_rows)',
        ),
        ("truncate", "TRUNCATE", "FOR EACH STATEMENT", f'TRUNCATE "{search}"'),
    )
    result = [f'CREATE TABLE IF NOT EXISTS "{search}" (id bigint PRIMARY KEY, text text NOT NULL)']
    for suffix, event, each, body in events:
        name, code = f"{search}_{suffix}", f"BEGIN {body}; RETURN NULL; END"
        result += [
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ {code} $$',
            f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
            f'CREATE TRIGGER "{name}" AFTER {event} ON "{table}" {each} EXECUTE FUNCTION "{name}"()',
        ]
    return result if exists else [*result, f'{insert} "{table}" {upsert}']


def _text(columns: list[str]) -> str:
    """What is searched, in SQL; a blank before each part, as a short word is searched where a word begins."""
    parts = ", ' ', ".join(columns)
    return f"UPPER(concat(' ', {parts}))"
