"""What an operation makes of one value: pure functions of texts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.marketo.types import DataType

Change = Callable[[str], str]
"""Makes the new text of a value out of the old one; "" is empty."""

ALREADY = _("it is so already")
EMPTY = _("what is empty stays empty")
NOT_FOUND = _("the text is not in it")
NO_YEAR = _("the month would be outside the years 1 to 9999")
NO_NUMBER = _("what stands there is not a number")
TOO_LARGE = _("the result has too many digits")

_PLACES = {DataType.CURRENCY: 2, DataType.FLOAT: 4, DataType.INTEGER: 0}
_MONTHS = 12
_LAST_YEAR = 9999
_CONTEXT = Context(prec=60)


class StaysAsItIs(Exception):
    """The value is not changed; the text says why."""


class ValueRefused(Exception):
    """The value cannot become what is asked for; the text says why."""


def build_change(operation: EditOperation, kind: DataType) -> Change:
    """The function that makes new texts.

    Args:
        operation: with its values.
        kind: of the field.
    """
    builders: dict[str, Callable[[], Change]] = {
        Do.SET: lambda: lambda _old: operation.value,
        Do.CLEAR: lambda: lambda _old: "",
        Do.ADD: lambda: _arithmetic(lambda old: _CONTEXT.add(old, Decimal(operation.value)), kind),
        Do.MULTIPLY: lambda: _arithmetic(lambda old: _CONTEXT.multiply(old, Decimal(operation.value)), kind),
        Do.REPLACE: lambda: _replacement(operation.sought, operation.value),
        Do.SHIFT: lambda: lambda old: shift_month(old, int(operation.value)),
    }
    return builders[operation.do]()


def _arithmetic(calculate: Callable[[Decimal], Decimal], kind: DataType) -> Change:
    unit = Decimal(1).scaleb(-_PLACES[kind])

    def change(old: str) -> str:
        if not old:
            raise StaysAsItIs(EMPTY)
        try:
            number = calculate(Decimal(old))
        except InvalidOperation:
            raise ValueRefused(NO_NUMBER) from None
        try:
            # Halves go away from zero, as people round money; the context has room for any amount.
            rounded = number.quantize(unit, rounding=ROUND_HALF_UP, context=_CONTEXT)
        except InvalidOperation:
            raise ValueRefused(TOO_LARGE) from None
        return format(rounded or abs(rounded), "f")

    return change


def _replacement(sought: str, put: str) -> Change:
    def change(old: str) -> str:
        if sought not in old:
            raise StaysAsItIs(NOT_FOUND)
        return old.replace(sought, put).strip()  # As a form trims what is typed.

    return change


def shift_month(old: str, months: int) -> str:
    """A month, as the text of its first day, so many months later, or earlier.

    Raises:
        ValueRefused: there is no such year.
    """
    year, month = (int(part) for part in old.split("-")[:2])
    year, month = divmod(year * _MONTHS + month - 1 + months, _MONTHS)
    if not 1 <= year <= _LAST_YEAR:
        raise ValueRefused(NO_YEAR)
    return f"{year:04}-{month + 1:02}-01"
