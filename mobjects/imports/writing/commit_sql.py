"""The statements that write a chunk of a checked file, straight from what the check found in its rows.

The database does the work: nothing of a row passes through Python. Both databases go through the same steps; how
a text in JSON becomes a value of a column is a matter of :mod:`mobjects.imports.writing.sql_dialects`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from mobjects.imports.writing.sql_dialects import ROWS, Dialect, dialect
from mobjects.imports.writing.target_tables import IDS, MOMENTS, TARGETS, Target, quoted, run
from mobjects.models import ImportChange, ImportRowOutcome, ProgramCost

CHANGES = ImportChange._meta.db_table
CHUNK_TABLE = "temp.mobjects_chunk"
"""Where SQLite notes the records of a chunk."""


class ImportSql:
    """What the statements of a commit and those of an undo have in common.

    Args:
        imported_id: the import.
        target: what its rows are written to.
    """

    def __init__(self, imported_id: int, target: Target) -> None:
        self.imported_id = imported_id
        self.target = target
        self.sqlite = connection.vendor == "sqlite"
        self.dialect: Dialect = dialect()

    def _bounds(self, first: int, last: int) -> tuple[int, int, int]:
        return self.imported_id, first, last


class Statements(ImportSql):
    """Writes the rows of one import. This one is for PostgreSQL.

    Args:
        overwrite: whether rows in conflict are written, too.
    """

    def __init__(self, imported_id: int, target: Target, *, overwrite: bool) -> None:
        super().__init__(imported_id, target)
        changing = [ImportRowOutcome.CHANGED, *([ImportRowOutcome.CONFLICT] if overwrite else [])]
        self.changing = f"r.outcome IN ({', '.join(repr(outcome.value) for outcome in changing)})"
        self.new = f"r.outcome = '{ImportRowOutcome.NEW.value}'"

    def lock(self, first: int, last: int) -> None:
        """Hold what a chunk writes or links to, in the order of ids, as the engine does."""
        target, bounds = self.target, self._bounds(first, last)
        of_rows = f"SELECT record_id FROM {ROWS} r WHERE r.imported_id = %s AND r.number BETWEEN %s AND %s"  # noqa: S608
        if target.link:
            column = quoted(target.link_field.column)
            linked = self.dialect.typed("r.data", target.link_field)
            strength = "NO KEY UPDATE" if target.is_part else "KEY SHARE"
            run(
                f"SELECT count(*) FROM (SELECT id FROM {target.parent} WHERE id IN (SELECT {linked} "  # noqa: S608
                f"FROM {ROWS} r WHERE r.imported_id = %s AND r.number BETWEEN %s AND %s UNION ALL "
                f"SELECT {column} FROM {target.table} WHERE id IN ({of_rows})) ORDER BY id FOR {strength}) held",
                *bounds,
                *bounds,
            )
        run(
            f"SELECT count(*) FROM (SELECT id FROM {target.table} WHERE id IN ({of_rows} AND {self.changing}) "  # noqa: S608
            "ORDER BY id FOR UPDATE) held",
            *bounds,
        )

    def change(self, first: int, last: int, now: datetime) -> None:
        """Change the records that still hold what the check found, and write down that it was done."""
        target = self.target
        names, values = self._assigned()
        sets = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        moment = self._modified()
        run(
            f"WITH r AS MATERIALIZED (SELECT * FROM {self.dialect.rows()} WHERE {self.changing}), done AS ("  # noqa: S608
            f"UPDATE {target.table} SET {sets}{moment} FROM r WHERE {target.table}.id = r.record_id "
            f"AND {self._unchanged()} RETURNING r.number, {target.table}.id, {target.owner_id} AS owner_id, "
            f"{self._revision()} AS revision) {self._noting('false')} FROM done",
            *self._bounds(first, last),
            *([now] if moment else []),
        )

    def create(self, first: int, last: int, now: datetime) -> None:
        """Insert the new records whose keys are still free, and write down that it was done."""
        target = self.target
        names, values, constants = self._inserted(now)
        sequence = f"nextval((SELECT pg_get_serial_sequence('{target.table}', 'id')::regclass))"  # Looked up once.
        owner = self.dialect.typed("data", target.link_field) if target.is_part else "id"
        # Noted without a look at what was inserted: joining the two goes wrong where the planner knows no numbers yet.
        written = run(
            f"WITH r AS MATERIALIZED (SELECT *, {sequence} AS id FROM {self.dialect.rows()} "  # noqa: S608
            f"WHERE {self.new} AND {self._welcome()}), noted AS ({self._noting('true')} "
            f"FROM (SELECT number, id, {owner} AS owner_id, {0 if target.is_part else 1} AS revision FROM r) done) "
            f"INSERT INTO {target.table} (id, {names}) SELECT r.id, {values} FROM r ON CONFLICT DO NOTHING",
            *self._bounds(first, last),
            *constants,
        )
        noted = ImportChange.objects.filter(imported=self.imported_id, number__range=(first, last), created=True)
        if noted.count() > written:
            noted.exclude(Exists(target.model._default_manager.filter(pk=OuterRef("record_id")))).delete()

    def note_revisions(self, first: int, last: int) -> None:
        """Write down the programs' revisions once all parts of a chunk are written."""
        if self.target.is_part:
            owner = f"(SELECT revision FROM {self.target.parent} WHERE id = owner_id)"  # noqa: S608
            run(
                f"UPDATE {CHANGES} SET revision = {owner} WHERE imported_id = %s AND number BETWEEN %s AND %s",  # noqa: S608
                self.imported_id,
                first,
                last,
            )

    # --- parts of statements -----------------------------------------------------------------------------------

    def _noting(self, created: str) -> str:
        return (
            f"INSERT INTO {CHANGES} (imported_id, number, record_id, owner_kind, owner_id, created, revision, undone, "
            f"undone_note) SELECT {self.imported_id:d}, number, done.id, '{self.target.owner.value}', owner_id, "
            f"{created}, revision, '', ''"
        )

    def _revision(self) -> str:
        return "0" if self.target.is_part else f"{self.target.table}.revision"

    def _modified(self) -> str:
        return "" if self.target.is_part else ", modified_at = %s"

    def _assigned(self) -> tuple[list[str], list[str]]:
        names, values = [], []
        for field in self.target.fields:
            column = self.target.column(field)
            new = self.dialect.stored("r.data", field)
            if field.name in IDS:
                new = f"COALESCE({column}, {new})"  # An ID is kept once it is known.
            names.append(quoted(field.column))
            values.append(f"CASE WHEN {self.dialect.has('r.data', field)} THEN {new} ELSE {column} END")
        return names, values

    def _inserted(self, now: datetime) -> tuple[str, str, list[Any]]:
        """Columns, their values in SQL, and the parameters among these."""
        names = [quoted(field.column) for field in (*self.target.fields, *self.target.others)]
        values = [self.dialect.stored("r.data", field) for field in self.target.fields]
        constants = [
            field.get_db_prep_save(now if field.attname in MOMENTS else field.get_default(), connection)
            for field in self.target.others
        ]
        return ", ".join(names), ", ".join([*values, *("%s" for _ in constants)]), constants

    def _unchanged(self) -> str:
        """The condition that a record still holds what the check found, and that what it shall link to exists."""
        dialect = self.dialect
        conditions = [
            f"(NOT ({dialect.has('r.old', field)}) OR {dialect.same(field, self.target.column(field), 'r.old')})"
            for field in self.target.fields
        ]
        if self.target.link:
            conditions.append(f"(NOT ({dialect.has('r.data', self.target.link_field)}) OR {self._linked()})")
        return " AND ".join(conditions)

    def _welcome(self) -> str:
        """The condition that a new record may be written."""
        conditions = [self._linked()] if self.target.link else ["true"]
        if self.target.model is ProgramCost:
            conditions.append(self._no_equal_cost())
        return " AND ".join(conditions)

    def _linked(self) -> str:
        linked = self.dialect.typed("r.data", self.target.link_field)
        return f"EXISTS (SELECT 1 FROM {self.target.parent} linked WHERE linked.id = {linked})"  # noqa: S608

    def _no_equal_cost(self) -> str:
        """The condition that no equal cost came in since the check: costs have no key that would tell."""
        table, dialect = self.target.table, self.dialect
        fields = {field.name: field for field in self.target.fields}
        # A query of one row of its own, because the texts would be read anew for each cost of the program.
        wanted = ", ".join(
            f"{dialect.stored('r.data', fields[name])} AS {name}" for name in ("program", "month", "amount", "note")
        )
        own = f"imported_id = {self.imported_id:d} AND record_id IS NOT NULL"
        return (
            f"({dialect.typed('r.data', fields['marketo_cost_id'])} IS NOT NULL OR NOT EXISTS (SELECT 1 FROM "  # noqa: S608
            f"(SELECT {wanted}, {dialect.has('r.data', fields['note'])} AS has_note LIMIT 1) wanted JOIN {table} cost "
            "ON cost.program_id = wanted.program AND cost.month = wanted.month AND cost.amount = wanted.amount "
            "AND (NOT wanted.has_note OR cost.note = wanted.note) "
            f"WHERE cost.id NOT IN (SELECT record_id FROM {ROWS} WHERE {own}) "
            f"AND cost.id NOT IN (SELECT record_id FROM {CHANGES} WHERE {own})))"
        )


