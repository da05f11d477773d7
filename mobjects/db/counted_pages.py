"""A page of rows read together with how many rows there are: one statement instead of two."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window

_COUNT = "_rows_in_all"


def read_counted_page(rows: QuerySet[Any], size: int, number: int) -> Page[Any]:
    """One page of ordered rows, with its paginator; where there is no such page, the first.

    Only for rows of which few are counted, such as those of one record: all that are chosen are walked through.

    Args:
        size: rows on a page.
        number: of the page, from 1.
    """
    counted, start = rows.annotate(**{_COUNT: Window(Count("*"))}), (number - 1) * size
    found = list(counted[start : start + size])
    if not found and number > 1:
        return read_counted_page(rows, size, 1)
    pages = Paginator(found, size)
    pages.count = getattr(found[0], _COUNT) if found else 0  # In the place of the cached property.
    return Page(found, number, pages)
