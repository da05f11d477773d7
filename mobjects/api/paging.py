"""Lists that are read on from a key: no page costs more than the first, and nothing is read twice or passed over."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

LARGEST = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST)]
"""Our own number of something."""


class PageQuery(Schema):
    """Where to read on, and how much."""

    after: Annotated[int, Field(ge=0, le=LARGEST, description="Only what comes after this id.")] = 0
    limit: Annotated[int, Field(ge=1, le=200, description="So many at most.")] = 50


def read_page(rows: QuerySet[Any], query: PageQuery) -> tuple[list[Any], int | None]:
    """The rows after a key, by rising id, and the key from which to read on; ``None`` at the end."""
    found = list(rows.order_by("pk").filter(pk__gt=query.after)[: query.limit + 1])
    more, found = len(found) > query.limit, found[: query.limit]
    return found, found[-1].pk if more else None


def next_address(request: HttpRequest, after: object | None) -> str | None:
    """The address of what comes after a key, narrowed in the same way; ``None`` at the end of a list."""
    if after is None:
        return None
    asked = request.GET.copy()
    asked["after"] = str(after)
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")
