"""What a database says when it refuses a row, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, models, transaction
from django.utils.translation import gettext_noop as _

_Model = type[models.Model]
_Write = Callable[[int, int], None]
Refused = Iterator[tuple[int, str]]
"""Numbers of rows that the database refuses, and why."""


def by_halves(
    first: int,
    last: int,
    write: _Write,
    model: _Model,
    *,
    last_first: bool = False,
    one_by_one: Callable[[int, int], Refused] | None = None,
) -> Refused:
    """Write rows, by halves where the database refuses them; gives the single ones that it refuses, and why.

    Args:
        first, last: numbers of the rows.
        write: writes the rows between two numbers.
        model: of the records.
        last_first: whether the last rows are to be written first.
        one_by_one: writes rows one by one, for where both halves are refused; by halves, a chunk of which every row
            is refused would take twice as many statements as it has rows.
    """
    error = try_rows(first, last, write)
    if error is not None:
        yield from _halve(first, last, error, write, model, last_first=last_first, one_by_one=one_by_one)


def _halve(first: int, last: int, error: DatabaseError, write: _Write, model: _Model, **how: Any) -> Refused:
    """Write the rows that were not refused among those that were refused together."""
    if first == last:
        yield first, database_error_message(model, error)
        return
    middle = (first + last) // 2
    halves = [(first, middle), (middle + 1, last)]
    if how["last_first"]:
        halves.reverse()
    refused = [(half, found) for half in halves if (found := try_rows(*half, write))]
    if len(refused) == len(halves) and how["one_by_one"]:
        yield from how["one_by_one"](first, last)
        return
    for half, said in refused:
        yield from _halve(*half, said, write, model, **how)


def try_rows(first: int, last: int, write: _Write) -> DatabaseError | None:
    """Write rows, all or none of them.

    Args:
        first, last: numbers of the rows.
        write: writes the rows between two numbers.

    Returns:
        What the database says if it refuses.
    """
    try:
        with transaction.atomic():
            write(first, last)
    except (IntegrityError, DataError) as error:
        return error
    return None


def database_error_message(model: _Model, error: DatabaseError) -> str:
    """Say which rule of a model the database found broken; databases name it each in their own way.

    Returns:
        A sentence. The error's own text is not given away where it names no rule of ours: it may hold values.
    """
    return broken_rule_message(model, _constraint_name(error))


def broken_rule_message(model: _Model, constraint_name: str) -> str:
    """The sentence of the rule with this name."""
    for constraint in model._meta.constraints:
        if _means(model, constraint, constraint_name):
            message = str(constraint.get_violation_error_message())
            return _("the database refused it: %(message)s") % {"message": message}
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key and field.column in constraint_name:
            name = model._meta.verbose_name
            return _("another %(name)s has this %(field)s by now; it was not written.") % {
                "name": name,
                "field": field.verbose_name,
            }
    return _("the database refused it, because it breaks a rule; it was not written.")


def _constraint_name(error: DatabaseError) -> str:
    """The constraint's name, or what else tells it."""
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return str(name or error)


def _means(model: _Model, constraint: models.BaseConstraint, constraint_name: str) -> bool:
    if constraint.name in constraint_name:
        return True
    # SQLite names the columns of a unique constraint instead: "UNIQUE constraint failed: a.b, a.c".
    fields: list[models.Field] = [model._meta.get_field(name) for name in getattr(constraint, "fields", ())]  # type: ignore[type-arg,misc]
    columns = ", ".join(f"{model._meta.db_table}.{field.column}" for field in fields)
    return bool(columns) and constraint_name.endswith(columns)
