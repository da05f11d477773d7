"""What an address asks of a list, condition by condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import QueryDict
from django.utils.translation import gettext as _

from mobjects.filters.conditions import MOST, WHERE, Condition, FilterRefused, read_condition
from mobjects.filters.fields import FilterField


def read_conditions(query: QueryDict, fields: Mapping[str, FilterField]) -> Sequence[Condition]:
    """The conditions of an address, each once, in their order.

    Raises:
        FilterRefused: one of them makes no sense, or there are too many.
    """
    texts = list(dict.fromkeys(query.getlist(WHERE)))
    if len(texts) > MOST:
        raise FilterRefused(_("A list can be filtered by at most %(most)s conditions at a time.") % {"most": MOST})
    return [read_condition(text, fields) for text in texts]


def add_condition(query: QueryDict, condition: Condition) -> QueryDict:
    """The query of an address with one more condition."""
    more = query.copy()
    if condition.write() not in more.getlist(WHERE):
        more.appendlist(WHERE, condition.write())
    return more


def without_condition(query: QueryDict, text: str) -> QueryDict:
    """The query of an address without one of its conditions."""
    fewer = query.copy()
    fewer.setlist(WHERE, [each for each in fewer.getlist(WHERE) if each != text])
    return fewer
