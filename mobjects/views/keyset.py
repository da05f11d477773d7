"""Lists that are read from a place on, not by the number of a page: no page costs more than the first, and an address
shows the same rows however many come in before them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from mobjects.db.row_counts import EXACT_UP_TO, RowCount, count_rows, estimate_rows

AFTER = "after"
"""Parameter of an address: the rows that follow a place."""
BEFORE = "before"
"""Parameter of an address: the rows that lead to a place; without one, to the end of the list."""

COLUMNS, VIEW = "cols", "view"
"""Parameters that narrow nothing: which columns are shown, and that no saved view is meant."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a list is sorted by.

    Args:
        path: of a field, also across relations.
        descending: largest first.
    """

    path: str
    descending: bool


Place = Mapping[str, str | None]
"""Parameters of an address; ``None`` takes one out of it."""


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """Some rows of a list.

    Args:
        rows: in the list's order.
        count: of the whole list.
        places: where the other rows are, by ``first``, ``previous``, ``next`` and ``last``; only where there are any.
    """

    rows: list[Any]
    count: RowCount
    places: Mapping[str, Place]


def read_keyset_page(rows: QuerySet[Any], size: int, parameters: Mapping[str, str]) -> KeysetPage:
    """The rows of a list at a place; at most three queries, however long the list is.

    Args:
        rows: sorted by paths of fields; what they leave open is sorted by the primary key.
        size: at most so many.
        parameters: of the address.

    Raises:
        ValueError, ValidationError: the address names no place in this list.
    """
    keys = _sort_keys(rows)
    sorted_rows = rows.order_by(*(f"{'-' if key.descending else ''}{key.path}" for key in keys))
    forward = BEFORE not in parameters
    place = parameters.get(AFTER if forward else BEFORE, "")
    if place:
        sorted_rows = sorted_rows.filter(_beyond(rows, keys, _read_place(place, keys), forward=forward))
    found, count = _found_at_once(rows, keys, size + 1, place, forward=forward)
    if found is None:
        found = list((sorted_rows if forward else sorted_rows.reverse())[: size + 1])
    more, found = len(found) > size, found[:size]
    if not forward:
        found.reverse()
    behind = bool(place) if forward else more
    ahead = more if forward else bool(place)
    if count is None:
        count = count_rows(rows) if behind or ahead else RowCount(len(found))
    return KeysetPage(found, count, _places(found, keys, behind=behind, ahead=ahead))


def _places(found: Sequence[Any], keys: Sequence[SortKey], *, behind: bool, ahead: bool) -> dict[str, Place]:
    places: dict[str, Place] = {}
    if behind:
        places["first"] = {AFTER: None, BEFORE: None}
    if behind and found:
        places["previous"] = {AFTER: None, BEFORE: _write_place(found[0], keys)}
    if ahead and found:
        places["next"] = {AFTER: _write_place(found[-1], keys), BEFORE: None}
    if ahead:
        places["last"] = {AFTER: None, BEFORE: ""}
    return places


def _found_at_once(
    rows: QuerySet[Any], keys: Sequence[SortKey], most: int, place: str, *, forward: bool
) -> tuple[list[Any] | None, RowCount | None]:
    """The first rows beyond a place, and how many a list has: what it is narrowed to is looked for once, not twice.

    Returns:
        ``None`` for what has to be asked for by itself: the rows where there are too many to count; both where the
        database is not PostgreSQL, or the list not narrowed, or not in the order of its keys.
    """
    query, smaller = rows.query, keys[0].descending is forward
    if connections[rows.db].vendor != "postgresql" or len(keys) > 1 or not query.where or len(query.alias_map) > 1:
        return None, None
    beyond = [rows.model._meta.pk.to_python(place)] if place else []
    try:
        sql, args = rows.order_by().values("pk")[: EXACT_UP_TO + 1].query.sql_with_params()
    except EmptyResultSet:
        return [], RowCount(0)
    order, condition = ("DESC", "WHERE pk < %s") if smaller else ("ASC", "WHERE pk > %s")
    there = f" FILTER ({condition})" if beyond else ""
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*), (ARRAY_AGG(pk ORDER BY pk {order}){there})[:{most}] FROM ({sql}) found (pk)",  # noqa: S608
            [*beyond, *args],
        )
        number, pks = cursor.fetchone()
    if number > EXACT_UP_TO:
        return None, estimate_rows(rows)
    chosen = rows.order_by("-pk" if smaller else "pk")
    chosen.query.clear_where()
    return list(chosen.filter(pk__in=pks)) if pks else [], RowCount(number)


def _sort_keys(rows: QuerySet[Any]) -> list[SortKey]:
    options = rows.model._meta
    keys: list[SortKey] = []
    for name in rows.query.order_by or options.ordering:
        path = str(name).removeprefix("-")
        if path in (field.name for field in options.concrete_fields if field.is_relation):
            path = options.get_field(path).attname  # By itself, not by the order of what it leads to.
        descending = str(name).startswith("-")
        if path in ("pk", options.pk.attname):
            return [*keys, SortKey("pk", descending)]
        keys.append(SortKey(path, descending))
    return [*keys, SortKey("pk", descending=True)]


def _write_place(row: Model, keys: Sequence[SortKey]) -> str:
    """A row's place as text."""
    values = [_value(row, key.path) for key in keys]
    texts = [None if value is None else str(value) for value in values]
    return str(texts[0]) if len(texts) == 1 else json.dumps(texts, ensure_ascii=False)


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name, None)
    return row


