"""The columns of a list as its address names them, in their order: ``cols=name.stage.amount``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from mobjects.filters.conditions import FilterRefused
from mobjects.views.keyset import AFTER, BEFORE, COLUMNS
from mobjects.views.lists.chips import without

CHOSEN = "columns"
"""What the form that chooses columns sends, beside a place for each column."""
_PLACE = "place."

Column = Any
"""An entry of ``ModelAdmin.list_display``."""


@dataclass(frozen=True, slots=True)
class OfferedColumn:
    """A column in the form.

    Args:
        name: in addresses.
        label: its heading.
        place: counted from 1; ``None`` where the list does not show it.
    """

    name: str
    label: str
    place: int | None


def column_name(column: Column) -> str:
    """A column's name in addresses."""
    return column if isinstance(column, str) else column.__name__


def chosen_columns(query: QueryDict, offered: Mapping[str, Column]) -> list[Column]:
    """The columns that an address names; none if it names none.

    Raises:
        FilterRefused: the list has no such column.
    """
    names = [name for name in query.get(COLUMNS, "").split(".") if name]
    if unknown := [name for name in names if name not in offered]:
        said = _("This list has no column “%(name)s”; choose under “Columns” which it shows.")
        raise FilterRefused(said % {"name": unknown[0][:60]})
    return [offered[name] for name in dict.fromkeys(names)]


def read_places(query: QueryDict, offered: Mapping[str, Column]) -> QueryDict:
    """The query of the list with the columns that the form numbered; with the usual ones if none was."""
    places = []
    for number, name in enumerate(offered):
        text = query.get(f"{_PLACE}{name}", "").strip()
        if text.isdecimal() and len(text) <= 4:
            places.append((int(text), number, name))
    # The order of a list is told by the numbers of its columns, which are others now.
    sent = [name for name in query if name.startswith(_PLACE)]
    rest = without(query, CHOSEN, COLUMNS, ORDER_VAR, AFTER, BEFORE, *sent)
    if places:
        rest[COLUMNS] = ".".join(name for _place, _number, name in sorted(places))
    return rest


def offered_columns(model_admin: Any, shown: Sequence[Column], offered: Mapping[str, Column]) -> list[OfferedColumn]:
    """All columns for the form, those that are shown first."""
    places = {column_name(column): place for place, column in enumerate(shown, 1)}
    names = [*places, *(name for name in offered if name not in places)]
    found = []
    for name in names:
        label = label_for_field(offered.get(name, name), model_admin.model, model_admin)
        found.append(OfferedColumn(name, capfirst(str(label)), places.get(name)))
    return found


def kept_inputs(request: HttpRequest, *names: str) -> list[tuple[str, str]]:
    """What a form that leads to the same list has to carry along, without some parameters."""
    rest = without(request.GET, AFTER, BEFORE, *names)
    return [(name, str(value)) for name, values in rest.lists() for value in values]
