"""Figures kept by day: added up when a job ends, read by the dashboard in one query.

Nothing is counted anew: the number of rows is that of the days, not that of the results.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate

from mobjects import clock
from mobjects.marketo.reason_masking import mask_reason
from mobjects.models import RECORD_MODELS, DailyFigure, SyncJob, SyncResult

Figure = DailyFigure.Figure


class CounterFigure(StrEnum):
    """What monitoring reads, kept beside the figures of the charts; their keys are words with blanks between them."""

    ENDED = "ended"
    """Jobs that ended, by API, action and state."""
    ROWS = "rows"
    """Results of jobs that ended, by API and status."""
    SENT = "sent"
    """Calls to Marketo, by API."""
    WAITED = "waited"
    """Milliseconds that calls took, by API."""


RECOUNT_AFTER = timedelta(hours=1)
"""Records are counted at most once in so long: counting takes time with their number."""
REASONS_READ = 1000
"""So many different reasons of one job are looked at; a job hardly has more that are worth telling apart."""
REASONS_KEPT = 20
"""So many reasons of one job are kept, the most frequent ones; the rest is kept as one."""
OTHER_REASONS = ""
"""The key of the rest."""
REASON_LENGTH = 120
SYNCED, UNSENT = "synced", "unsent"
"""Keys of :attr:`Figure.RECORDS`: what Marketo holds as it is here, and what it does not."""
OF_CHARTS = (Figure.OUTCOMES, Figure.REASONS, Figure.CALLS, Figure.RECORDS)
"""What the dashboard draws."""
NO_API = "none"
"""Stands for the API of a job that ended before it opened one."""

_ADD = """
    INSERT INTO {table} (day, figure, key, value, written_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (day, figure, key)
    DO UPDATE SET value = {table}.value + EXCLUDED.value, written_at = EXCLUDED.written_at
"""


def count_ended_job(sender: object, work: SyncJob, **_: Any) -> None:
    """Add an ended job to the figures of its days; a receiver of the signal that it came to rest.

    Runs in the transaction that ends the job, so it is counted once and only if it ended.
    """
    if work.state not in SyncJob.FINAL_STATES:
        return
    today = (work.finished_at or clock.now()).astimezone(UTC).date()
    added: Counter[tuple[date, str, str]] = Counter()
    if work.action in SyncJob.SENDING_ACTIONS:
        added.update({(today, Figure.OUTCOMES, status): count for status, count in work.counts.items()})
        added.update({(today, Figure.REASONS, reason): count for reason, count in _reasons(work).items()})
    calls = _calls(work)
    added.update({(day, Figure.CALLS, ""): count for day, count in calls.items()})
    api = work.transport or NO_API
    added[today, CounterFigure.ENDED, f"{api} {work.action} {work.state}"] += 1
    added.update({(today, CounterFigure.ROWS, f"{api} {status}"): count for status, count in work.counts.items()})
    added[today, CounterFigure.SENT, api] += sum(calls.values())
    added[today, CounterFigure.WAITED, api] += _milliseconds(work)
    _add(added)


def count_late_ends(
    sender: object, work: SyncJob, counts: Mapping[str, int], reasons: Mapping[str, int], **_: Any
) -> None:
    """Correct the figures of a job's day once what was unknown at its end is known; a receiver of the signal for that.

    Counters of monitoring only grow, and stay.

    Args:
        counts: by status; negative for what is no longer so.
        reasons: by words, likewise.
    """
    if work.action not in SyncJob.SENDING_ACTIONS or work.finished_at is None:
        return
    day = work.finished_at.astimezone(UTC).date()
    changed = Counter({(Figure.OUTCOMES, status): count for status, count in counts.items()})
    for reason, count in reasons.items():
        changed[Figure.REASONS, mask_reason(reason)[:REASON_LENGTH]] += count
    for (figure, key), count in sorted(changed.items()):
        if count > 0:
            _add({(day, figure, key): count})
        elif not _subtract(day, figure, key, -count) and figure == Figure.REASONS:
            _subtract(day, figure, OTHER_REASONS, -count)


def _subtract(day: date, figure: str, key: str, count: int) -> bool:
    """Subtract from a figure what was added to it; ``False`` if it holds less."""
    found = DailyFigure.objects.filter(day=day, figure=figure, key=key, value__gte=count)
    return bool(found.update(value=F("value") - count, written_at=clock.now()))


def count_records_if_due() -> None:
    """Count the records that Marketo holds as they are here and those that it does not, once an hour, for today."""
    now = clock.now()
    today = DailyFigure.objects.filter(day=now.date(), figure=Figure.RECORDS)
    if today.filter(written_at__gt=now - RECOUNT_AFTER).exists():
        return
    counted = {SYNCED: 0, UNSENT: 0}
    for model in RECORD_MODELS.values():
        unsent = model.objects.dirty().count()
        counted[UNSENT] += unsent
        counted[SYNCED] += model.objects.count() - unsent
    rows = [DailyFigure(day=now.date(), figure=Figure.RECORDS, key=key, value=value) for key, value in counted.items()]
    DailyFigure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["day", "figure", "key"], update_fields=["value", "written_at"]
    )


def read_totals() -> Iterator[tuple[str, list[str], int]]:
    """Each counter that monitoring reads: its figure, the words of its key, and its value over all days; one query."""
    found = DailyFigure.objects.filter(figure__in=list(CounterFigure)).order_by()
    for figure, key, value in found.values_list("figure", "key").annotate(total=Sum("value")):
        yield figure, key.split(" "), value


def read_figures(days: int) -> dict[str, dict[date, dict[str, int]]]:
    """What the charts draw of the newest days; one query.

    Args:
        days: how many, today included.

    Returns:
        Values by figure, day and key; days without any are left out.
    """
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    found: dict[str, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    kept = DailyFigure.objects.filter(day__gte=since, figure__in=OF_CHARTS)
    for figure, day, key, value in kept.values_list("figure", "day", "key", "value"):
        found[figure][day][key] = value
    return found


def _reasons(job: SyncJob) -> Mapping[str, int]:
    """How many records of a job were not accepted, by masked reason."""
    refused = job.results.exclude(error="").exclude(
        status__in=SyncResult.ACCEPTED_STATUSES | SyncResult.PASSING_STATUSES
    )
    rows = refused.order_by().values_list("error").annotate(count=Count("pk")).order_by("-count", "error")
    found: Counter[str] = Counter()
    for reason, count in rows[:REASONS_READ]:
        found[mask_reason(reason)[:REASON_LENGTH]] += count
    kept = dict(found.most_common(REASONS_KEPT))
    if rest := refused.count() - sum(kept.values()) if found else 0:
        kept[OTHER_REASONS] = kept.get(OTHER_REASONS, 0) + rest
    return kept


def _calls(job: SyncJob) -> Mapping[date, int]:
    """How many calls a job made, by day."""
    sent = job.batches.filter(sent_at__isnull=False).order_by()
    by_day = sent.annotate(day=TruncDate("sent_at", tzinfo=UTC)).values_list("day")
    # Two queries: a join of both would count every batch as often as it has earlier calls.
    counted = Counter(dict(by_day.annotate(count=Count("pk"))))
    earlier = by_day.filter(earlier_calls__isnull=False).annotate(count=Count("earlier_calls"))
    counted.update(dict(earlier))
    return counted


def _milliseconds(job: SyncJob) -> int:
    """How long Marketo took to answer a job's calls; the seconds of a batch are those of all its calls."""
    return round((job.batches.aggregate(total=Sum("seconds"))["total"] or 0.0) * 1000)


def _add(added: Mapping[tuple[date, str, str], int]) -> None:
    """Add to figures; in one order, so that two jobs that end at once wait for each other and do not lock up."""
    written_at = connection.ops.adapt_datetimefield_value(clock.now())
    statement = _ADD.format(table=connection.ops.quote_name(DailyFigure._meta.db_table))
    as_date = connection.ops.adapt_datefield_value
    rows = [
        (as_date(day), str(figure), key, count, written_at)
        for (day, figure, key), count in sorted(added.items())
        if count
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
