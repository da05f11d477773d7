"""What a list in the admin shows with its search and filters: the records, and in words what they were narrowed to."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobjects.filters.conditions import FilterRefused
from mobjects.views.keyset import AFTER, BEFORE, KeysetPage
from mobjects.views.lists.chips import OF_A_PAGE, find_narrowings, without


@dataclass(frozen=True, slots=True)
class FilteredList:
    """The records of a list.

    Args:
        queryset: in the list's order.
        count: how many there are.
        description: what they were narrowed to; empty if the list shows all.
        query: the part of the address that says it, without the question mark.
        page: some of the records.
    """

    queryset: QuerySet[Any]
    count: int
    description: str
    query: str
    page: KeysetPage


def get_filtered_list(request: HttpRequest, model: type[Model]) -> FilteredList:
    """The records that a list shows under the query of the request's address.

    Raises:
        FilterRefused: it makes no sense. All records are never what was meant.
    """
    return _filter_list(request, model, {}, 0)


def read_filtered_page(request: HttpRequest, model: type[Model], size: int) -> FilteredList:
    """The same with the records at the address's place; at the list's beginning if the place makes no sense.

    Args:
        size: so many records at most.

    Raises:
        FilterRefused: as :func:`get_filtered_list`.
    """
    address = request.GET
    place = {name: address[name] for name in (AFTER, BEFORE) if name in address}
    try:
        return _filter_list(request, model, place, size)
    except FilterRefused:
        if not place:
            raise
        request.GET = address
        return _filter_list(request, model, {}, size)


def _filter_list(request: HttpRequest, model: type[Model], place: Mapping[str, str], size: int) -> FilteredList:
    query: Any = without(request.GET, *OF_A_PAGE)
    request.GET = query.copy()
    request.GET.update(place)
    model_admin: Any = copy(admin.site.get_model_admin(model))
    # A list of its usual page's rows needs no count.
    model_admin.list_per_page = size or model_admin.list_per_page
    try:
        changes: Any = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters as error:
        said = _("The address asks for “%(query)s”, which the list cannot be narrowed by. Open the list anew.")
        raise FilterRefused(said % {"query": query.urlencode()[:100]}) from error
    words = "; ".join(each.words for each in find_narrowings(request, changes))
    return FilteredList(changes.queryset, changes.result_count, words, query.urlencode(), changes.page)
