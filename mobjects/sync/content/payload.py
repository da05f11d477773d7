"""From a local record to what is sent of it. Reads the record (and its prefetched children), writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mobjects.marketo import attributes
from mobjects.marketo.transport_traits import DEFAULT_TRAITS, IdKind, TransportTraits
from mobjects.marketo.types import (
    AttributeValue,
    DataType,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoId,
    Operation,
    OutgoingCost,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from mobjects.marketo.value_text import find_xml_problem, to_text
from mobjects.models import Opportunity, OpportunityPersonRole, Program, SyncedRecord
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX

COMPANY_ID, COMPANY_KEY = "Company ID", "Company key"
OPPORTUNITY, PERSON_ID, PERSON_KEY = "Opportunity", "Person ID", "Person key"

UNKNOWN_VALUE = "(not known)"
"""Stands among the accepted values for one that was sent without an answer."""

_NOT_REMOVED = "Removed here, but Marketo's API cannot remove it; remove it in Marketo as well: "

_ID_COLUMNS = {IdKind.NUMBER: "marketo_id", IdKind.GUID: "marketo_guid"}

FieldDifference = tuple[str, str, str]
"""A content entry's name, the text Marketo last accepted, the text now."""


@dataclass(frozen=True, slots=True)
class KeyFields:
    """How records are found in Marketo.

    Args:
        opportunity, person, company: API names of the fields that hold external keys; empty where none is configured.
        traits: the ways of the API in use.
    """

    opportunity: str = ""
    person: str = ""
    company: str = ""
    traits: TransportTraits = DEFAULT_TRAITS

    def id_column(self, kind: Kind) -> str:
        """The column of the record, and of its results, that holds what it is called in Marketo."""
        return _ID_COLUMNS[self.traits.id_kind(kind)]

    def id_of(self, record: SyncedRecord) -> MarketoId | None:
        """What a record is called in Marketo; ``None`` if that is not known yet."""
        called: MarketoId | None = getattr(record, self.id_column(record.KIND))
        return called


@dataclass(frozen=True, slots=True)
class Payload:
    """What goes out for one record, and what becomes ``accepted`` if Marketo takes it."""

    record: OutgoingRecord
    sent: dict[str, str]
    diff: list[FieldDifference]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The record must not be sent; says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """Nothing can be sent, because nothing differs that the API could change; ``note`` names what it cannot."""

    note: str = ""


BuildResult = Payload | HeldBack | NothingToSend


@dataclass(frozen=True, slots=True)
class _PayloadDraft:
    """The names of the content entries to send, and all entries as they are now: typed and as text."""

    names: set[str]
    values: Mapping[str, AttributeValue]
    now: Mapping[str, str]
    diff: list[FieldDifference]

    def ordered_names(self) -> list[str]:
        """Names to send: those with a value in content order, then the cleared ones."""
        return [name for name in self.now if name in self.names] + sorted(self.names - set(self.now))

    def typed_values(self, *, without: tuple[str, ...]) -> dict[str, AttributeValue]:
        """The values to send; ``None`` clears."""
        return {name: self.values.get(name) for name in self.ordered_names() if name not in without}


def record_content(record: SyncedRecord, keys: KeyFields) -> dict[str, str]:
    """All that could be sent of a record, as name to canonical text; empty values are left out."""
    return _texts(_READERS[record.KIND](record, keys))


def record_difference(record: SyncedRecord, keys: KeyFields) -> list[FieldDifference]:
    """The field diff "accepted → now"."""
    return _difference(record.accepted, record_content(record, keys))


def mark_doubtful(
    accepted: Mapping[str, str], sent: Mapping[str, str], known_costs: Collection[str] = ()
) -> dict[str, str]:
    """The accepted values after these were sent and nobody knows whether they were applied.

    Args:
        accepted: before.
        sent: what was sent.
        known_costs: content names of costs with a Marketo cost id. Others stay: they would be added a second time.
    """
    doubtful = [name for name in sent if not name.startswith(COST_PREFIX) or name in known_costs]
    return {**accepted, **dict.fromkeys(doubtful, UNKNOWN_VALUE)}


