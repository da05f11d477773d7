"""Reads for the history pages and the dashboard. The number of queries never grows with the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Now

from mobjects import models
from mobjects.imports.writing import commit
from mobjects.marketo.types import Kind
from mobjects.sync.send.selection import WHOLE_SIZE, SyncSelection, candidate_records, ordered_kinds, was_accepted_since

PAYLOAD_FIELDS = ("request", "response")
"""Columns that may hold a megabyte each; lists do without them."""

UNACCEPTED = (models.SyncResultStatus.NOT_SENT, models.SyncResultStatus.UNKNOWN)
RETRYABLE = models.SyncResult.PROBLEM_STATUSES
"""What a retry is about. An unknown outcome is one of them: it is looked up, or sent again where that is safe."""
STEPS = "steps"
"""Stands for all statuses that are only steps on the way."""
UNDECIDED = (
    models.SyncResultStatus.CONFLICT,
    models.SyncResultStatus.HELD,
    models.SyncResultStatus.UNKNOWN,
    models.SyncResultStatus.LOOKED_UP,
)
"""Results behind which there may be an open conflict."""
EVENTS_SHOWN = 20
RATE_SPAN = timedelta(seconds=60)
"""How far back the speed of a job is measured."""


def id_in(text: object, digits: int = 18) -> int | None:
    """The id that a text says; ``None`` if it says none.

    A number with more digits than the column takes is none either; PostgreSQL would refuse to look for it.
    """
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= digits:
        return int(text)
    return None


def batches_of(job: models.SyncJob) -> QuerySet[models.SyncBatch]:
    """A job's batches in the order in which they went out, without their payloads."""
    return _light(job.batches.all()).order_by("sequence", "attempt")


@dataclass(frozen=True, slots=True)
class JobTrouble:
    """A batch of a job that did not simply go through, a halt of sending because of it, or what somebody did to it.

    Args:
        at: when the batch was made, sending was halted, or somebody did it.
        number: of the batch; 0 of a halt, -1 of what somebody did.
        attempt, is_half: of the batch.
        state: of the batch; of what somebody did, its kind.
        why: the reason that is kept.
        pk: our own id of the row.
        reset_at: when sending was let go on.
        username: who let it go on, or did it.
    """

    at: datetime
    number: int
    attempt: int
    state: str
    is_half: bool
    why: str
    pk: int
    reset_at: datetime | None
    username: str


def troubles_of(job: models.SyncJob) -> list[JobTrouble]:
    """The newest further attempts, halves of refused batches, faults, halts and what people did to a job; one query."""
    notable = Q(attempt__gt=1) | Q(part_of__isnull=False) | ~Q(fault_text="")
    why = Case(When(cause="", then=F("fault_text")), default=F("cause"))
    never, nobody = Value(None, DateTimeField()), Value("", CharField())
    batches = job.batches.filter(notable).order_by()
    halts = models.Circuit.objects.filter(job=job).order_by()
    is_half = Case(When(part_of__isnull=False, then=Value(1)), default=Value(0))
    of_batches = batches.values_list("created_at", "sequence", "attempt", "state", is_half, why, "pk", never, nobody)
    zero, none = Value(0, IntegerField()), Value("", CharField())
    of_halts = halts.values_list("opened_at", zero, zero, none, zero, "reason", "pk", "reset_at", "username")
    events = models.AuditEvent.objects.filter(model="syncjob", object_id=str(job.pk)).order_by()
    done, no_time = Value(-1, IntegerField()), Value(None, DateTimeField())
    of_events = events.values_list("created_at", done, zero, "kind", zero, none, "pk", no_time, "username")
    rows: Any = of_batches.union(of_halts, of_events, all=True).order_by("-created_at")[: 3 * EVENTS_SHOWN]
    return [
        JobTrouble(at, number, attempt, state, bool(half), why, pk, reset_at, username)
        for at, number, attempt, state, half, why, pk, reset_at, username in rows
    ]


def unaccepted_batches(job: models.SyncJob) -> list[models.SyncBatch]:
    """The batches of a job that were not applied, or may not have been, and were not sent again since."""
    unaccepted = job.results.filter(status__in=UNACCEPTED).order_by().values("batch")
    return list(batches_of(job).filter(pk__in=unaccepted))


def records_per_second(job: models.SyncJob) -> float:
    """How fast a job has been within the last minute; 0 if nothing was answered."""
    if job.started_at is None:
        return 0.0
    done = job.batches.filter(state=models.SyncBatchState.ANSWERED, answered_at__gte=job.started_at)
    lately = done.filter(answered_at__gt=Now() - RATE_SPAN).exclude(operation="GET")
    found = lately.aggregate(records=Sum("size"), now=Max(Now()))
    if found["now"] is None:
        return 0.0
    seconds: float = min(RATE_SPAN, found["now"] - job.started_at).total_seconds()
    return found["records"] / seconds if seconds >= 1 else 0.0