def _read_place(text: str, keys: Sequence[SortKey]) -> list[str | None]:
    values = [text] if len(keys) == 1 else json.loads(text)
    if not isinstance(values, list) or len(values) != len(keys):
        raise ValueError(text)
    return [None if value is None else str(value).replace("\0", "") for value in values]


def _beyond(rows: QuerySet[Any], keys: Sequence[SortKey], values: Sequence[str | None], *, forward: bool) -> Q:
    """The condition that a row stands beyond a place."""
    beyond, same = Q(pk__in=()), Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= same & _beyond_value(rows, key, value, forward=forward)
        same &= Q(**{f"{key.path}__isnull": True}) if value is None else Q(**{key.path: value})
    first, value = keys[0], values[0]
    if len(keys) > 1 and value is not None and not _may_be_null(rows, first.path):
        # Says nothing new, but lets the index on the first key find the place.
        beyond &= Q(**{f"{first.path}__{'lte' if first.descending is forward else 'gte'}": value})
    return beyond


def _beyond_value(rows: QuerySet[Any], key: SortKey, value: str | None, *, forward: bool) -> Q:
    smaller = key.descending is forward
    # PostgreSQL sorts what is empty as the largest, SQLite as the smallest.
    empty_beyond = smaller is (connections[rows.db].vendor != "postgresql")
    if value is None:
        return Q(pk__in=()) if empty_beyond else Q(**{f"{key.path}__isnull": False})
    found = Q(**{f"{key.path}__{'lt' if smaller else 'gt'}": value})
    return found | Q(**{f"{key.path}__isnull": True}) if empty_beyond and _may_be_null(rows, key.path) else found


def _may_be_null(rows: QuerySet[Any], path: str) -> bool:
    if path == "pk":
        return False
    try:
        return bool(rows.model._meta.get_field(path).null)
    except FieldDoesNotExist:
        return True  # Behind a relation, or computed.


class KeysetChangeList(ChangeList):
    """A list of the admin that is read from a place on; returned by ``ModelAdmin.get_changelist``."""

    page: KeysetPage
    """The rows, and where the others are."""
    places: Mapping[str, str]
    """Addresses of the other rows, by ``first``, ``previous``, ``next`` and ``last``."""

    def get_filters_params(self, params: Any = None) -> Any:
        for name in (AFTER, BEFORE):
            self.filter_params.pop(name, None)  # Another filter or order begins at the first row again.
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (COLUMNS, VIEW)}

    def get_results(self, request: HttpRequest) -> None:
        try:
            page = read_keyset_page(self.queryset, self.list_per_page, request.GET)
        except (ValueError, ValidationError) as error:
            raise IncorrectLookupParameters from error
        self.page = page
        self.result_list: Any = page.rows
        self.result_count = page.count
        self.places = {name: self.get_query_string(place) for name, place in page.places.items()}
        self.show_full_result_count = self.can_show_all = False
        # The theme tells the number of hits, and a way to all rows, where the two differ.
        is_narrowed = bool(self.query or self.has_active_filters)
        self.full_result_count = None if is_narrowed else self.result_count
        self.multi_page = bool(page.places)
        self.show_admin_actions = True