class SqliteStatements(Statements):
    """For SQLite, also where it knows no ``UPDATE … FROM`` yet and tells nothing about what triggers did.

    The records of a chunk are noted in a temporary table first.
    """

    def lock(self, first: int, last: int) -> None:
        """Do nothing: there is one writer, and it is us."""

    def change(self, first: int, last: int, now: datetime) -> None:
        target = self.target
        empty_chunk()
        run(
            f"INSERT OR IGNORE INTO {CHUNK_TABLE} (record_id, number) SELECT {target.table}.id, r.number "  # noqa: S608
            f"FROM {self.dialect.rows()} JOIN {target.table} ON {target.table}.id = r.record_id "
            f"WHERE {self.changing} AND {self._unchanged()}",
            *self._bounds(first, last),
        )
        names, values = self._assigned()
        moment = self._modified()
        run(
            f"UPDATE {target.table} SET ({', '.join(names)}) = (SELECT {', '.join(values)} FROM {self._noted()} "  # noqa: S608
            f"WHERE k.record_id = {target.table}.id){moment} WHERE id IN (SELECT record_id FROM {CHUNK_TABLE})",
            *([target.modified(now)] if moment else []),
        )
        self._note("0")

    def create(self, first: int, last: int, now: datetime) -> None:
        target = self.target
        empty_chunk()
        run(
            f"INSERT INTO {CHUNK_TABLE} (record_id, number) SELECT max(coalesce((SELECT seq FROM sqlite_sequence "  # noqa: S608
            f"WHERE name = '{target.model._meta.db_table}'), 0), coalesce((SELECT max(id) FROM {target.table}), 0)) "
            f"+ row_number() OVER (ORDER BY r.number), r.number FROM {self.dialect.rows()} "
            f"WHERE {self.new} AND {self._welcome()}",
            *self._bounds(first, last),
        )
        names, values, constants = self._inserted(now)
        run(
            f"INSERT INTO {target.table} (id, {names}) SELECT k.record_id, {values} FROM {self._noted()} WHERE true "  # noqa: S608
            "ON CONFLICT DO NOTHING",
            *constants,
        )
        self._note("1")

    def _noted(self) -> str:
        return f"{CHUNK_TABLE} k JOIN {ROWS} r ON r.imported_id = {self.imported_id:d} AND r.number = k.number"

    def _note(self, created: str) -> None:
        done = (
            f"(SELECT k.number, {self.target.table}.id, {self.target.owner_id} AS owner_id, "  # noqa: S608
            f"{self._revision()} AS revision FROM {CHUNK_TABLE} k "
            f"JOIN {self.target.table} ON {self.target.table}.id = k.record_id) done"
        )
        run(f"{self._noting(created)} FROM {done} ORDER BY number")


def statements(imported_id: int, kind: str, *, overwrite: bool = False) -> Statements:
    """What writes an import on the database in use."""
    made = SqliteStatements if connection.vendor == "sqlite" else Statements
    return made(imported_id, TARGETS[kind], overwrite=overwrite)


def empty_chunk() -> None:
    """Make the temporary table of SQLite, or empty it."""
    columns = "record_id INTEGER PRIMARY KEY, number INTEGER NOT NULL, imported_id INTEGER, revision INTEGER"
    run(f"CREATE TABLE IF NOT EXISTS {CHUNK_TABLE} ({columns})")
    run(f"DELETE FROM {CHUNK_TABLE}")  # noqa: S608
