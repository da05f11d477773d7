"""What a database says when it refuses a row, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import DatabaseError, DataError, IntegrityError, models, transaction


def by_halves(
    first: int,
    last: int,
    write: Callable[[int, int], None],
    model: type[models.Model],
    *,
    last_first: bool = False,
) -> Iterator[tuple[int, str]]:
    """Write rows, by halves where the database refuses them; gives the single ones that it refuses, and why."""
    try:
        with transaction.atomic():
            write(first, last)
    except (IntegrityError, DataError) as error:
        if first == last:
            yield first, database_error_message(model, error)
            return
        middle = (first + last) // 2
        halves = [(first, middle), (middle + 1, last)]
        for half in reversed(halves) if last_first else halves:
            yield from by_halves(*half, write, model, last_first=last_first)


def database_error_message(model: type[models.Model], error: DatabaseError) -> str:
    """Say which rule of a model the database found broken; databases name it each in their own way.

    Returns:
        A sentence. The error's own text is not given away where it names no rule of ours: it may hold values.
    """
    constraint_name = _constraint_name(error)
    for constraint in model._meta.constraints:
        if _means(model, constraint, constraint_name):
            message = str(constraint.get_violation_error_message())
            return f"the database refused it: {message}"
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key and field.column in constraint_name:
            name = model._meta.verbose_name
            return f"another {name} has this {field.verbose_name} by now; it was not written."
    return "the database refused it, because it breaks a rule; it was not written."


def _constraint_name(error: DatabaseError) -> str:
    """The constraint's name, or what else tells it."""
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return str(name or error)


def _means(model: type[models.Model], constraint: models.BaseConstraint, constraint_name: str) -> bool:
    if constraint.name in constraint_name:
        return True
    # SQLite names the columns of a unique constraint instead: "UNIQUE constraint failed: a.b, a.c".
    fields: list[models.Field] = [model._meta.get_field(name) for name in getattr(constraint, "fields", ())]  # type: ignore[type-arg,misc]
    columns = ", ".join(f"{model._meta.db_table}.{field.column}" for field in fields)
    return bool(columns) and constraint_name.endswith(columns)
