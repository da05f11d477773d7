"""How many rows there are, without a count that grows with the table: exact while they are few, else what the database
estimates, and said so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

EXACT_UP_TO = 10_000
"""PostgreSQL counts so many rows; of more it is asked for its estimate. SQLite counts all: its tables are small."""


class RowCount(int):
    """A number of rows.

    Args:
        about: it is an estimate.
    """

    about: bool

    def __new__(cls, value: int, *, about: bool = False) -> RowCount:
        made = super().__new__(cls, value)
        made.about = about
        return made

    def __str__(self) -> str:
        return self.words

    @classmethod
    def total(cls, counts: Iterable[RowCount]) -> RowCount:
        """The sum, which is an estimate where one of them is."""
        added = list(counts)
        return cls(sum(added), about=any(count.about for count in added))

    @property
    def words(self) -> str:
        """For people: ``12`` or ``about 1,000,000``."""
        number = number_format(int(self), force_grouping=True)
        return _("about %(number)s") % {"number": number} if self.about else number


class RowCountPaginator(Paginator):  # type: ignore[type-arg]
    """Numbered pages over a number of rows that may be an estimate."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or about."""
        rows: Any = self.object_list
        return count_rows(rows) if isinstance(rows, models.QuerySet) else len(rows)


def count_rows(rows: models.QuerySet[Any]) -> RowCount:
    """How many rows a query finds; two queries at most."""
    if connections[rows.db].vendor != "postgresql":
        return RowCount(rows.count())
    number = rows.order_by()[: EXACT_UP_TO + 1].count()
    return RowCount(number) if number <= EXACT_UP_TO else estimate_rows(rows)


def estimate_rows(rows: models.QuerySet[Any]) -> RowCount:
    """About how many rows a query finds of which PostgreSQL has counted more than :data:`EXACT_UP_TO`; one query."""
    plan = json.loads(rows.order_by().values("pk").explain(format="json"))
    return RowCount(max(plan[0]["Plan"]["Plan Rows"], EXACT_UP_TO + 1), about=True)
