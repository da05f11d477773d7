"""All that a list is narrowed by, each with the address of the list without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.http import HttpRequest, QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from mobjects.filters.asked import without_condition
from mobjects.filters.conditions import WHERE, Condition, split_job
from mobjects.filters.fields import FieldType
from mobjects.kept_text import translate_kept
from mobjects.models import SyncJob, SyncResultStatus
from mobjects.presentation.job_titles import job_title
from mobjects.result_queries import find_shared_reason
from mobjects.views.keyset import AFTER, BEFORE, COLUMNS, VIEW

ALL = "view=all"
"""The query of a list that is narrowed by nothing, whatever view a person opens it with."""
OF_A_PAGE = frozenset({PAGE_VAR, "page", ALL_VAR, ERROR_FLAG, AFTER, BEFORE, "_changelist_filters"})
"""Parameters that say which part of a list is shown, and not what is in it."""
REASON_SHOWN = 120
"""Characters of a reason on a chip."""
_NARROWS_NOTHING = OF_A_PAGE | {SEARCH_VAR, ORDER_VAR, COLUMNS, VIEW}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing that a list is narrowed by.

    Args:
        words: what it is, such as ``state: Changed``.
        rest: the query of the list's address without it.
    """

    words: str
    rest: QueryDict

    @property
    def address(self) -> str:
        """Of the same list without it. A list without a query may open with a person's own view."""
        return f"?{self.rest.urlencode() or ALL}"


def find_narrowings(request: HttpRequest, changes: ChangeList) -> list[Narrowing]:
    """All that a list is narrowed by, the search first."""
    query, known = without(request.GET, AFTER, BEFORE), set(_NARROWS_NOTHING)
    found = []
    if changes.query:
        words = _("search: “%(query)s”") % {"query": changes.query}
        found.append(Narrowing(words, without(query, SEARCH_VAR)))
    for spec in changes.filter_specs:
        names = [name for name in spec.expected_parameters() if name]
        known.update(names)
        if not any(name in query for name in names):
            continue
        # What a condition is in an address stands beside its words, which name its field.
        chosen: list[Any] = [choice for choice in spec.choices(changes) if choice.get("selected")]
        if names == [WHERE]:
            found += [Narrowing(str(each["display"]), without_condition(query, each["text"])) for each in chosen]
            continue
        values = [value for name in names for value in query.getlist(name)]
        words = ", ".join(str(choice["display"]) for choice in chosen) or ", ".join(map(str, values))
        found.append(Narrowing(f"{spec.title}: {words}", without(query, *names)))
    rest = [name for name in query if name not in known and not name.startswith("_")]
    found += [Narrowing(f"{name} = {', '.join(map(str, query.getlist(name)))}", without(query, name)) for name in rest]
    return found


def condition_words(conditions: Sequence[Condition], user: AbstractUser | AnonymousUser) -> list[str]:
    """Conditions as chips have them; a job by its title, where its history may be seen, with the reason asked for."""
    named = [split_job(each.value)[0] for each in conditions if each.field.type is FieldType.JOB]
    if not named or not user.has_perm("mobjects.view_syncjob"):
        return [each.words() for each in conditions]
    jobs = SyncJob.objects.defer("selection", "progress").in_bulk(named)
    return [_job_words(each, jobs) if each.field.type is FieldType.JOB else each.words() for each in conditions]


def _job_words(condition: Condition, jobs: Mapping[UUID, SyncJob]) -> str:
    number, status, key = split_job(condition.value)
    if (job := jobs.get(number)) is None:
        return condition.words()
    said = [str(condition.field.label), job_title(job), *([str(SyncResultStatus(status).label)] if status else [])]
    reason = find_shared_reason(job, status, key) if key else ""
    return ": ".join([*said, *([Truncator(translate_kept(reason)).chars(REASON_SHOWN)] if reason else [])])


def without(query: QueryDict, *names: str) -> QueryDict:
    """The query of an address without some of its parameters."""
    fewer = query.copy()
    for name in names:
        fewer.pop(name, None)
    return fewer
