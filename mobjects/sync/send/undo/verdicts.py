"""What of a sending can be taken back now, and why the rest cannot. Conditions in SQL, as for what is sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_noop

from mobjects.db.counting import read_bounded
from mobjects.formatting import to_sentence
from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, SyncJob, SyncResult, SyncResultStatus, records_of_kind
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX, TAG_PREFIX
from mobjects.models.synced_record import UNDER_WAY
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.payload import COMPANY_ID, COMPANY_KEY, FieldDifference, KeyFields

CHANGED_THERE = (SyncResultStatus.CREATED, SyncResultStatus.UPDATED)
"""After these Marketo holds something else than before."""
KNOWN_BEFORE = (
    *CHANGED_THERE,
    SyncResultStatus.UNCHANGED,
    SyncResultStatus.EQUAL,
    SyncResultStatus.ADDED,
    SyncResultStatus.TAKEN,
    SyncResultStatus.SAME,
)
"""After these it is known what Marketo holds."""

GONE = gettext_noop("it was deleted here")
WAS_CREATED = gettext_noop("this sending created it in Marketo; to take that back, delete it there")
CHANGED_SINCE_SENT = gettext_noop("it was changed here since")
IS_UNDER_WAY = gettext_noop("it is being sent right now, or the outcome of its last sending is unknown")
IS_UNDECIDED = gettext_noop("a person has to decide about it first; see “To decide”")
NOT_KNOWN_BEFORE = gettext_noop("what Marketo held before is not known: it had accepted nothing of it until then")
NOTHING_LEFT = gettext_noop("nothing of what it changed can be taken back through Marketo's API")

LEFT_ALONE = {
    "created": WAS_CREATED,
    "gone": GONE,
    "changed": CHANGED_SINCE_SENT,
    "under-way": IS_UNDER_WAY,
    "undecided": IS_UNDECIDED,
    "not-known": NOT_KNOWN_BEFORE,
}
"""Why a record is left alone, by a name for addresses."""


@dataclass(frozen=True, slots=True)
class UndoGroup:
    """How many records of a sending share a reason to be left alone; those with none ("") are taken back."""

    kind: Kind
    reason: str
    count: int

    @property
    def name(self) -> str:
        """Of the reason, for addresses; "" if there is none."""
        return next((name for name, reason in LEFT_ALONE.items() if reason == self.reason), "")

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return to_sentence(self.reason) if self.reason else ""


@dataclass(frozen=True, slots=True)
class OldValues:
    """What of one record's sending is taken back.

    Args:
        back: name, what was sent, what it is put back to.
        kept: what cannot be taken back, in words.
    """

    back: Sequence[FieldDifference]
    kept: Sequence[str]


def can_be_undone(job: SyncJob) -> bool:
    """Whether a job has sent something, is over, and what it sent is still kept."""
    over = job.action in SyncJob.SENDING_ACTIONS and job.state in SyncJob.FINAL_STATES
    return over and job.values_removed_at is None


def judged_results(job: SyncJob, kind: Kind) -> QuerySet[Any]:
    """The results of a job after which Marketo holds something else, by rising id, annotated with ``left``: why the
    record is left alone, or "". What was sent without a difference changed nothing, and is not among them.
    """
    record = records_of_kind(kind).filter(pk=OuterRef("record_id")).order_by()
    earlier = SyncResult.objects.filter(
        kind=kind.value, record_id=OuterRef("record_id"), pk__lt=OuterRef("pk"), status__in=KNOWN_BEFORE
    )
    undecided = Conflict.objects.filter(kind=kind.value, record_id=OuterRef("record_id"), decided_at__isnull=True)
    reasons = [
        (WAS_CREATED, Q(status=SyncResultStatus.CREATED)),
        (GONE, ~Exists(record)),
        (CHANGED_SINCE_SENT, ~Exists(record.filter(revision=OuterRef("revision")))),
        (IS_UNDER_WAY, Q(Exists(record.filter(UNDER_WAY)))),
        (IS_UNDECIDED, Q(Exists(undecided))),
        (NOT_KNOWN_BEFORE, ~Exists(earlier)),
    ]
    left = Case(*[When(condition, then=Value(reason)) for reason, condition in reasons], default=Value(""))
    found = SyncResult.objects.filter(job=job, kind=kind.value, status__in=CHANGED_THERE).exclude(diff=[])
    judged = found.annotate(left=Case(When(pk__isnull=False, then=left), output_field=CharField()))
    return judged.order_by("pk")


def status_with(reason: str) -> SyncResultStatus:
    """The status of all results that are left alone for a reason, or for none: it names the index that finds them."""
    return SyncResultStatus.CREATED if reason == WAS_CREATED else SyncResultStatus.UPDATED


def find_bound(job: SyncJob, first: int) -> int | None:
    """The id where the results begin that are not to be looked at; ``None`` if all are. One statement, which goes no
    further than that.

    Args:
        first: so many results of each status are to be looked at.
    """
    sent = SyncResult.objects.filter(job=job).order_by("pk").values("pk")
    found = read_bounded({}, {status.value: sent.filter(status=status)[first:] for status in CHANGED_THERE})
    return min((pk for pk in found.values() if pk is not None), default=None)


def undo_groups(job: SyncJob, bound: int | None = None) -> list[UndoGroup]:
    """What taking a job back would do now, counted; one query for each kind.

    Args:
        bound: only results below this id are counted; ``None`` for all.
    """
    first = Q() if bound is None else Q(pk__lt=bound)
    groups = {kind: judged_results(job, kind).filter(first).order_by().values_list("left") for kind in Kind}
    return [
        UndoGroup(kind, reason, count)
        for kind, left in groups.items()
        for reason, count in left.annotate(n=Count("pk"))
    ]


def find_old_values(result: SyncResult, keys: KeyFields, key_then: Collection[str]) -> OldValues:
    """Which values are put back, and which Marketo's API has no way to take back.

    Args:
        result: of a record that is not left alone.
        keys: the key fields, with the ways of the API in use.
        key_then: how the key field of opportunities may be called in what was sent.
    """
    of_key = result.kind == Kind.OPPORTUNITY.value
    entries: list[Any] = list(result.diff)
    stays = [
        name
        for name, old, _ in entries
        if old == UNKNOWN_VALUE
        # What was the key is another field now, or the other way round.
        or (of_key and (name in key_then) != (name == keys.opportunity))
        or (not old and _stays(name, keys.traits))
    ]
    back = [(name, sent, old) for name, old, sent in entries if name not in stays]
    kept = [
        gettext_noop("the cost %(sent)s") % {"sent": sent} if name.startswith(COST_PREFIX) else name
        for name, _, sent in entries
        if name in stays
    ]
    return OldValues(back, kept)


def _stays(name: str, traits: TransportTraits) -> bool:
    """Whether a value that was empty before cannot be emptied in Marketo."""
    if name.startswith(COST_PREFIX):
        return not traits.removes_costs
    if name.startswith(TAG_PREFIX):
        return not traits.removes_tags
    return name in (CHANNEL_TAG, COMPANY_ID, COMPANY_KEY)
