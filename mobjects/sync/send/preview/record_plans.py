"""What a sending would do to single records: which values change, and what of it a person should know before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from mobjects.formatting import to_sentence
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.types import Kind, Operation, OutgoingRecord
from mobjects.models import OpportunityPersonRole, SyncedRecord
from mobjects.models.program import COST_PREFIX, TAG_PREFIX
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.payload import (
    FieldDifference,
    HeldBack,
    KeyFields,
    NothingToSend,
    Payload,
    build_payload,
    link_opportunity,
    record_content,
    record_difference,
)
from mobjects.sync.send.preview.foreseen_effects import (
    SKIP_REASONS,
    PlannedEffect,
    find_effect,
    is_found_by_key,
)
from mobjects.sync.send.selection import SyncSelection, foreseen_records
from mobjects.sync.send.tag_rules import explain_unknown_values

GOES_AFTER = _("Its opportunity goes out first.")


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What a sending now would do to one record.

    Args:
        record: as it is now.
        operation: under which it would go out.
        effect: what that does.
        changes: name, what Marketo last accepted, what would be sent; of a record that is held back what differs.
        reason: why it is held back or skipped, or what cannot be sent, as a sentence; "" otherwise.
        lost_tags, lost_costs: what stands in Marketo and would be taken away there: types of tags, texts of costs.
        cleared: names of values that would be cleared in Marketo.
        sent: all that would be sent, as name to text.
        wire: the same for the transport; ``None`` where the record is held back, or cannot be written yet.
        by_key: whether Marketo looks for a record with its key, and so may have one that is not known here.
    """

    record: SyncedRecord
    operation: Operation
    effect: PlannedEffect
    changes: Sequence[FieldDifference] = ()
    reason: str = ""
    lost_tags: Sequence[str] = ()
    lost_costs: Sequence[str] = ()
    cleared: Sequence[str] = ()
    sent: Mapping[str, str] = field(default_factory=dict)
    wire: OutgoingRecord | None = field(default=None, repr=False)
    by_key: bool = False

    @property
    def surprising(self) -> bool:
        """Whether a person should see this before it is done: anything but changing and adding values in Marketo."""
        return self.effect is not PlannedEffect.CHANGE or bool(self.lost_tags or self.lost_costs or self.cleared)


def plan_records(
    judged: Sequence[SyncedRecord], selection: SyncSelection, keys: KeyFields, transport: MarketoTransport | None
) -> list[RecordPlan]:
    """What sending a selection would do to some of its records, in their order; one query more at most.

    Args:
        judged: of one kind, from :func:`judged_records`, with all that building a payload reads.
        selection: what would be sent.
        keys: names of the external key fields.
        transport: what its rules refuse is held back; ``None`` where there is none to ask.
    """
    records: list[Any] = list(judged)  # annotated
    held = [record for record in records if record.hold]
    reasons = {record.pk: to_sentence(record.hold) for record in held} | explain_unknown_values(held)
    return [
        plan_record(
            record,
            Operation(record.wire_operation),
            reasons.get(record.pk, ""),
            keys,
            transport,
            resend=selection.resend,
        )
        for record in records
    ]


def judged_records(
    kind: Kind, selection: SyncSelection, keys: KeyFields, *, at: datetime | None = None
) -> SyncedQuerySet:
    """All records of a selection, sendable or not, with ``hold`` and ``wire_operation``, by rising id; judged as they
    are at a moment, now if none is given.
    """
    return foreseen_records(kind, selection, keys, at=at).order_by("pk")


def plan_record(
    record: SyncedRecord,
    operation: Operation,
    hold: str,
    keys: KeyFields,
    transport: MarketoTransport | None,
    *,
    resend: bool = False,
) -> RecordPlan:
    """What sending one record under an operation would do.

    Args:
        record: with related objects loaded.
        operation: under which it would go out.
        hold: why it is held back whatever it holds, as a sentence; "" if it is not.
        keys: names of the external key fields.
        transport: as for :func:`plan_records`.
        resend: whether all its values would be sent.
    """
    differs = record_difference(record, keys)
    if hold:
        return RecordPlan(record, operation, PlannedEffect.HELD, differs, hold)
    by_key = keys.id_of(record) is None and is_found_by_key(record, keys)
    if waits_for_its_opportunity(record, keys):
        sent = record_content(record, keys)
        return RecordPlan(record, operation, PlannedEffect.CREATE, differs, GOES_AFTER, sent=sent, by_key=by_key)
    built = build_payload(record, operation, keys, resend=resend)
    if isinstance(built, Payload) and transport is not None:
        problem = transport.problem(built.record, operation)
        built = HeldBack(to_sentence(problem)) if problem else built
    if isinstance(built, HeldBack):
        return RecordPlan(record, operation, PlannedEffect.HELD, differs, built.reason)
    if isinstance(built, NothingToSend):
        return RecordPlan(record, operation, PlannedEffect.NOTHING, differs, built.note)
    accepted = keys.accepted_of(record)
    changes = built.diff or [(name, accepted.get(name, ""), text) for name, text in built.sent.items()]
    effect = find_effect(record, operation, keys)
    reason = SKIP_REASONS[operation] if effect is PlannedEffect.SKIP else ""
    plan = RecordPlan(record, operation, effect, changes, reason, sent=built.sent, wire=built.record, by_key=by_key)
    return _with_losses(plan) if effect is PlannedEffect.CHANGE else plan


def waits_for_its_opportunity(record: SyncedRecord, keys: KeyFields) -> bool:
    """Whether a role cannot be put into words for Marketo before its opportunity is there."""
    return isinstance(record, OpportunityPersonRole) and link_opportunity(record.opportunity, keys) is None


def _with_losses(plan: RecordPlan) -> RecordPlan:
    gone = {name: old for name, old, now in plan.changes if old and not now}
    if plan.record.KIND is not Kind.PROGRAM:
        return replace(plan, cleared=tuple(gone))
    tags = tuple(name.removeprefix(TAG_PREFIX) for name in gone if name.startswith(TAG_PREFIX))
    return replace(
        plan, lost_tags=tags, lost_costs=tuple(old for name, old in gone.items() if name.startswith(COST_PREFIX))
    )
