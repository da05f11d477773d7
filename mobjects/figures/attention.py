"""What needs a person, and what is left to send: read for the dashboard in a number of queries that never grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
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
SAMPLE = 100
"""In so many records of a matter the job is looked for that most of them come from."""
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
HELD = "held"
"""The name of what is counted besides; see :func:`is_held_still`."""
_REPORTED_BY = {
    "failed": models.SyncResultStatus.FAILED,
    "skipped": models.SyncResultStatus.SKIPPED,
    "unknown": models.SyncResultStatus.UNKNOWN,
    HELD: models.SyncResultStatus.HELD,
}
"""The results that tell of a matter."""


@dataclass(slots=True, eq=False)
class KindFigures:
    """How one kind stands.

    Args:
        counts: records by the names of :data:`CONDITIONS` and :data:`HELD`, each up to the limit of
            :mod:`mobjects.db.counting`.
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
        causes: of what is counted of records, a job from which some of it comes and that is among the newest.
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
    causes: dict[str, models.SyncJob]
    left: int
    silent: int
    halts: int
    clocks: int
    purges: int
    approvals: int

    def total(self, what: str) -> int:
        """Records of all kinds, by a name of their counts."""
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
    asked_kinds = tuple(figure.kind for figure in figures)
    asked = _figures(asked_kinds, left_after)
    if reported := tuple(what for what, status in _REPORTED_BY.items() if what != HELD and _with_results(jobs, status)):
        asked = asked.and_those(_figures_behind(asked_kinds, reported))
    if holding := _with_results(jobs, models.SyncResultStatus.HELD):
        asked = asked.and_those(_held_figures(asked_kinds, holding))
    found = asked.read()
    for figure in figures:
        figure.counts = {what: found.get(f"{figure.kind}:{what}", 0) for what in (*CONDITIONS, HELD)}
        figure.newest = found[f"{figure.kind}:pk"]
        figure.newest_at = _as_moment(found[f"{figure.kind}:modified_at"])
    return WaitingWork(
        figures,
        undecided=found["undecided"],
        imports=found["imports"],
        causes=_causes(found, jobs),
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


@cache
def _figures_behind(kinds: tuple[models.Kind, ...], reported: tuple[str, ...]) -> BoundedFigures:
    """From which jobs most of some matters comes."""
    behind = {f"{kind}:{what}:job": _job_behind(kind, what) for kind in kinds for what in reported}
    return BoundedFigures.of({}, behind)


def _held_figures(kinds: tuple[models.Kind, ...], holding: Sequence[UUID]) -> BoundedFigures:
    """What jobs held back and is as it was then, and the newest of them of which that is so."""
    counted = {
        f"{kind}:{HELD}": models.RECORD_MODELS[kind].objects.filter(is_held_still(kind, holding)) for kind in kinds
    }
    stands = Q()
    for kind in kinds:
        same = {"pk": OuterRef("record_id"), "revision": OuterRef("revision")}
        stands |= Q(kind=kind.value) & Q(Exists(models.RECORD_MODELS[kind].objects.filter(CHANGED & _FREE, **same)))
    held = models.SyncResult.objects.filter(stands, job=OuterRef("pk"), status=models.SyncResultStatus.HELD).order_by()
    newest = models.SyncJob.objects.filter(Exists(held), pk__in=holding).order_by("-created_at", "-pk")
    return BoundedFigures.of(counted, {f"{HELD}:job": newest.values("pk")} if kinds else {})


def _with_results(jobs: Sequence[models.SyncJob], status: models.SyncResultStatus) -> list[UUID]:
    return [job.pk for job in jobs if job.counts.get(status)]


def read_latest_jobs() -> list[models.SyncJob]:
    """The newest jobs, and all that are not over; newest first; one query. What they selected is not loaded."""
    newest = models.SyncJob.objects.order_by("-created_at", "-pk").values("pk")[:LATEST_JOBS]
    found = models.SyncJob.objects.filter(Q(state__in=STANDING_STATES) | Q(pk__in=newest))
    return list(found.defer("selection", "progress").order_by("-created_at", "-pk"))


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


def find_holding_jobs() -> list[UUID]:
    """Those of the newest jobs, and of all that are not over, that held records back; one query."""
    return _with_results(read_latest_jobs(), models.SyncResultStatus.HELD)


def is_held_still(kind: models.Kind, holding: Sequence[UUID]) -> Q:
    """The condition that one of some jobs held a record back, and nobody changed or sent it since."""
    held = models.SyncResult.objects.filter(job__in=holding, status=models.SyncResultStatus.HELD, kind=kind.value)
    return CHANGED & _FREE & Q(Exists(held.filter(record_id=OuterRef("pk"), revision=OuterRef("revision"))))


def _job_behind(kind: models.Kind, what: str) -> QuerySet[Any]:
    """The job that most of a matter comes from, of several the newest, as far as a sample tells."""
    sample = models.RECORD_MODELS[kind].objects.filter(CONDITIONS[what]).order_by()[:SAMPLE]
    same = models.RECORD_MODELS[kind].objects.filter(pk=OuterRef("record_id"), answered_revision=OuterRef("revision"))
    results = models.SyncResult.objects.filter(
        kind=kind.value, status=_REPORTED_BY[what], record_id__in=sample.values("pk")
    )
    jobs = results.filter(Exists(same)).order_by().values("job").annotate(count=Count("pk"), last=Max("pk"))
    return jobs.order_by("-count", "-last").values("job")


def _causes(found: Mapping[str, Any], jobs: Sequence[models.SyncJob]) -> dict[str, models.SyncJob]:
    """The newest of the jobs that were found behind each matter."""
    causes = {}
    for what in _REPORTED_BY:
        # SQLite gives the number of a job as text.
        behind = {str(pk).replace("-", "") for name, pk in found.items() if f":{name}".endswith(f":{what}:job")}
        if job := next((job for job in jobs if job.pk.hex in behind), None):
            causes[what] = job
    return causes


def _newest(kind: models.Kind) -> dict[str, QuerySet[Any]]:
    """Which unsent record was changed last, and when."""
    unsent = models.RECORD_MODELS[kind].objects.dirty().order_by("-modified_at")
    return {f"{kind}:{name}": unsent.values(name) for name in ("pk", "modified_at")}


def _as_moment(found: Any) -> datetime | None:
    """A moment as a statement of our own gives it: SQLite's is text without a zone, in UTC."""
    moment = parse_datetime(found) if isinstance(found, str) else found
    return make_aware(moment, UTC) if moment is not None and is_naive(moment) else moment
