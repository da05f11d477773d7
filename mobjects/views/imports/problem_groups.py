"""Equal problems of an import: a page of the errors and the first warnings, with how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from mobjects.models import Import, ImportGroup, ImportProblemLevel

ERRORS_PER_PAGE = 25
WARNINGS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ProblemGroups:
    """What the check found, equal problems together.

    Args:
        errors: one page of them; empty if none was asked for.
        suggested: for how many of all errors something is suggested.
        warnings: the first ones.
    """

    errors: Page[Any]
    suggested: int
    warnings: list[ImportGroup]


def read_problem_groups(imported: Import, page: int) -> ProblemGroups:
    """The problems of an import; one query, for a page that there is.

    Args:
        page: of errors, from 1; 0 for none. Behind the last it means the last.
    """
    level, error = [F("level")], ImportProblemLevel.ERROR
    suggested = Q(position__isnull=False) & ~Q(suggestion="")
    counted = imported.groups.annotate(
        place=Window(RowNumber(), partition_by=level, order_by=[F("count").desc(), F("first").asc(), F("pk").asc()]),
        of_level=Window(Count("pk"), partition_by=level),
        suggested=Window(Count("pk", filter=suggested), partition_by=level),
    )
    start = (page - 1) * ERRORS_PER_PAGE
    shown = Q(level=error, place__gt=start, place__lte=start + ERRORS_PER_PAGE) if page else Q(pk__in=())
    first = Q(level=ImportProblemLevel.WARNING, place__lte=WARNINGS_SHOWN)
    found: list[Any] = list(counted.filter(shown | first).order_by("place"))
    errors = [group for group in found if group.level == error]
    warnings = [group for group in found if group.level != error]
    if page > 1 and not errors:
        last = Paginator(imported.groups.filter(level=error), ERRORS_PER_PAGE).num_pages
        return read_problem_groups(imported, min(last, page - 1))
    pages = Paginator(errors, ERRORS_PER_PAGE)
    pages.count = errors[0].of_level if errors else 0  # In the place of the cached property.
    return ProblemGroups(Page(errors, page or 1, pages), errors[0].suggested if errors else 0, warnings)
