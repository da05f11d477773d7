"""What of a migration would break the processes of the release before, which run beside it while hosts are updated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as known
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

GONE = {
    known.DeleteModel: "the table goes, which the release before still reads",
    known.RenameModel: "the table gets another name than the release before knows",
    known.AlterModelTable: "the table gets another name than the release before knows",
    known.RemoveField: "the column goes, which the release before still reads",
    known.RenameField: "the column gets another name than the release before knows",
}
NOT_NULL = "the column is NOT NULL without a db_default, so the release before can insert no row"
NARROWER = "the column takes less than the release before may write: {how}"
REFUSES = "the constraint may refuse what the release before writes"


def find_breaking_steps(migration: Migration, before: ProjectState) -> list[str]:
    """Each step that the release before does not survive, as a sentence.

    Args:
        before: all models as they are before the migration.
    """
    state = before.clone()
    found: list[str] = []
    made: set[str] = set()
    for operation in _on_the_database(migration.operations):
        if isinstance(operation, known.CreateModel):
            made.add(operation.name.lower())
        model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
        if model not in made:
            found += [f"{operation.describe()}: {said}" for said in _breaks(operation, state, migration.app_label)]
        operation.state_forwards(migration.app_label, state)
    return found


def _on_the_database(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Taking a column out of the model alone is the first of two steps, and breaks nobody."""
    for operation in operations:
        if isinstance(operation, known.SeparateDatabaseAndState):
            yield from _on_the_database(operation.database_operations)
        else:
            yield operation


def _breaks(operation: Operation, state: ProjectState, app: str) -> Iterator[str]:
    if type(operation) in GONE:
        yield GONE[type(operation)]
    elif isinstance(operation, known.AddField):
        if not _may_be_left_out(operation.field):
            yield NOT_NULL
    elif isinstance(operation, known.AlterField):
        old = state.models[app, operation.model_name_lower].fields[operation.name]
        yield from (NARROWER.format(how=how) for how in _narrower(old, operation.field))
    elif isinstance(operation, known.AddConstraint | known.AlterUniqueTogether):
        yield REFUSES


def _may_be_left_out(field: models.Field) -> bool:
    has_db_default = field.db_default is not models.NOT_PROVIDED
    return field.null or has_db_default or bool(field.many_to_many) or getattr(field, "generated", False)


def _narrower(old: models.Field, new: models.Field) -> Iterator[str]:
    if old.null and not new.null:
        yield "no NULL any more"
    if new.unique and not old.unique:
        yield "each value once"
    if new.max_length is not None and (old.max_length is None or new.max_length < old.max_length):
        yield f"{new.max_length} characters"
    if old.db_default is not models.NOT_PROVIDED and new.db_default is models.NOT_PROVIDED:
        yield "no db_default any more"