def related_batches(
    batch: models.SyncBatch,
) -> tuple[list[models.SyncBatch], list[models.SyncBatch], list[models.SyncBatch]]:
    """The batches that a batch belongs together with.

    Returns:
        All attempts at it, itself included; the halves it was split into; what it is a half of, and what that is a
        half of, and so on.
    """
    attempts = _light(models.SyncBatch.objects.filter(job=batch.job_id, sequence=batch.sequence)).order_by("attempt")
    halves = _light(models.SyncBatch.objects.filter(part_of=batch)).order_by("sequence", "attempt")
    above: list[models.SyncBatch] = []
    whole = batch.part_of_id
    while whole is not None:
        above.append(_light(models.SyncBatch.objects.all()).get(pk=whole))
        whole = above[-1].part_of_id
    return list(attempts), list(halves), above


def _light(batches: QuerySet[models.SyncBatch]) -> QuerySet[models.SyncBatch]:
    heavy = [*PAYLOAD_FIELDS, *(f"part_of__{name}" for name in PAYLOAD_FIELDS)]
    return batches.select_related("part_of").defer(*heavy)


def results_left(job: models.SyncJob) -> QuerySet[models.SyncResult]:
    """Results of a job that ended whose records can be tried again: not accepted, and not accepted since either."""
    return job.results.filter(is_left(job)) if may_repeat(job) else models.SyncResult.objects.none()


def may_repeat(job: models.SyncJob) -> bool:
    """Whether records of a job can be sent again by another one."""
    return job.action in models.SyncJob.SENDING_ACTIONS and job.state in models.SyncJob.FINAL_STATES


def is_left(job: models.SyncJob) -> Q:
    """The condition that a result is among the :func:`results_left` of a job that may be repeated."""
    here = _record_is_here(tuple(Kind), changed=not job.selection.get("resend"))
    return here & Q(status__in=RETRYABLE) & ~Q(was_accepted_since())


def is_uncorrected(action: str, resend: bool | None, kinds: Iterable[Kind] = tuple(Kind)) -> Q:
    """The condition that a result is no success, and its record is as it was then and was not accepted since.

    Args:
        action: of the job.
        resend: whether it sends what did not change as well.
        kinds: those of the results.
    """
    was_changed = action in models.SyncJob.SENDING_ACTIONS and not resend
    here = _record_is_here(kinds, changed=was_changed, revision=OuterRef("revision"))
    # What is changed and as it was then was not accepted since.
    return here & Q(status__in=RETRYABLE) & (Q() if was_changed else ~Q(was_accepted_since()))


def _record_is_here(kinds: Iterable[Kind], *, changed: bool, **same: OuterRef) -> Q:
    """The condition that a result is about a record of some kinds that was not deleted here.

    Args:
        changed: whether Marketo lacks something of it.
        same: what it has as the result has it.
    """
    here = Q()
    for kind in kinds:
        records = models.RECORD_MODELS[kind].objects.filter(pk=OuterRef("record_id"), **same)
        here |= Q(kind=kind.value) & Q(Exists(records.dirty() if changed else records))
    return here


def has_left(job: models.SyncJob) -> bool:
    """Whether anything of what a job was asked to send is left to be sent."""
    selection = SyncSelection.from_json(job.selection)
    for part in selection.iter_parts(WHOLE_SIZE):
        found = [candidate_records(kind, part).order_by().values("pk") for kind in ordered_kinds(selection)]
        if found and found[0].union(*found[1:], all=True).exists():
            return True
    return False


