"""Addresses narrow lists by plain comparisons only; Django lets them use any look-up, patterns included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from marketo_admin.errors import query_refused

PLAIN = frozenset({"exact", "in", "isnull", "gt", "gte", "lt", "lte", "year", "month", "day"})
"""What the filters of lists put into addresses."""

_PARTS_OF_DAYS = frozenset({"year", "month", "day"})
_NUMBER = re.compile("[1-9][0-9]{0,3}", re.ASCII)


class LookupMiddleware:
    """Refuses an address whose query asks for another look-up, such as ``?name__regex=``, in words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = next((name for name, value in request.GET.items() if _is_refused(name, str(value))), "")
        if not asked:
            return self._get_response(request)
        said = gettext("Lists are not narrowed by “%(name)s”. Use the filters and the search of the list.")
        return query_refused(request, said % {"name": asked[:100]})


def _is_refused(name: str, value: str) -> bool:
    parts = name.split("__")[1:]
    if not refused_lookups().isdisjoint(parts):
        return True
    # Of a day that no calendar has, the database would make an error.
    return bool(parts) and parts[-1] in _PARTS_OF_DAYS and not _NUMBER.fullmatch(value)


@cache
def refused_lookups() -> frozenset[str]:
    """All look-ups that any field knows, but for the plain ones."""
    return frozenset(name for kind in _kinds(Field) for name in kind.get_lookups()) - PLAIN


def _kinds(kind: type[Field]) -> Iterator[type[Field]]:  # type: ignore[type-arg]
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
