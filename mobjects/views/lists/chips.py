"""All that a list is narrowed by, each with the address of the list without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from mobjects.filters.asked import without_condition
from mobjects.filters.conditions import WHERE
from mobjects.views.keyset import AFTER, BEFORE


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that a list is narrowed by.

    Args:
        words: what it is.
        address: of the same list without it.
    """

    words: str
    address: str


def build_chips(request: HttpRequest, changes: ChangeList) -> list[Chip]:
    """All that a list is narrowed by, the search first."""
    query = without(request.GET, AFTER, BEFORE)
    chips = []
    if changes.query:
        words = _("search: “%(query)s”") % {"query": changes.query}
        chips.append(_chip(words, without(query, SEARCH_VAR)))
    for spec in changes.filter_specs:
        names = [name for name in spec.expected_parameters() if name]
        if not any(name in query for name in names):
            continue
        # What a condition is in an address stands beside its words.
        chosen: list[Any] = [choice for choice in spec.choices(changes) if choice.get("selected")]
        if names == [WHERE]:
            chips += [_chip(str(each["display"]), without_condition(query, each["text"])) for each in chosen]
        else:
            words = ", ".join(str(choice["display"]) for choice in chosen) or ", ".join(
                value for name in names for value in query.getlist(name)
            )
            chips.append(_chip(f"{str(spec.title).capitalize()}: {words}", without(query, *names)))
    return chips


def without(query: QueryDict, *names: str) -> QueryDict:
    """The query of an address without some of its parameters."""
    fewer = query.copy()
    for name in names:
        fewer.pop(name, None)
    return fewer


def _chip(words: str, rest: QueryDict) -> Chip:
    # A list without a query may open with a person's own view.
    return Chip(words, f"?{rest.urlencode() or ALL}")


ALL = "view=all"
"""The query of a list that is narrowed by nothing, whatever view a person opens it with."""