def existing_records(results: Iterable[models.SyncResult]) -> dict[tuple[str, int], str]:
    """Which records of some results still exist, by (kind, id), and their keys; one query for each kind among them.

    Returns:
        The external IDs; "" for records that have none.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for result in results:
        wanted[result.kind].add(result.record_id)
    found: dict[tuple[str, int], str] = {}
    for kind, ids in wanted.items():
        key = "external_id" if Kind(kind) is Kind.OPPORTUNITY else "pk"
        records = models.RECORD_MODELS[Kind(kind)].objects.filter(pk__in=ids).values_list("pk", key)
        found |= {(kind, pk): (name or "") if key != "pk" else "" for pk, name in records}
    return found


def open_conflicts(results: Iterable[models.SyncResult]) -> dict[tuple[str, int], int]:
    """Ids of the open conflicts about the records of some results, by (kind, id of the record)."""
    about = {(result.kind, result.record_id) for result in results if result.status in UNDECIDED}
    if not about:
        return {}
    conflicts = models.Conflict.objects.filter(decided_at__isnull=True, record_id__in={pk for _, pk in about})
    found = {(kind, record): pk for kind, record, pk in conflicts.values_list("kind", "record_id", "pk")}
    return {record: pk for record, pk in found.items() if record in about}


def latest_results(kind: Kind, record_id: int, *groups: Sequence[str]) -> list[models.SyncResult | None]:
    """How a record's last job of each group of actions ended, not what was done on the way; one query.

    Returns:
        For each group a result with its job; ``None`` if there was none.
    """
    results = models.SyncResult.objects.filter(kind=kind.value, record_id=record_id)
    ended = results.exclude(status__in=models.SyncResult.PASSING_STATUSES).order_by("-pk")
    newest = [Q(pk=Subquery(ended.filter(job__action__in=actions).values("pk")[:1])) for actions in groups]
    found = list(models.SyncResult.objects.filter(reduce(or_, newest)).select_related("job"))
    return [next((result for result in found if result.job.action in actions), None) for actions in groups]


@dataclass(frozen=True, slots=True)
class Standing:
    """What every page says: how many records wait for a person's decision (those that were left on purpose are not
    counted), how much waits for approval, and why nothing, or nothing of a kind, is sent at present.
    """

    undecided: int
    approvals: int
    circuits: list[models.Circuit]
    unread: int = 0


def read_standing(user_id: int | None = None) -> Standing:
    """All in one statement: every page asks for it.

    Args:
        user_id: whose unread notices are counted.
    """
    conflicts, circuits = models.Conflict._meta.db_table, models.Circuit._meta.db_table
    approvals, waiting = models.Approval._meta.db_table, models.ApprovalState.WAITING.value
    deliveries = models.NoticeDelivery._meta.db_table
    found = models.Circuit.objects.raw(
        f"SELECT c.*, u.undecided, a.approvals, n.unread FROM (SELECT COUNT(*) AS undecided FROM {conflicts}"  # noqa: S608
        f" WHERE decided_at IS NULL AND answer = '') u CROSS JOIN (SELECT COUNT(*) AS approvals FROM {approvals}"
        f" WHERE state = '{waiting}') a CROSS JOIN (SELECT COUNT(*) AS unread FROM {deliveries}"
        " WHERE user_id = %s AND channel = 'inbox' AND read_at IS NULL) n"
        f" LEFT JOIN {circuits} c ON c.reset_at IS NULL ORDER BY c.kind",
        [user_id or 0],
    )
    rows: list[Any] = list(found)
    standing = [row for row in rows if row.pk is not None]
    return Standing(rows[0].undecided, rows[0].approvals, standing, rows[0].unread)


def decisions_about(kind: Kind, record_id: int) -> QuerySet[models.Conflict]:
    """All that a person had to decide about one record, newest first."""
    return models.Conflict.objects.filter(kind=kind.value, record_id=record_id).order_by("-created_at", "-pk")


def neighbour_ids(batch: models.SyncBatch) -> tuple[int | None, int | None]:
    """The ids of the batches before and after one in its job."""
    ids = list(batch.job.batches.order_by("sequence", "attempt").values_list("pk", flat=True))
    place = ids.index(batch.pk)
    return ids[place - 1] if place else None, ids[place + 1] if place + 1 < len(ids) else None


def open_circuits() -> list[models.Circuit]:
    """Why nothing, or nothing of a kind, is sent at present; that all is halted comes first."""
    return list(models.Circuit.objects.filter(reset_at__isnull=True).order_by("kind"))


def latest_circuits(count: int) -> list[models.Circuit]:
    """The newest times that sending was halted."""
    return list(models.Circuit.objects.select_related("job").order_by("-opened_at", "-pk")[:count])


# --- imports --------------------------------------------------------------------------------


def events_on(model: str, pk: object) -> list[models.AuditEvent]:
    """What people did to one object, the newest last, as far as its page shows it.

    Args:
        model: the name of its model.
    """
    found = models.AuditEvent.objects.filter(model=model, object_id=str(pk)).order_by("-pk")[:EVENTS_SHOWN]
    return list(reversed(found))


def values_cleared(imported: models.Import) -> int:
    """How many values the blank cells of an import cleared, in the rows that it wrote."""
    if not imported.blanks:
        return 0
    found = models.ImportRow.objects.filter(imported=imported, cleared__gt=0)
    written = commit.annotate_change(found).exclude(change=None)  # type: ignore[misc]  # an alias
    return int(written.aggregate(total=Sum("cleared"))["total"] or 0)
