"""The site's figures for Prometheus: read from database and Redis when they are asked for.

So every web process on every host gives the same answer, and none has to keep or share anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from django.db import Error, connection, transaction
from django.db.models import Count, Max, Sum
from django.db.models.functions import Coalesce
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.db.counting import read_bounded
from mobjects.figures.attention import CONDITIONS, STANDING_STATES, WAITING_IMPORT_STATES, read_waiting_work
from mobjects.figures.daily import CounterFigure, read_totals
from mobjects.jobs.host_clock import list_wrong_host_clocks
from mobjects.jobs.lease import EXPIRY
from mobjects.models import RECORD_MODELS, Import, SyncBatch, SyncJob, SyncJobState, WorkerLease
from mobjects.operations.metric_families import METRICS, RECENT_MINUTES
from mobjects.processes import status
from mobjects.sync import marketo_settings
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target

LEFT_AFTER = timedelta(seconds=30)
"""Work that is left alone for so long should have been begun."""
STATEMENT_SECONDS = 5
"""PostgreSQL ends a statement of ours that takes longer: a slow database is not to be made slower by its watchers."""

Values = Iterator[tuple[str, tuple[str, ...], float]]
"""Values by the name of their metric and those of their labels."""

logger = logging.getLogger(__name__)


class SiteCollector(Collector):
    """Reads all of :data:`METRICS`. Where database or Redis do not answer, ``up`` says so and the rest is there."""

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """What the client library asks for each time the page is read."""
        families = {metric.name: metric.new_family() for metric in METRICS}
        for part, read in (("database", _read_database), ("redis", _read_redis)):
            # All of a part or nothing: half of its figures would look like a site on which nothing happens.
            values = self._read(part, read)
            families["up"].add_metric([part], 0 if values is None else 1)
            for name, labels, value in values or ():
                families[name].add_metric(labels, value)
        return families.values()

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """What there is, without reading anything."""
        return [metric.new_family() for metric in METRICS]

    def _read(self, part: str, read: Callable[[], Values]) -> list[tuple[str, tuple[str, ...], float]] | None:
        try:
            return list(read())
        except (Error, RedisError) as error:
            # Its words may hold an address.
            logger.warning("Metrics of the %s could not be read: %s.", part, type(error).__name__)
            return None


def _read_database() -> Values:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
        yield from _read_jobs()
        yield from _read_counters()
        yield from _read_recent_batches()
        yield from _read_what_is_left()


def _read_jobs() -> Values:
    standing = SyncJob.objects.filter(state__in=STANDING_STATES).order_by()
    counted = dict.fromkeys(((_api(), str(state)) for state in STANDING_STATES), 0)
    for api, state, count in standing.values_list("transport", "state").annotate(count=Count("pk")):
        # A job that has not begun yet goes to the API that is set now.
        key = api or _api(), state
        counted[key] = counted.get(key, 0) + count
    yield from (("jobs", key, count) for key, count in counted.items())
    queued = SyncJob.objects.filter(state=SyncJobState.QUEUED, queued_at__isnull=False)
    oldest = queued.order_by("queued_at").values_list("queued_at", flat=True).first()
    now = clock.now()
    yield "queue_oldest_seconds", (), max(0.0, (now - oldest).total_seconds()) if oldest else 0
    yield "wrong_host_clocks", (), len(list_wrong_host_clocks())
    for work in ("job", "imported"):
        leases = WorkerLease.objects.filter(renewed_at__gte=now - EXPIRY, **{f"{work}__isnull": False})
        yield "lanes", ("import" if work == "imported" else work,), leases.count()


def _read_counters() -> Values:
    totals = CounterFigure
    names = {totals.ENDED: "jobs_ended_total", totals.ROWS: "rows_total", totals.SENT: "calls_total"}
    for figure, labels, value in read_totals():
        if figure == totals.WAITED:
            yield "call_seconds_total", tuple(labels), value / 1000
        else:
            yield names[totals(figure)], tuple(labels), value


def _read_recent_batches() -> Values:
    since = clock.now() - timedelta(minutes=RECENT_MINUTES)
    recent = SyncBatch.objects.filter(sent_at__gte=since).order_by()
    for api, state, count in recent.values_list("job__transport", "state").annotate(count=Count("pk")):
        yield "recent_batches", (api, state), count
    times = recent.values_list("job__transport").annotate(sum=Coalesce(Sum("seconds"), 0.0), max=Max("seconds"))
    for api, total, longest in times:
        yield "recent_call_seconds_sum", (api,), total
        yield "recent_call_seconds_max", (api,), longest or 0


def _read_what_is_left() -> Values:
    waiting = read_waiting_work(RECORD_MODELS, (), left_after=LEFT_AFTER)
    for kind in waiting.kinds:
        yield from (("records", (kind.kind.value, state), kind.counts[state]) for state in CONDITIONS)
    yield "decisions", (), waiting.undecided
    yield "halts", (), waiting.halts
    yield "work_left", (), waiting.left
    states = (*Import.WORKING_STATES, *WAITING_IMPORT_STATES)
    counted = read_bounded({str(state): Import.objects.filter(state=state) for state in states})
    yield from (("imports", (state,), count) for state, count in counted.items())


def _read_redis() -> Values:
    found = status.read()
    usage = RedisRateLimiter.from_settings(target()).read_usage()
    if not found.reachable or not usage:
        raise RedisError
    for name in status.LISTS:
        yield "queue_work", (name,), getattr(found, name)
    alive = [worker for worker in found.workers if worker.is_alive]
    busy = sum(worker.job_id is not None for worker in alive)
    counts = {"idle": len(alive) - busy, "busy": busy, "silent": len(found.workers) - len(alive)}
    yield from (("workers", (state,), count) for state, count in counts.items())
    yield "clocks", (), found.clocks
    today = {"used": usage.used_today, "share": usage.share, "quota": usage.quota, "elsewhere": usage.elsewhere}
    yield from (("quota_calls", (_api(), of), count) for of, count in today.items())
    yield "window_calls", (_api(), "used"), usage.in_window
    yield "window_calls", (_api(), "limit"), usage.window_limit
    yield "call_slots", (_api(), "now"), usage.slots
    yield "call_slots", (_api(), "set"), usage.slots_set


def _api() -> str:
    return str(marketo_settings.marketo()["TRANSPORT"])
