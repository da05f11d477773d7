"""What a list in the admin shows with its search and filters: the records, and in words what they were narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobjects.filters.conditions import WHERE, FilterRefused
from mobjects.views.keyset import AFTER, BEFORE

_LEFT_OUT = (PAGE_VAR, ALL_VAR, AFTER, BEFORE, "_changelist_filters", "e")


@dataclass(frozen=True, slots=True)
class FilteredList:
    """The records of a list.

    Args:
        queryset: in the list's order.
        count: how many there are.
        description: what they were narrowed to; empty if the list shows all.
        query: the part of the address that says it, without the question mark.
    """

    queryset: QuerySet[Any]
    count: int
    description: str
    query: str


def get_filtered_list(request: HttpRequest, model: type[Model]) -> FilteredList:
    """The records that a list shows under the query of the request's address.

    Raises:
        FilterRefused: it makes no sense. All records are never what was meant.
    """
    query = request.GET.copy()
    for name in _LEFT_OUT:
        query.pop(name, None)
    try:
        return _filter_list(request, model, query)
    except IncorrectLookupParameters as error:
        said = _("The address asks for “%(query)s”, which the list cannot be narrowed by. Open the list anew.")
        raise FilterRefused(said % {"query": query.urlencode()[:100]}) from error


def _filter_list(request: HttpRequest, model: type[Model], query: Any) -> FilteredList:
    request.GET = query
    changes = admin.site.get_model_admin(model).get_changelist_instance(request)
    return FilteredList(changes.queryset, changes.result_count, describe_filters(request, changes), query.urlencode())


def describe_filters(request: HttpRequest, changes: ChangeList) -> str:
    """What a list was narrowed to, such as ``search: “Seoul”; state: Changed``."""
    found, known = [], {SEARCH_VAR, ORDER_VAR, PAGE_VAR, ALL_VAR}
    if changes.query:
        found.append(_("search: “%(query)s”") % {"query": changes.query})
    for spec in changes.filter_specs:
        names = {name for name in spec.expected_parameters() if name}
        known |= names
        if any(name in request.GET for name in names):
            chosen = [str(choice["display"]) for choice in spec.choices(changes) if choice.get("selected")]
            words = ", ".join(chosen) or "chosen"
            # Conditions name their fields themselves.
            found.append(words if WHERE in names else f"{spec.title}: {words}")
    rest = [(name, value) for name, values in request.GET.lists() if name not in known for value in values]
    return "; ".join([*found, *(f"{name} = {value}" for name, value in rest if not name.startswith("_"))])
