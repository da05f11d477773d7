"""Which records a job is about, under which operation each goes out, and which are held back.

All of it is conditions in SQL, so that the page that asks "send these?" and the engine that
sends them use the same rules, and counting a hundred thousand records is one query.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, cast
from uuid import UUID

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.marketo.reason_masking import reason_key
from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marketo.types import Kind, Operation
from mobjects.models import (
    RECORD_MODELS,
    Conflict,
    Erasure,
    ImportChange,
    ProgramCost,
    RecordStatus,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync import marketo_settings
from mobjects.sync.content.payload import NEEDS_KEY, NEEDS_ROLE, KeyFields
from mobjects.sync.content.unsendable import COST_DECIMALS, KEY_CHANGED, has_cost_decimals, has_fixed_key_changed
from mobjects.sync.installation.doubt import DOUBTED
from mobjects.sync.send.halted_kinds import KIND_HALTED, is_halted
from mobjects.sync.send.naming.key_conditions import was_lost_under_other_key
from mobjects.sync.send.tag_rules import UNKNOWN_CHANNEL, UNKNOWN_TAG, has_unknown_channel, has_unknown_tag
from mobjects.sync.task import KindSelection

PART_SIZE = 3000
"""Ids in one query; a multiple of a batch of 100 or 300, so that long lists still make full batches."""


WHOLE_SIZE = 250_000
"""Ids in a query that is made once, such as one that counts."""


class OperationChoice(StrEnum):
    """The operation a person asks for. ``AUTO`` picks one for each record."""

    AUTO = "AUTO"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    UPSERT = "UPSERT"


@dataclass(frozen=True, slots=True)
class SyncSelection(KindSelection):
    """What a person asked to sync; always sent in the order program, opportunity, role.

    Args:
        operation: see :class:`OperationChoice`.
        resend: send records without changes as well, with all their values.
        include_unknown: send records whose last outcome is unknown even if that could double them.
        of_job: only records that have a result in this job (its id) and were not accepted since …
        of_statuses: … with one of these statuses …
        of_error: … and, unless it is ``None``, a reason that differs from this one only in values.
        of_import: only records that this import (its id) changed, unless that was undone.
        read_first: read each record in Marketo before changing it there, so that a change made there meanwhile
            becomes a conflict instead of being lost. Costs one call for as many records as a query may name.
        of_dry_run: exactly what this dry run (its job's id) would have sent; what changed since is held back.
        rest: a selection, in the form of :meth:`to_json`, that is to be sent once this one was accepted.
        rest_by_itself: whether it is sent then without a person's asking.
        after_try: leave out what this job (its id), a try, got accepted already; for selections that send unchanged
            records too.
    """

    operation: OperationChoice = OperationChoice.AUTO
    resend: bool = False
    include_unknown: bool = False
    of_job: str = ""
    of_statuses: Sequence[str] = ()
    of_error: str | None = None
    read_first: bool = False
    of_import: int | None = None
    of_dry_run: str = ""
    rest: dict[str, Any] | None = None
    rest_by_itself: bool = False
    after_try: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it is about all records of its kinds, or all that changed."""
        return self.ids is None and not (self.of_job or self.of_import or self.of_dry_run)

    def iter_parts(self, size: int = PART_SIZE) -> Iterator[Self]:
        """The same selection in parts of at most so many ids, so that no query carries all of a long list."""
        if self.ids is None:
            yield self
            return
        ids = sorted(set(self.ids))
        for start in range(0, len(ids), size):
            yield replace(self, ids=tuple(ids[start : start + size]))

    def to_json(self) -> dict[str, Any]:
        """As kept on the job."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The reverse of :meth:`to_json`."""
        typed = {
            "kinds": tuple(Kind(kind) for kind in kept["kinds"]),
            "operation": OperationChoice(kept["operation"]),
            "of_statuses": tuple(kept["of_statuses"]),
        }
        return cls(**kept | typed)


def ordered_kinds(selection: SyncSelection) -> list[Kind]:
    """The selected kinds in sending order."""
    return [kind for kind in RECORD_MODELS if kind in selection.kinds]


def candidate_records(kind: Kind, selection: SyncSelection) -> SyncedQuerySet:
    """The records of a kind that the selection is about, sendable or not."""
    found = records_of_kind(kind).order_by("pk")
    if selection.ids is not None:
        # Django looks at each member of a list or tuple that it is given.
        found = found.filter(pk__among=array("q", selection.ids))
    if selection.of_job:
        found = found.filter(Exists(_results_of_job(kind, selection)))
    if selection.after_try:
        tried = SyncResult.objects.filter(job=UUID(selection.after_try), kind=kind.value, record_id=OuterRef("pk"))
        found = found.exclude(Exists(tried.filter(status__in=ACCEPTED_BY_MARKETO)))
    if selection.of_import:
        found = found.filter(Exists(_changes_of_import(kind, selection)))
    if selection.of_dry_run:
        # Also what was accepted since: it is said, not passed over.
        return found.filter(Exists(planned_results(kind, selection)))
    return found if selection.resend else found.dirty()


def _results_of_job(kind: Kind, selection: SyncSelection) -> QuerySet[SyncResult]:
    results = SyncResult.objects.filter(
        job=UUID(selection.of_job), kind=kind.value, record_id=OuterRef("pk"), status__in=selection.of_statuses
    )
    return unaccepted(
        results if selection.of_error is None else results.filter(reason_key=reason_key(selection.of_error))
    )


def unaccepted(results: QuerySet[SyncResult]) -> QuerySet[SyncResult]:
    """Results whose records were not accepted, by any job, since they were written."""
    return results.exclude(was_accepted_since())


def was_accepted_since() -> Exists:
    """The condition that the record of a result was accepted, by any job, after it was written."""
    later = SyncResult.objects.filter(
        kind=OuterRef("kind"), record_id=OuterRef("record_id"), pk__gt=OuterRef("pk"), status__in=ACCEPTED_BY_MARKETO
    )
    return Exists(later)


def planned_results(kind: Kind, selection: SyncSelection) -> QuerySet[SyncResult]:
    """What a dry run found that it would send of the record of an outer query."""
    planned = SyncResult.objects.filter(job=UUID(selection.of_dry_run), kind=kind.value, record_id=OuterRef("pk"))
    return planned.filter(status=SyncResultStatus.PLANNED)


def _changes_of_import(kind: Kind, selection: SyncSelection) -> QuerySet[ImportChange]:
    changes = ImportChange.objects.filter(imported=selection.of_import, undone__in=ImportChange.STANDING_OUTCOMES)
    return changes.filter(owner_kind=kind.value, owner_id=OuterRef("pk"))


def classify_records(
    kind: Kind, selection: SyncSelection, keys: KeyFields, *, at: datetime | None = None
) -> SyncedQuerySet:
    """The candidates, annotated with ``hold`` (a reason, or "") and ``wire_operation``.

    Args:
        at: the moment at which they are judged; now if none is given.
    """
    operations = _operation(kind, selection, keys)
    cases = [When(condition, then=Value(reason)) for reason, condition in _holds(kind, selection, keys, at)]
    found = candidate_records(kind, selection).annotate(wire_operation=operations)
    hold = Case(*cases, default=Value(""), output_field=CharField())
    return cast(SyncedQuerySet, found.annotate(hold=hold))


def count_calls(kind: Kind, batches: int, traits: TransportTraits) -> int:
    """How many calls it takes at least to send so many batches by the ways of the API in use."""
    return batches * traits.calls_to_a_batch.get(kind, 1)


def foreseen_records(
    kind: Kind, selection: SyncSelection, keys: KeyFields, *, at: datetime | None = None
) -> SyncedQuerySet:
    """The candidates with ``hold`` and ``wire_operation``, as a job that sends them all would come upon them: a role
    whose opportunity goes out before it is not held back for that. Arguments as for :func:`classify_records`.
    """
    found = classify_records(kind, selection, keys, at=at)
    if kind is Kind.ROLE and Kind.OPPORTUNITY in selection.kinds:
        coming = classify_records(Kind.OPPORTUNITY, selection, keys, at=at).filter(hold="").values("pk")
        comes_first = Q(hold=waits_for_opportunity(keys)) & Q(opportunity__in=coming)
        found = found.annotate(hold=Case(When(comes_first, then=Value("")), default=F("hold")))
    return found


ACCEPTED_BY_MARKETO = (
    SyncResultStatus.CREATED,
    SyncResultStatus.UPDATED,
    SyncResultStatus.UNCHANGED,
    SyncResultStatus.EQUAL,
)
"""After these nothing of an earlier sending is left to do."""
NO_OPPORTUNITY_KEY = _("its opportunity has no external ID, by which Marketo's API names it; give the opportunity one")
IN_ANOTHER_JOB = _("it is in a batch of another job right now")
NEEDS_DECISION = _("a person has to decide about it first; see “To decide”")
WAS_ERASED = _("its person was erased here; nothing of it is sent any more")
CHANGED_SINCE = _("it changed since the dry run; look at what it would send now")
ACCEPTED_SINCE = _("Marketo accepted it since the dry run; nothing of it is left to send")
MAY_STILL_RUN = _("it was sent without an answer, and Marketo may still be working on that")
NEEDS_LOOK_UP = _(
    "the outcome of its last sending is unknown and sending it again could double it; it has to be looked up"
)


def _operation(kind: Kind, selection: SyncSelection, keys: KeyFields) -> Case | Value:
    if selection.operation is not OperationChoice.AUTO:
        return Value(selection.operation.value)
    if kind is Kind.PROGRAM:
        return Value(Operation.UPDATE.value)
    cases = [When(has_id(kind, keys), then=Value(Operation.UPDATE.value))]
    # Safe to repeat: Marketo finds the record again by its key.
    if kind is Kind.OPPORTUNITY and keys.opportunity:
        cases.append(When(external_id__isnull=False, then=Value(Operation.UPSERT.value)))
    if kind is Kind.ROLE and keys.traits.role_is_key:
        cases.append(When(pk__isnull=False, then=Value(Operation.UPSERT.value)))
    return Case(*cases, default=Value(Operation.INSERT.value), output_field=CharField())


def _holds(kind: Kind, selection: SyncSelection, keys: KeyFields, at: datetime | None) -> list[tuple[str, Q]]:
    """Reasons to hold records back, in order of precedence, and the conditions under which they apply."""
    open_conflicts = Conflict.objects.filter(kind=kind.value, record_id=OuterRef("pk"), decided_at__isnull=True)
    unknown = Q(last_status=RecordStatus.UNKNOWN)
    holds = [
        *(_dry_run_holds(kind, selection) if selection.of_dry_run else ()),
        (IN_ANOTHER_JOB, Q(claimed_by__isnull=False)),
        (NEEDS_DECISION, Q(Exists(open_conflicts))),
        (KIND_HALTED, is_halted(kind)),
        (MAY_STILL_RUN, unknown & Q(unknown_since__gt=(at or clock.now()) - marketo_settings.unknown_outcome_delay())),
    ]
    has_key = Q(external_id__isnull=False) if kind is Kind.OPPORTUNITY and keys.opportunity else Q(pk__in=[])
    if kind is Kind.PROGRAM and selection.operation in (OperationChoice.INSERT, OperationChoice.UPSERT):
        reason = _("programs exist only in Marketo; its API can update them, not %(operation)s them") % {
            "operation": selection.operation.lower()
        }
        holds.append((reason, Q(pk__isnull=False)))
    holds.append(
        (
            f"UPDATE needs a {keys.id_word(kind)} or a configured external key; choose automatic, INSERT or UPSERT",
            Q(wire_operation=Operation.UPDATE.value) & ~has_id(kind, keys) & ~has_key,
        )
    )
    holds += _key_holds(kind, keys)
    if kind is Kind.ROLE:
        # It was sent only if its opportunity was, which is looked up first.
        holds += [(reason, Q(last_error=DOUBTED) & waits) for reason, waits in _role_holds(keys)]
    if not selection.include_unknown:
        holds.append((NEEDS_LOOK_UP, unknown & _could_double(kind, has_key, keys)))
    if kind is Kind.PROGRAM:
        holds.append((UNKNOWN_CHANNEL, has_unknown_channel(resend=selection.resend)))
        holds.append((UNKNOWN_TAG, has_unknown_tag(resend=selection.resend)))
        holds.append((COST_DECIMALS, has_cost_decimals(keys)))
    if kind is Kind.ROLE:
        holds.append((WAS_ERASED, Q(person_key__startswith=Erasure.MARK_PREFIX)))
        holds += _role_holds(keys)
    if kind is Kind.OPPORTUNITY and not keys.company:
        holds.append((_("its company is given by key, but MARKETO_COMPANY_KEY_FIELD is not set"), ~Q(company_key="")))
    return holds


def _dry_run_holds(kind: Kind, selection: SyncSelection) -> list[tuple[str, Q]]:
    same = {"revision": OuterRef("revision"), "batch__operation": OuterRef("wire_operation")}
    changed = ~Exists(planned_results(kind, selection).filter(**same))
    accepted = Q(pk__in=[]) if selection.resend else Q(revision__lte=F("synced_revision"))
    return [(ACCEPTED_SINCE, accepted), (CHANGED_SINCE, Q(changed))]


def _could_double(kind: Kind, has_key: Q, keys: KeyFields) -> Q:
    """Whether sending a record a second time could create or add something a second time."""
    if kind is Kind.PROGRAM and not keys.traits.has_cost_ids:
        return Q(pk__isnull=False)  # What became of each cost is only known by what Marketo holds now.
    if kind is Kind.PROGRAM:
        return Q(Exists(ProgramCost.objects.filter(program=OuterRef("pk"), marketo_cost_id__isnull=True)))
    other_key = was_lost_under_other_key(kind, keys)
    repeatable = Q(wire_operation=Operation.UPDATE.value)
    if kind is Kind.OPPORTUNITY and keys.opportunity:
        repeatable |= Q(wire_operation=Operation.UPSERT.value) & has_key & ~other_key
    if kind is Kind.ROLE and keys.traits.role_is_key:
        repeatable = Q(wire_operation__in=(Operation.UPDATE.value, Operation.UPSERT.value)) & ~other_key
    return ~repeatable


def _key_holds(kind: Kind, keys: KeyFields) -> list[tuple[str, Q]]:
    """What is held back because the API in use needs a key that the record does not have."""
    if kind is Kind.OPPORTUNITY and keys.traits.needs_opportunity_key:
        by_id = has_id(kind, keys) & Q(wire_operation=Operation.UPDATE.value)
        return [(NEEDS_KEY, Q(external_id__isnull=True) & ~by_id), (KEY_CHANGED, has_fixed_key_changed(keys))]
    if kind is not Kind.ROLE:
        return []
    no_key, no_role = Q(opportunity__external_id__isnull=True), Q(role="")
    return [
        *([(NO_OPPORTUNITY_KEY, no_key)] if keys.traits.roles_name_opportunity_by_key else []),
        *([(NEEDS_ROLE, no_role)] if keys.traits.role_is_key else []),
    ]


def waits_for_opportunity(keys: KeyFields) -> str:
    """Why a role is held back whose opportunity is not in Marketo yet."""
    word = keys.id_word(Kind.OPPORTUNITY)
    return _("its opportunity has no %(word)s yet; sync the opportunity first or together with it") % {"word": word}


def _role_holds(keys: KeyFields) -> list[tuple[str, Q]]:
    waits = Q(**{f"opportunity__{keys.id_column(Kind.OPPORTUNITY)}__isnull": True})
    if keys.opportunity:
        not_there = ("", RecordStatus.FAILED, RecordStatus.SKIPPED, RecordStatus.UNKNOWN)
        unanswered = Q(opportunity__last_status__in=not_there) | Q(opportunity__claimed_by__isnull=False)
        waits &= Q(opportunity__external_id__isnull=True) | unanswered
    holds = [(waits_for_opportunity(keys), waits)]
    if not keys.person:
        holds.append((_("its person is given by key, but MARKETO_PERSON_KEY_FIELD is not set"), ~Q(person_key="")))
    return holds


def has_id(kind: Kind, keys: KeyFields) -> Q:
    """Whether it is known what Marketo calls a record."""
    return Q(**{f"{keys.id_column(kind)}__isnull": False})