def build_payload(record: SyncedRecord, operation: Operation, keys: KeyFields, *, resend: bool = False) -> BuildResult:
    """Decide what to send of a record.

    Args:
        record: with related objects loaded (see :func:`mobjects.sync.content.loading.load_records`).
        operation: the operation of its batch.
        keys: names of the external key fields.
        resend: send everything that has a value, not only what changed.

    Returns:
        A payload; or the reason to hold the record back; or that there is nothing to send.
    """
    values = _READERS[record.KIND](record, keys)
    now = _texts(values)
    if find_xml_problem("".join(now.values())):
        return HeldBack(next(f"{name}: {problem}" for name, text in now.items() if (problem := find_xml_problem(text))))
    diff = _difference(record.accepted, now)
    changed = {name for name, _, _ in diff}
    everything = resend or not record.accepted or operation is Operation.INSERT
    if not everything and not changed:
        return NothingToSend()
    draft = _PayloadDraft(changed | set(now) if everything else changed, values, now, diff)
    return _BUILDERS[record.KIND](record, operation, keys, draft)


def _texts(values: Mapping[str, AttributeValue]) -> dict[str, str]:
    return {name: text for name, value in values.items() if (text := to_text(value)) != ""}


def _difference(accepted: Mapping[str, str], now: Mapping[str, str]) -> list[FieldDifference]:
    changed = [(name, old, new) for name, new in now.items() if (old := accepted.get(name, "")) != new]
    return changed + [(name, old, "") for name, old in accepted.items() if old != "" and name not in now]


# --- programs -------------------------------------------------------------------------------


def _program_values(record: Program, keys: KeyFields) -> dict[str, AttributeValue]:
    values: dict[str, AttributeValue] = {CHANNEL_TAG: record.channel}
    values.update((tag.content_key, tag.value) for tag in record.tags.all())
    values.update((cost.content_key, cost.content_text) for cost in record.costs.all())
    return values


def _build_program(record: Program, operation: Operation, keys: KeyFields, draft: _PayloadDraft) -> BuildResult:
    if operation is not Operation.UPDATE:
        return HeldBack(f"Programs exist only in Marketo; its API can update them, not {operation.value} them.")
    costs, sent = [], {}
    for cost in record.costs.all():
        key = cost.content_key
        if key not in draft.names or (key in record.accepted and cost.marketo_cost_id is None):
            if record.accepted.get(key, cost.content_text) != cost.content_text:
                return HeldBack(
                    f"The cost {record.accepted[key]} is already in Marketo without a known cost ID. "
                    "Enter its Marketo cost ID to change it; sent without, it would be added a second time."
                )
            continue
        # An empty note is sent only where there may be one to clear.
        note = cost.note if cost.note or key in record.accepted else None
        costs.append(OutgoingCost(cost.month, cost.amount, note, cost.marketo_cost_id))
        sent[key] = cost.content_text
    types = {tag.content_key: tag.type for tag in record.tags.all()} | {CHANNEL_TAG: CHANNEL_TAG}
    tags = [TagValue(types[name], draft.now[name]) for name in draft.now if name in types and name in draft.names]
    sent.update((CHANNEL_TAG if tag.type == CHANNEL_TAG else f"Tag {tag.type}", tag.value) for tag in tags)
    if not sent:
        removed = ", ".join(f"{name} ({old})" for name, old, new in draft.diff if not new)
        return NothingToSend(removed and f"{_NOT_REMOVED}{removed}")
    wire = OutgoingRecord(Kind.PROGRAM, marketo_id=record.marketo_id, costs=tuple(costs), tags=tuple(tags))
    return Payload(wire, sent, [entry for entry in draft.diff if entry[0] in sent])


# --- opportunities --------------------------------------------------------------------------


def _opportunity_values(record: Opportunity, keys: KeyFields) -> dict[str, AttributeValue]:
    values = _attribute_values(record, attributes.OPPORTUNITY)
    values.update(record.custom_attributes)
    if keys.opportunity:
        values[keys.opportunity] = record.external_id
    values[COMPANY_ID] = record.company_id
    values[COMPANY_KEY] = record.company_key
    return values


