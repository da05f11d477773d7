"""The statements that write a chunk of a checked file, straight from what the check found in its rows.

The database does the work: nothing of a row passes through Python. Both databases go through the same steps; how
a text in JSON becomes a value of a column is a matter of :mod:`mobjects.imports.writing.sql_dialects`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from mobjects.imports.writing.sql_dialects import ROWS, SqlDialect, get_dialect
from mobjects.imports.writing.target_tables import (
    MARKETO_ID_FIELDS,
    TIMESTAMP_FIELDS,
    ImportTarget,
    execute_sql,
    quote_name,
    targets_of_kind,
)
from mobjects.models import ImportChange, ImportRowOutcome, ProgramCost

CHANGES = ImportChange._meta.db_table
CHUNK_TABLE = "temp.mobjects_chunk"
"""Where SQLite notes the records of a chunk."""
_MEMORY = "32MB"
"""PostgreSQL puts more than that of a chunk into files; its own limit is 4 MB, and 5,000 rows need some more."""
_UNLESS_THERE = " ON CONFLICT DO NOTHING"


class ImportSql:
    """What the statements of a commit and those of an undo have in common.

    Args:
        imported_id: the import.
        target: what its rows are written to.
    """

    def __init__(self, imported_id: int, target: ImportTarget) -> None:
        self.imported_id = imported_id
        self.target = target
        self.sqlite = connection.vendor == "sqlite"
        self.dialect: SqlDialect = get_dialect()

    def rows_sql(self, condition: str) -> str:
        """The import's rows within bounds (three parameters) as ``r``; of other targets than the file's first its own.

        Rows that set something of the record that parts belong to have that record's id here.

        Args:
            condition: on their outcome.
        """
        rows, parts = self.dialect.rows_sql(condition), self.target.parts
        if parts is None:
            return rows
        owner = self.dialect.typed_value("data", parts.link_field)
        mine = " OR ".join(self.dialect.has_field("data", field) for field in self.target.file_fields)
        return (
            f"(SELECT number, outcome, {owner} AS record_id, data, old FROM {rows} "  # noqa: S608
            f"WHERE record_id IS NULL AND ({mine})) r"
        )

    def _bounds(self, first: int, last: int) -> tuple[int, int, int]:
        return self.imported_id, first, last


class CommitSql(ImportSql):
    """Writes the rows of one import. This one is for PostgreSQL.

    Args:
        overwrite: whether rows in conflict are written, too.
    """

    def __init__(self, imported_id: int, target: ImportTarget, *, overwrite: bool) -> None:
        super().__init__(imported_id, target)
        changing = [ImportRowOutcome.CHANGED, *([ImportRowOutcome.CONFLICT] if overwrite else [])]
        self.changing = f"outcome IN ({', '.join(repr(outcome.value) for outcome in changing)})"
        self.new = f"outcome = '{ImportRowOutcome.NEW.value}'"

    def hold_in_memory(self) -> None:
        """Let the database hold a chunk's rows in memory until the transaction ends, rather than in files."""
        less = "pg_size_bytes(current_setting('work_mem')) < pg_size_bytes(%s)"
        execute_sql(f"SELECT set_config('work_mem', %s, true) WHERE {less}", _MEMORY, _MEMORY)

    def lock_records(self, first: int, last: int) -> None:
        """Hold what a chunk writes or links to, in the order of ids, as the engine does."""
        target, bounds = self.target, self._bounds(first, last)
        of_rows = f"SELECT record_id FROM {ROWS} r WHERE r.imported_id = %s AND r.number BETWEEN %s AND %s"  # noqa: S608
        if target.link:
            column = quote_name(target.link_field.column)
            linked = self.dialect.typed_value("r.data", target.link_field)
            strength = "NO KEY UPDATE" if target.is_part else "KEY SHARE"
            execute_sql(
                f"SELECT count(*) FROM (SELECT id FROM {target.parent_sql} WHERE id IN (SELECT {linked} "  # noqa: S608
                f"FROM {ROWS} r WHERE r.imported_id = %s AND r.number BETWEEN %s AND %s UNION ALL "
                f"SELECT {column} FROM {target.table_sql} WHERE id IN ({of_rows})) ORDER BY id FOR {strength}) held",
                *bounds,
                *bounds,
            )
        execute_sql(
            f"SELECT count(*) FROM (SELECT id FROM {target.table_sql} WHERE id IN ({of_rows} AND {self.changing}) "  # noqa: S608
            "ORDER BY id FOR UPDATE) held",
            *bounds,
        )

    def change_records(self, first: int, last: int, now: datetime) -> None:
        """Change the records that still hold what the check found, and write down that it was done."""
        statement, constants = self.change_statement(now)
        execute_sql(statement, *self._bounds(first, last), *constants)

    def change_statement(self, now: datetime) -> tuple[str, list[Any]]:
        """The statement that changes records, and its parameters behind the bounds."""
        target = self.target
        names, values = self._assigned()
        sets = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        moment = self._modified()
        statement = (
            f"WITH r AS MATERIALIZED (SELECT * FROM {self.rows_sql(self.changing)}), done AS ("  # noqa: S608
            f"UPDATE {target.table_sql} SET {sets}{moment} FROM r WHERE {target.table_sql}.id = r.record_id "
            f"AND {self._unchanged()} RETURNING r.number, {target.table_sql}.id, {target.owner_id_sql} AS owner_id, "
            f"{self._revision()} AS revision) {self._noting('false')} FROM done"
        )
        return statement, [now] if moment else []

    def create_records(self, first: int, last: int, now: datetime, *, all_free: bool = False) -> None:
        """Insert the new records whose keys are still free, and write down that it was done.

        Args:
            first, last: numbers of the rows.
            now: when it is done.
            all_free: whether to take it that no key came in since the check: looking for each costs a tenth.

        Raises:
            IntegrityError: one did all the same.
        """
        statement, constants = self.create_statement(now)
        if all_free:
            execute_sql(statement.removesuffix(_UNLESS_THERE), *self._bounds(first, last), *constants)
            return
        written = execute_sql(statement, *self._bounds(first, last), *constants)
        self.forget_unwritten(first, last, written)

    def create_statement(self, now: datetime) -> tuple[str, list[Any]]:
        """The statement that inserts records, and its parameters behind the bounds."""
        target = self.target
        names, values, constants = self._inserted(now)
        sequence = f"nextval((SELECT pg_get_serial_sequence('{target.table_sql}', 'id')::regclass))"  # Looked up once.
        owner = self.dialect.typed_value("data", target.link_field) if target.is_part else "id"
        # Noted without a look at what was inserted: joining the two goes wrong where the planner knows no numbers yet.
        statement = (
            f"WITH r AS MATERIALIZED (SELECT *, {sequence} AS id FROM {self.rows_sql(self.new)} "  # noqa: S608
            f"WHERE {self._welcome()}), noted AS ({self._noting('true')} "
            f"FROM (SELECT number, id, {owner} AS owner_id, {self._first_revision(owner)} AS revision FROM r) done) "
            f"INSERT INTO {target.table_sql} (id, {names}) SELECT r.id, {values} FROM r{_UNLESS_THERE}"
        )
        return statement, constants

    def forget_unwritten(self, first: int, last: int, written: int) -> None:
        """Take back the notes of records that were not inserted after all, if fewer were than noted."""
        noted = ImportChange.objects.filter(imported=self.imported_id, number__range=(first, last), created=True)
        if noted.count() > written:
            noted.exclude(Exists(self.target.model._default_manager.filter(pk=OuterRef("record_id")))).delete()

    def note_revisions(self, first: int, last: int) -> None:
        """Write down the programs' revisions once all parts of a chunk are written, where they are not as expected."""
        if self.target.is_part:
            owner = f"(SELECT revision FROM {self.target.parent_sql} WHERE id = owner_id)"  # noqa: S608
            execute_sql(
                f"UPDATE {CHANGES} SET revision = {owner} WHERE imported_id = %s AND number BETWEEN %s AND %s "  # noqa: S608
                f"AND revision <> {owner}",
                self.imported_id,
                first,
                last,
            )

    # --- parts of statements -----------------------------------------------------------------------------------

    def _noting(self, created: str) -> str:
        record_id = "done.id" if self.target.parts is None else "NULL"
        return (
            f"INSERT INTO {CHANGES} (imported_id, number, record_id, owner_kind, owner_id, created, revision, undone, "
            f"undone_note) SELECT {self.imported_id:d}, number, {record_id}, '{self.target.owner.value}', owner_id, "
            f"{created}, revision, '', ''"
        )

    def _revision(self) -> str:
        """Revision of the owner of a record that was changed."""
        column = f"{self.target.table_sql}.{quote_name(self.target.link_field.column)}" if self.target.is_part else ""
        return self._next_revision(column) if column else f"{self.target.table_sql}.revision"

    def _first_revision(self, owner: str) -> str:
        """Revision of the owner of a record that is created."""
        return self._next_revision(owner) if self.target.is_part else "1"

    def _next_revision(self, owner: str) -> str:
        """What a program's revision will be: each statement that writes parts raises it once, after all of its rows."""
        return f"(SELECT revision + 1 FROM {self.target.parent_sql} WHERE id = {owner})"  # noqa: S608

    def _modified(self) -> str:
        return "" if self.target.is_part else ", modified_at = %s"

    def _assigned(self) -> tuple[list[str], list[str]]:
        names, values = [], []
        for field in self.target.file_fields:
            column = self.target.column_sql(field)
            new = self.dialect.stored_value("r.data", field)
            if field.name in MARKETO_ID_FIELDS:
                new = f"COALESCE({column}, {new})"  # An ID is kept once it is known.
            names.append(quote_name(field.column))
            values.append(f"CASE WHEN {self.dialect.has_field('r.data', field)} THEN {new} ELSE {column} END")
        return names, values

    def _inserted(self, now: datetime) -> tuple[str, str, list[Any]]:
        """Columns, their values in SQL, and the parameters among these."""
        names = [quote_name(field.column) for field in (*self.target.file_fields, *self.target.other_fields)]
        values = [self.dialect.stored_value("r.data", field) for field in self.target.file_fields]
        constants = [
            field.get_db_prep_save(now if field.attname in TIMESTAMP_FIELDS else field.get_default(), connection)
            for field in self.target.other_fields
        ]
        return ", ".join(names), ", ".join([*values, *("%s" for _ in constants)]), constants

    def _unchanged(self) -> str:
        """The condition that a record still holds what the check found, and that what it shall link to exists."""
        dialect = self.dialect
        conditions = [
            f"(NOT ({dialect.has_field('r.old', field)}) OR "
            f"{dialect.equals_value(field, self.target.column_sql(field), 'r.old')})"
            for field in self.target.file_fields
        ]
        if self.target.link:
            conditions.append(f"(NOT ({dialect.has_field('r.data', self.target.link_field)}) OR {self._linked()})")
        return " AND ".join(conditions)

    def _welcome(self) -> str:
        """The condition that a new record may be written."""
        conditions = [self._linked()] if self.target.link else ["true"]
        if self.target.model is ProgramCost:
            conditions.append(self._no_equal_cost())
        return " AND ".join(conditions)

    def _linked(self) -> str:
        linked = self.dialect.typed_value("r.data", self.target.link_field)
        return f"EXISTS (SELECT 1 FROM {self.target.parent_sql} linked WHERE linked.id = {linked})"  # noqa: S608

    def _no_equal_cost(self) -> str:
        """The condition that no equal cost came in since the check: costs have no key that would tell."""
        table, dialect = self.target.table_sql, self.dialect
        fields = {field.name: field for field in self.target.file_fields}
        # A query of one row of its own, because the texts would be read anew for each cost of the program.
        wanted = ", ".join(
            f"{dialect.stored_value('r.data', fields[name])} AS {name}"
            for name in ("program", "month", "amount", "note")
        )
        own = f"imported_id = {self.imported_id:d} AND record_id IS NOT NULL"
        return (
            f"({dialect.typed_value('r.data', fields['marketo_cost_id'])} IS NOT NULL OR NOT EXISTS (SELECT 1 FROM "  # noqa: S608
            f"(SELECT {wanted}, {dialect.has_field('r.data', fields['note'])} AS has_note LIMIT 1) wanted "
            f"JOIN {table} cost "
            "ON cost.program_id = wanted.program AND cost.month = wanted.month AND cost.amount = wanted.amount "
            "AND (NOT wanted.has_note OR cost.note = wanted.note) "
            f"WHERE cost.id NOT IN (SELECT record_id FROM {ROWS} WHERE {own}) "
            f"AND cost.id NOT IN (SELECT record_id FROM {CHANGES} WHERE {own})))"
        )


