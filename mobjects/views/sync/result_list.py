"""Results as a list: what its address asks for, a page of it, and the page that lists those of all jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects import result_queries, selectors
from mobjects.models import Kind, SyncJob, SyncResultStatus
from mobjects.models.sync_history import KIND_CHOICES
from mobjects.presentation.history.opportunity_names import link_in_results
from mobjects.presentation.vocabulary import STATUS_ORDER
from mobjects.result_queries import ANY, PROBLEMS, ResultFilter
from mobjects.views.base import history_crumb, may_see_kind, render_page, require_permission
from mobjects.views.saved_views import shown_views

PER_PAGE = 50
STATUSES = {each.value for each in SyncResultStatus} | {ANY, PROBLEMS, selectors.STEPS}
PLACES = ("after", "before", "page", "batches", "costs-page", "tags-page")
"""Parameters that say which page of a list, not what is listed."""


@dataclass(frozen=True, slots=True)
class AskedDates:
    """Two days as an address says them; "" where it says none that there is."""

    since: str
    until: str


def read_dates(request: HttpRequest) -> AskedDates:
    """The days that an address names."""
    return AskedDates(*(_day_text(request.GET.get(name, "")) for name in ("since", "until")))


def read_filter(request: HttpRequest, job: SyncJob | None = None) -> ResultFilter:
    """What an address asks for. Without a status and a search it means what a person looks at first, if there is any.

    Args:
        job: whose results are listed; ``None`` means of all jobs.
    """
    given, days = request.GET, read_dates(request)
    kind = given.get("kind", "")
    asked = ResultFilter(
        job=job.pk if job else None,
        status=given.get("status", ""),
        search=given.get("q", "").replace("\0", "").strip()[:200],
        same_as=selectors.id_in(given.get("same")),
        kind=kind if kind in tuple(Kind) else "",
        record=selectors.id_in(given.get("record")),
        since=start_of_day(days.since),
        until=start_of_day(days.until, days=1),
    )
    if asked.status in STATUSES:
        return asked
    return replace(asked, status=PROBLEMS if _shows_problems(asked, job) else ANY)


def list_query(request: HttpRequest) -> str:
    """What an address asks for, without the page; to be put behind another address."""
    query = request.GET.copy()
    for name in PLACES:
        query.pop(name, None)
    return query.urlencode()


def list_parts(request: HttpRequest, asked: ResultFilter, job: SyncJob | None = None) -> dict[str, Any]:
    """What the table of results shows; see templates/mobjects/sync/results/_table.html.

    Args:
        asked: which results.
        job: theirs, if they are of one.
    """
    before, after = (selectors.id_in(request.GET.get(name)) for name in ("before", "after"))
    place = {"after": after, "before": before if after is None else None}
    found = result_queries.with_links(result_queries.find_results(asked), job)
    reach = result_queries.find_reach(asked, **place)
    page = result_queries.read_within(found, reach, PER_PAGE, **place)
    rows: Iterable[Any] = page  # annotated
    return {
        "rows": page,
        "reach": reach if reach and reach.older and page.after == reach.low else None,
        "reached": result_queries.REACH,
        "existing": {(row.kind, row.record_id): row.key_here for row in rows if row.key_here is not None},
        "conflicts": {(row.kind, row.record_id): row.open_conflict for row in rows if row.open_conflict},
        "left": {row.pk for row in rows if row.is_left},
        "value_names": link_in_results(rows, linked=may_see_kind(request, Kind.OPPORTUNITY)),
        "asked": asked,
        "list_query": list_query(request),
    }


@require_GET
@require_permission("mobjects.view_syncresult")
def results_page(request: HttpRequest) -> HttpResponse:
    """What became of records over all jobs, the newest first."""
    asked = read_filter(request)
    return render_page(
        request,
        "sync/results/page.html",
        _("Results"),
        crumbs=(history_crumb(),),
        saved=shown_views(request, "results"),
        statuses=[
            (PROBLEMS, _("Not accepted")),
            (ANY, _("All")),
            *((each.value, each.label) for each in STATUS_ORDER),
        ],
        kinds=KIND_CHOICES,
        days=read_dates(request),
        address=reverse("admin:mobjects_syncresult_changelist"),
        of_all_jobs=True,
        **list_parts(request, asked),
    )


def _shows_problems(asked: ResultFilter, job: SyncJob | None) -> bool:
    if asked.is_narrowed:
        return False
    return job is None or (job.state in SyncJob.FINAL_STATES and any(map(job.counts.get, selectors.RETRYABLE)))


def _day_text(text: str) -> str:
    try:
        return text if parse_date(text) else ""
    except ValueError:  # Such as 30 February.
        return ""


def start_of_day(day: str, days: int = 0) -> datetime | None:
    """The first moment of a day, or of one that comes so many days later, in the zone of whoever reads."""
    if not day or not (date := parse_date(day)) or date.year >= 9999:
        return None
    return timezone.make_aware(datetime.combine(date + timedelta(days=days), time.min))