def _build_opportunity(record: Opportunity, operation: Operation, keys: KeyFields, draft: _PayloadDraft) -> BuildResult:
    if COMPANY_KEY in draft.names and record.company_key and not keys.company:
        return HeldBack("The company is given by key, but MARKETO_COMPANY_KEY_FIELD is not set.")
    associations = []
    if record.company_id and COMPANY_ID in draft.names:
        associations.append(RecordAssociation(LinkTarget.COMPANY, id=record.company_id))
    if record.company_key and COMPANY_KEY in draft.names:
        associations.append(RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(keys.company, record.company_key)))
    values = draft.typed_values(without=(COMPANY_ID, COMPANY_KEY))
    if not values and not associations:
        return NothingToSend("Marketo's API cannot remove an opportunity's company; remove it in Marketo as well.")
    by_key = record.marketo_id is None and keys.opportunity and record.external_id
    wire = OutgoingRecord(
        Kind.OPPORTUNITY,
        marketo_id=record.marketo_id,
        external_key=ExternalKey(keys.opportunity, record.external_id or "") if by_key else None,
        values=values,
        associations=tuple(associations),
    )
    sent = {name: draft.now.get(name, "") for name in draft.ordered_names()}
    return Payload(wire, sent, draft.diff)


# --- roles ----------------------------------------------------------------------------------


def _role_values(record: OpportunityPersonRole, keys: KeyFields) -> dict[str, AttributeValue]:
    links: dict[str, AttributeValue] = {
        OPPORTUNITY: f"our no. {record.opportunity_id}",
        PERSON_ID: record.person_id,
        PERSON_KEY: record.person_key,
    }
    links.update(_attribute_values(record, attributes.ROLE))
    links.update(record.custom_attributes)
    return links


def _build_role(
    record: OpportunityPersonRole, operation: Operation, keys: KeyFields, draft: _PayloadDraft
) -> BuildResult:
    to_opportunity = opportunity_link(record.opportunity, keys.opportunity)
    if to_opportunity is None:
        return HeldBack(f"Its opportunity “{record.opportunity}” has no Marketo ID yet.")
    if record.person_id is not None:
        to_person = RecordAssociation(LinkTarget.LEAD, id=record.person_id)
    elif keys.person:
        to_person = RecordAssociation(LinkTarget.LEAD, key=ExternalKey(keys.person, record.person_key))
    else:
        return HeldBack("The person is given by key, but MARKETO_PERSON_KEY_FIELD is not set.")
    links = (OPPORTUNITY, PERSON_ID, PERSON_KEY)
    values = draft.typed_values(without=links)
    wire = OutgoingRecord(
        Kind.ROLE, marketo_id=record.marketo_id, values=values, associations=(to_opportunity, to_person)
    )
    sent = {name: draft.now.get(name, "") for name in [*links, *values] if name in draft.now or name in values}
    return Payload(wire, sent, draft.diff)


def opportunity_link(opportunity: Opportunity, key_field: str) -> RecordAssociation | None:
    """How a role names its opportunity; ``None`` if it cannot yet."""
    if opportunity.marketo_id is not None:
        return RecordAssociation(LinkTarget.OPPORTUNITY, id=opportunity.marketo_id)
    if key_field and opportunity.external_id:
        return RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(key_field, opportunity.external_id))
    return None


# --- shared ---------------------------------------------------------------------------------


def _attribute_values(
    record: SyncedRecord, standard: tuple[attributes.MarketoAttribute, ...]
) -> dict[str, AttributeValue]:
    values: dict[str, AttributeValue] = {}
    for attribute in standard:
        value = getattr(record, attribute.field_name)
        if attribute.type is DataType.FLOAT and value is not None:
            value = value.normalize()
        values[attribute.name] = value
    return values


_READERS: dict[Kind, Callable[[Any, KeyFields], dict[str, AttributeValue]]] = {
    Kind.PROGRAM: _program_values,
    Kind.OPPORTUNITY: _opportunity_values,
    Kind.ROLE: _role_values,
}
_BUILDERS: dict[Kind, Callable[[Any, Operation, KeyFields, _PayloadDraft], BuildResult]] = {
    Kind.PROGRAM: _build_program,
    Kind.OPPORTUNITY: _build_opportunity,
    Kind.ROLE: _build_role,
}
