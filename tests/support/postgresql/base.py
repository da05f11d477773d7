"""Emptying by DELETE where there is something to delete.

TRUNCATE makes new files for every table and each of its indexes, filled or not: for our tables 0.3 s, on a busy machine
more than 1 s, after each test that commits. Tests fill a few tables with a few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, operations

_KEPT = "django_migrations"
# With replica neither triggers nor foreign keys look at what is deleted: the rows that they would keep go as well.
_EMPTY_FILLED_TABLES = f"""
DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> '{_KEPT}' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


class QuickFlushOperations(operations.DatabaseOperations):
    """Deletes rows instead of making every table anew, where the user may switch triggers off."""

    def sql_flush(
        self, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        """One statement that empties what is filled; Django's own where sequences begin anew or rights are missing."""
        if reset_sequences or not tables or not self._may_silence_triggers():
            return super().sql_flush(style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        return [_EMPTY_FILLED_TABLES]

    def _may_silence_triggers(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
            return bool(cursor.fetchone()[0])


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with :class:`QuickFlushOperations`."""

    ops_class = QuickFlushOperations
