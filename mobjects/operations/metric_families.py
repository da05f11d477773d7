"""Each metric of the site: its name, its labels and what it says. docs/operations.md has the same table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

PREFIX = "marketo_admin_"
RECENT_MINUTES = 5
"""Calls are looked at one by one for so long; older ones are in the counters only."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. A counter only grows, and its name ends with ``_total``.

    Args:
        name: without :data:`PREFIX`.
        labels: in the order in which values are given.
        says: what it counts.
    """

    name: str
    labels: Sequence[str]
    says: str

    def new_family(self) -> CounterMetricFamily | GaugeMetricFamily:
        """An empty family, as the client library wants it; the library puts ``_total`` behind a counter's name."""
        name = f"{PREFIX}{self.name}"
        if name.endswith("_total"):
            return CounterMetricFamily(name.removesuffix("_total"), self.says, labels=self.labels)
        return GaugeMetricFamily(name, self.says, labels=self.labels)


METRICS: Sequence[Metric] = (
    Metric("up", ("part",), "Whether database and redis answered; without one of them its metrics are missing"),
    Metric("jobs", ("api", "state"), "Jobs that are not over"),
    Metric("jobs_ended_total", ("api", "action", "state"), "Jobs that ended, counted when they end"),
    Metric(
        "rows_total",
        ("api", "status"),
        "Results of records, counted when their job ends; UNKNOWN: was so then",
    ),
    Metric("calls_total", ("api",), "Calls to Marketo, counted when their job ends"),
    Metric("call_seconds_total", ("api",), "Seconds that these calls took"),
    Metric("recent_batches", ("api", "state"), f"Batches that were begun in the last {RECENT_MINUTES} minutes"),
    Metric("recent_call_seconds_sum", ("api",), "Seconds that their calls took"),
    Metric("recent_call_seconds_max", ("api",), "The longest of them"),
    Metric("queue_oldest_seconds", (), "How long the oldest job has been queued that no worker has begun; 0 if none"),
    Metric("queue_work", ("list",), "Pieces of work in the queue: waiting, running, failed"),
    Metric("workers", ("state",), "Workers: idle, busy, silent (no sign of life for 25 s)"),
    Metric("clocks", (), "Processes of manage.py clock that run; there should be 1"),
    Metric("lanes", ("work",), "Processes that work on a job or an import and gave a sign of life"),
    Metric("work_left", (), "Jobs and imports that are due, and that nobody works on"),
    Metric("imports", ("state",), "Imports that are worked on, or wait for a person"),
    Metric("records", ("kind", "state"), "Records that are unsent, failed, skipped or unknown; counted up to 10,001"),
    Metric("decisions", (), "Records about which a person has to decide; counted up to 10,001"),
    Metric("halts", (), "Halts of sending that nobody has reset"),
    Metric("wrong_host_clocks", (), "Hosts whose clock was off by more than 60 s in the last 10 minutes"),
    Metric("quota_calls", ("api", "of"), "Calls today: used, share (ours), quota (all callers), elsewhere (others)"),
    Metric("window_calls", ("api", "of"), "Calls in Marketo's window of 20 seconds: used, limit"),
    Metric("call_slots", ("api", "of"), "Calls that may run at once: now, set"),
)
