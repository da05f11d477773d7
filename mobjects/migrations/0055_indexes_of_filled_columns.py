"""Columns that are empty in most rows are indexed where they are filled: a new record is written into two indexes less.

Only on PostgreSQL, whose planner sees that what is asked for is filled. Django has no word for it in a field's own index, and
SQLite would not see it of a text, so the models stay as they are. Marketo's IDs keep whole ones: lists are sorted by them.
"""

from typing import Any

from django.db import migrations, transaction

FILLED = {
    "claimed_by_id": "IS NOT NULL",
    "last_status": "<> ''",
}
TABLES = ("mobjects_opportunity", "mobjects_opportunitypersonrole", "mobjects_program")
WHOLE = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = %s::regclass AND i.indnatts = 1 AND a.attname = %s AND i.indpred IS NULL AND i.indisvalid
"""


def narrow_indexes(apps: Any, schema_editor: Any) -> None:
    """Make them anew, under their names, while others read and write. What an interrupted run left undone the next one does."""
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            for column, filled in FILLED.items():
                _narrow(schema_editor, table, column, f'"{column}" {filled}')


def _narrow(schema_editor: Any, table: str, column: str, condition: str) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(WHOLE, [table, column])
        found = cursor.fetchall()
    for (name,) in found:
        kept, new = name.removesuffix("_old"), f"{name}_new"
        if name == kept:
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{new}"')
            schema_editor.execute(f'CREATE INDEX CONCURRENTLY "{new}" ON "{table}" ("{column}") WHERE {condition}')
            with transaction.atomic(schema_editor.connection.alias):
                schema_editor.execute(f'ALTER INDEX "{name}" RENAME TO "{kept}_old"')
                schema_editor.execute(f'ALTER INDEX "{new}" RENAME TO "{name}"')
        # Only so does nobody wait who reads or writes the table.
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{kept}_old"')


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("mobjects", "0054_errors_by_index"),
    ]

    operations = [
        migrations.RunPython(narrow_indexes, migrations.RunPython.noop),
    ]
