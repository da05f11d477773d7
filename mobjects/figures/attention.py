"""What needs a person, and what is left to send: read for the dashboard in a number of queries that never grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from mobjects import models
from mobjects.db.counting import BoundedFigures
from mobjects.models.synced_record import CHANGED

WAITING_IMPORT_STATES = (models.ImportState.MAPPING, models.ImportState.REVIEW)
"""States in which an import waits for a person."""
LATEST_JOBS = 20
"""So many of the newest jobs are looked at."""
STANDING_STATES = (
    *models.SyncJob.LIVE_STATES,
    models.SyncJobState.NOT_QUEUED,
    models.SyncJobState.PAUSED,
    models.SyncJobState.HELD,
)
"""Of jobs that are not over."""
BEATS_MISSED = timedelta(seconds=25)
"""Processes renew their lease every ten seconds; of one that missed two beats, and a little more, it is said."""
_FREE = Q(claimed_by__isnull=True)
_STANDS = CHANGED & _FREE & Q(revision__lte=F("answered_revision"))
CONDITIONS: dict[str, Q] = {
    "failed": _STANDS & Q(last_status=models.RecordStatus.FAILED),
    "skipped": _STANDS & Q(last_status=models.RecordStatus.SKIPPED),
    "unknown": _FREE & Q(last_status=models.RecordStatus.UNKNOWN),
    "unsent": CHANGED,
}
"""What is counted of each kind, by its name in the state filter of the list. All are found by an index."""


@dataclass(slots=True, eq=False)
class KindFigures:
    """How one kind stands.

    Args:
        counts: records by the names of :data:`CONDITIONS`, each up to the limit of :mod:`mobjects.db.counting`.
        newest: our id of the unsent record that was changed last; ``None`` if all are sent.
        newest_at: when that was.
    """

    kind: models.Kind
    counts: dict[str, int] = field(default_factory=dict)
    newest: int | None = None
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """What waits for a person, and what waits for a worker.

    Args:
        kinds: how each kind that was asked about stands.
        undecided: records about which a person has to decide.
        imports: imports that wait for a person.
        held: records that the job ``held_by`` held back and that are as they were then.
        left: jobs and imports that are to be worked on and are not.
        silent: those of them whose process was at work and gives no sign of life.
        halts: how many open halts there are.
        clocks: how many hosts were found to have a clock that is off, lately or not.
        approvals: how much work waits for approval.
        purges: how many kinds of what is over would go by themselves for the first time.
    """

    kinds: list[KindFigures]
    undecided: int
    imports: int
    held: int
    held_by: models.SyncJob | None
    left: int
    silent: int
    halts: int
    clocks: int
    purges: int
    approvals: int

    def total(self, what: str) -> int:
        """Records of all kinds, by a name of :data:`CONDITIONS`."""
        return sum(kind.counts[what] for kind in self.kinds)


def read_waiting_work(
    kinds: Iterable[models.Kind], jobs: Sequence[models.SyncJob], *, left_after: timedelta
) -> WaitingWork:
    """All of it, in one query, by the database's clock.

    Args:
        kinds: those that the reader may see.
        jobs: what :func:`read_latest_jobs` gave.
        left_after: work that no process is at is left after so long.
    """
    figures = [KindFigures(kind) for kind in kinds]
    held_by = next((job for job in jobs if job.counts.get(models.SyncResultStatus.HELD)), None)
    asked = _figures(tuple(figure.kind for figure in figures), left_after)
    if held_by is not None:
        asked = asked.and_those(BoundedFigures.of({"held": _held_results(held_by)}))
    found = asked.read()
    for figure in figures:
        figure.counts = {what: found[f"{figure.kind}:{what}"] for what in CONDITIONS}
        figure.newest = found[f"{figure.kind}:pk"]
        figure.newest_at = _as_moment(found[f"{figure.kind}:modified_at"])
    return WaitingWork(
        figures,
        undecided=found["undecided"],
        imports=found["imports"],
        held=found.get("held", 0),
        held_by=held_by,
        left=sum(count for name, count in found.items() if name.startswith("left:")),
        silent=sum(count for name, count in found.items() if name.startswith("silent:")),
        halts=found["halts"],
        clocks=found["clocks"],
        purges=found["purges"],
        approvals=found["approvals"],
    )


@cache
def _figures(kinds: tuple[models.Kind, ...], left_after: timedelta) -> BoundedFigures:
    """What is counted whoever asks. Writing some thirty statements takes longer than answering them."""
    asked: dict[str, QuerySet[Any]] = {
        f"{kind}:{what}": models.RECORD_MODELS[kind].objects.filter(condition)
        for kind in kinds
        for what, condition in CONDITIONS.items()
    }
    asked["undecided"] = models.Conflict.objects.filter(decided_at__isnull=True, answer="")
    asked["imports"] = models.Import.objects.filter(state__in=WAITING_IMPORT_STATES)
    asked |= {f"left:{number}": work for number, work in enumerate(_left_work(left_after))}
    asked |= {f"silent:{number}": work for number, work in enumerate(silent_work())}
    asked["halts"] = models.Circuit.objects.filter(reset_at__isnull=True)
    asked["clocks"] = models.HostClock.objects.all()
    asked["purges"] = models.PurgeLeave.objects.filter(given_at=None)
    asked["approvals"] = models.Approval.objects.filter(state=models.ApprovalState.WAITING)
    return BoundedFigures.of(asked, {name: rows for kind in kinds for name, rows in _newest(kind).items()})


def read_latest_jobs() -> list[models.SyncJob]:
    """The newest jobs, and all that are not over; newest first; one query. What they selected is not loaded."""
    newest = models.SyncJob.objects.order_by("-created_at", "-pk").values("pk")[:LATEST_JOBS]
    found = models.SyncJob.objects.filter(Q(state__in=STANDING_STATES) | Q(pk__in=newest))
    return list(found.defer("selection", "progress").order_by("-created_at", "-pk"))


def read_standing_jobs() -> list[models.SyncJob]:
    """The jobs that are not over, newest first."""
    found = models.SyncJob.objects.filter(state__in=STANDING_STATES)
    return list(found.defer("selection").order_by("-created_at", "-pk"))


def read_latest_imports(count: int) -> list[models.Import]:
    """The newest imports, without what is kept of their columns."""
    columns = ("headers", "samples", "mapping", "constants", "formats", "format_findings", "notes", "sheets")
    return list(models.Import.objects.defer(*columns).order_by("-pk")[:count])


def _left_work(left_after: timedelta) -> list[QuerySet[Any]]:
    """Jobs and imports that are to be worked on and are not."""
    states, fresh_since = models.SyncJobState, Now() - left_after
    due = Q(state=states.WAITING, waits_until__lte=Now())
    jobs = models.SyncJob.objects.filter(due | Q(state__in=(states.NOT_QUEUED, states.QUEUED, states.RUNNING)))
    imports = models.Import.objects.filter(state__in=models.Import.WORKING_STATES)
    # Not one that was made a moment ago: it is about to be queued.
    jobs, imports = jobs.filter(created_at__lt=fresh_since), imports.filter(step_at__lt=fresh_since)
    return [work.exclude(leases__renewed_at__gte=fresh_since) for work in (jobs, imports)]


def silent_work() -> list[QuerySet[Any]]:
    """Jobs and imports that a process has taken and that none of theirs has given a sign of life of for a while."""
    silent_since = Now() - BEATS_MISSED
    silent = models.WorkerLease.objects.filter(renewed_at__lt=silent_since)
    jobs = models.SyncJob.objects.filter(state=models.SyncJobState.RUNNING)
    imports = models.Import.objects.filter(state__in=models.Import.WORKING_STATES)
    return [
        jobs.filter(pk__in=silent.values("job")).exclude(leases__renewed_at__gte=silent_since),
        imports.filter(pk__in=silent.values("imported")).exclude(leases__renewed_at__gte=silent_since),
    ]


def _held_results(job: models.SyncJob) -> QuerySet[models.SyncResult]:
    """What a job held back and nobody changed since."""
    here = Q()
    for kind, model in models.RECORD_MODELS.items():
        records = model.objects.dirty().filter(pk=OuterRef("record_id"), revision=OuterRef("revision"))
        here |= Q(kind=kind.value) & Q(Exists(records))
    return job.results.filter(here, status=models.SyncResultStatus.HELD)


def _newest(kind: models.Kind) -> dict[str, QuerySet[Any]]:
    """Which unsent record was changed last, and when."""
    unsent = models.RECORD_MODELS[kind].objects.dirty().order_by("-modified_at")
    return {f"{kind}:{name}": unsent.values(name) for name in ("pk", "modified_at")}


def _as_moment(found: Any) -> datetime | None:
    """A moment as a statement of our own gives it: SQLite's is text without a zone, in UTC."""
    moment = parse_datetime(found) if isinstance(found, str) else found
    return make_aware(moment, UTC) if moment is not None and is_naive(moment) else moment