class SqliteCommitSql(CommitSql):
    """For SQLite, also where it knows no ``UPDATE … FROM`` yet and tells nothing about what triggers did.

    The records of a chunk are noted in a temporary table first.
    """

    def hold_in_memory(self) -> None:
        """Do nothing: it has no such limit."""

    def lock_records(self, first: int, last: int) -> None:
        """Do nothing: there is one writer, and it is us."""

    def change_records(self, first: int, last: int, now: datetime) -> None:
        target = self.target
        empty_chunk()
        execute_sql(
            f"INSERT OR IGNORE INTO {CHUNK_TABLE} (record_id, number) SELECT {target.table_sql}.id, r.number "  # noqa: S608
            f"FROM {self.rows_sql(self.changing)} JOIN {target.table_sql} ON {target.table_sql}.id = r.record_id "
            f"WHERE {self._unchanged()}",
            *self._bounds(first, last),
        )
        names, values = self._assigned()
        moment = self._modified()
        execute_sql(
            f"UPDATE {target.table_sql} SET ({', '.join(names)}) = "  # noqa: S608
            f"(SELECT {', '.join(values)} FROM {self._chunk_rows_sql()} "
            f"WHERE k.record_id = {target.table_sql}.id){moment} WHERE id IN (SELECT record_id FROM {CHUNK_TABLE})",
            *([target.modified_value(now)] if moment else []),
        )
        self._note_changes("0")

    def create_records(self, first: int, last: int, now: datetime, *, all_free: bool = False) -> None:
        target = self.target
        empty_chunk()
        execute_sql(
            f"INSERT INTO {CHUNK_TABLE} (record_id, number) SELECT max(coalesce((SELECT seq FROM sqlite_sequence "  # noqa: S608
            f"WHERE name = '{target.model._meta.db_table}'), 0), "
            f"coalesce((SELECT max(id) FROM {target.table_sql}), 0)) "
            f"+ row_number() OVER (ORDER BY r.number), r.number FROM {self.rows_sql(self.new)} "
            f"WHERE {self._welcome()}",
            *self._bounds(first, last),
        )
        names, values, constants = self._inserted(now)
        execute_sql(
            f"INSERT INTO {target.table_sql} (id, {names}) "  # noqa: S608
            f"SELECT k.record_id, {values} FROM {self._chunk_rows_sql()} WHERE true{_UNLESS_THERE}",
            *constants,
        )
        self._note_changes("1")

    def _next_revision(self, owner: str) -> str:
        """What it is: on SQLite it is noted after the parts were written, and raised with each of them."""
        return f"(SELECT revision FROM {self.target.parent_sql} WHERE id = {owner})"  # noqa: S608

    def _chunk_rows_sql(self) -> str:
        return f"{CHUNK_TABLE} k JOIN {ROWS} r ON r.imported_id = {self.imported_id:d} AND r.number = k.number"

    def _note_changes(self, created: str) -> None:
        done = (
            f"(SELECT k.number, {self.target.table_sql}.id, {self.target.owner_id_sql} AS owner_id, "  # noqa: S608
            f"{self._revision()} AS revision FROM {CHUNK_TABLE} k "
            f"JOIN {self.target.table_sql} ON {self.target.table_sql}.id = k.record_id) done"
        )
        execute_sql(f"{self._noting(created)} FROM {done} ORDER BY number")


def get_commit_sqls(imported_id: int, kind: str, *, overwrite: bool = False) -> list[CommitSql]:
    """What writes an import on the database in use, for each target of its kind; the first one creates records, too."""
    made = SqliteCommitSql if connection.vendor == "sqlite" else CommitSql
    return [made(imported_id, target, overwrite=overwrite) for target in targets_of_kind(kind)]


def empty_chunk() -> None:
    """Make the temporary table of SQLite, or empty it."""
    columns = "record_id INTEGER PRIMARY KEY, number INTEGER NOT NULL, imported_id INTEGER, revision INTEGER"
    execute_sql(f"CREATE TABLE IF NOT EXISTS {CHUNK_TABLE} ({columns})")
    execute_sql(f"DELETE FROM {CHUNK_TABLE}")  # noqa: S608
