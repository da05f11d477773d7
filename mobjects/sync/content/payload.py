"""From a local record to what is sent of it. Reads the record (and its prefetched children), writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_noop as _

from mobjects.formatting import to_sentence
from mobjects.marketo import attributes
from mobjects.marketo.transport_traits import DEFAULT_TRAITS, IdKind, TransportTraits
from mobjects.marketo.types import (
    AttributeValue,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoId,
    Operation,
    OutgoingRecord,
    RecordAssociation,
    TagValue,
)
from mobjects.marketo.value_text import WRITERS, find_xml_problem
from mobjects.models import Opportunity, OpportunityPersonRole, Program, SyncedRecord
from mobjects.models.program import CHANNEL_TAG, TAG_PREFIX
from mobjects.sync.content.cost_sending import find_removed_tags, gather_costs
from mobjects.sync.content.former_names import UNKNOWN_VALUE, OpportunityKey
from mobjects.sync.content.standard_values import standard_values

COMPANY_ID, COMPANY_KEY = attributes.COMPANY_ID, attributes.COMPANY_KEY
OPPORTUNITY, PERSON_ID, PERSON_KEY = attributes.OPPORTUNITY_LINK, attributes.PERSON_ID, attributes.PERSON_KEY
OUR_NUMBER_PREFIX = attributes.OUR_NUMBER_PREFIX

ROLE_KEY = (OPPORTUNITY, PERSON_ID, PERSON_KEY, "Role")
"""Content names of what is a role's key, where it has one."""

NEEDS_KEY = _("it has no external ID, and Marketo finds opportunities by that; give it one")
NEEDS_ROLE = _("it has no role name, and Marketo finds roles by opportunity, person and role name; give it one")
REPLACED = _("It is deleted and made anew in Marketo, because its key changed (opportunity, person or role).")

_NOT_REMOVED = _("Removed here, but Marketo's API cannot remove it; remove it in Marketo as well: ")

_COMPANY_STAYS = _("Marketo's API cannot remove an opportunity's company; remove it in Marketo as well.")
_ID_COLUMNS = {IdKind.NUMBER: "marketo_id", IdKind.GUID: "marketo_guid"}

FieldDifference = tuple[str, str, str]
"""A content entry's name, the text Marketo last accepted, the text now."""


@dataclass(frozen=True, slots=True)
class KeyFields(OpportunityKey):
    """How records are found in Marketo.

    Args:
        opportunity, person, company: API names of the fields that hold external keys; empty where none is configured.
        traits: the ways of the API in use.
    """

    person: str = ""
    company: str = ""
    traits: TransportTraits = DEFAULT_TRAITS
    _columns: Mapping[Kind, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked several times of each record.
        columns = {kind: _ID_COLUMNS[self.traits.id_kind(kind)] for kind in Kind}
        object.__setattr__(self, "_columns", columns)

    def id_column(self, kind: Kind) -> str:
        """The column of the record, and of its results, that holds what it is called in Marketo."""
        return self._columns[kind]

    def id_of(self, record: SyncedRecord) -> MarketoId | None:
        """What a record is called in Marketo; ``None`` if that is not known yet."""
        called: MarketoId | None = getattr(record, self._columns[record.KIND])
        return called

    def id_word(self, kind: Kind) -> str:
        """What people call that: "Marketo ID" or "Marketo GUID"."""
        return self.traits.id_kind(kind).value


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
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


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
class _PayloadDraft:
    """What to send, values in content order before cleared ones; and all entries as they are now, in both ways."""

    sent: dict[str, str]
    values: Mapping[str, AttributeValue]
    now: Mapping[str, str]
    diff: list[FieldDifference]

    def typed_values(self, *, without: tuple[str, ...]) -> dict[str, AttributeValue]:
        """The values to send; ``None`` clears."""
        typed = dict(zip(self.sent, map(self.values.get, self.sent), strict=True))
        for name in without:
            typed.pop(name, None)
        return typed

    def without_name(self, name: str) -> _PayloadDraft:
        """The same without one entry."""
        sent = {each: text for each, text in self.sent.items() if each != name}
        return replace(self, sent=sent, diff=[entry for entry in self.diff if entry[0] != name])


def record_content(record: SyncedRecord, keys: KeyFields) -> dict[str, str]:
    """All that could be sent of a record, as name to canonical text; empty values are left out."""
    return _texts(_READERS[record.KIND](record, keys))


def record_difference(record: SyncedRecord, keys: KeyFields) -> list[FieldDifference]:
    """The field diff "accepted → now"."""
    return _difference(keys.accepted_of(record), record_content(record, keys))


def fixed_names(kind: Kind, keys: KeyFields) -> tuple[str, ...]:
    """Content names of what Marketo cannot change of an object that it has."""
    if kind is Kind.ROLE and keys.traits.role_is_key:
        return ROLE_KEY
    return (keys.opportunity,) if kind is Kind.OPPORTUNITY and keys.traits.needs_opportunity_key else ()


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
    diff = _difference(keys.accepted_of(record), now)
    # Marketo may not have it yet where only another API has accepted it.
    new = keys.id_of(record) is None and bool(fixed_names(record.KIND, keys))
    everything = resend or not record.accepted or operation is Operation.INSERT or new
    if not everything and not diff:
        return NothingToSend()
    sent = dict(now) if everything else {name: text for name, _, text in diff if text}
    if record.accepted:
        sent.update(sorted((name, "") for name, _, text in diff if not text))
    draft = _PayloadDraft(sent, values, now, diff)
    return _BUILDERS[record.KIND](record, operation, keys, draft)


def _texts(values: Mapping[str, AttributeValue]) -> dict[str, str]:
    writers = WRITERS
    return {
        name: text
        for name, value in values.items()
        if value is not None and (text := value if type(value) is str else writers[type(value)](value))
    }


def _difference(accepted: Mapping[str, str], now: Mapping[str, str]) -> list[FieldDifference]:
    if not accepted:
        return [(name, "", new) for name, new in now.items()]
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
        return HeldBack(
            _("Programs exist only in Marketo; its API can update them, not %(operation)s them.")
            % {"operation": operation.value}
        )
    costs = gather_costs(record, draft.sent.keys(), keys.traits)
    if isinstance(costs, str):
        return HeldBack(costs)
    types = {tag.content_key: tag.type for tag in record.tags.all()} | {CHANNEL_TAG: CHANNEL_TAG}
    tags = [TagValue(types[name], draft.now[name]) for name in draft.now if name in types and name in draft.sent]
    gone = find_removed_tags(record, draft.sent.keys(), keys.traits)
    sent = dict(costs.sent)
    sent.update((CHANNEL_TAG if tag.type == CHANNEL_TAG else f"{TAG_PREFIX}{tag.type}", tag.value) for tag in tags)
    sent.update((f"{TAG_PREFIX}{type_}", "") for type_ in gone)
    if not sent:
        removed = ", ".join(f"{name} ({old})" for name, old, new in draft.diff if not new)
        return NothingToSend(removed and f"{_NOT_REMOVED}{removed}")
    wire = OutgoingRecord(
        Kind.PROGRAM,
        marketo_id=record.marketo_id,
        costs=tuple(costs.costs),
        tags=tuple(tags),
        unchanged_costs=tuple(costs.unchanged),
        removed_costs=tuple(costs.removed),
        removed_tags=tuple(gone),
        name=record.name,
    )
    return Payload(wire, sent, [entry for entry in draft.diff if entry[0] in sent])


# --- opportunities --------------------------------------------------------------------------


def _opportunity_values(record: Opportunity, keys: KeyFields) -> dict[str, AttributeValue]:
    values: dict[str, AttributeValue] = standard_values(record) | record.custom_attributes
    if keys.opportunity:
        values[keys.opportunity] = record.external_id
    values[COMPANY_ID] = record.company_id
    values[COMPANY_KEY] = record.company_key
    return values


def _build_opportunity(record: Opportunity, operation: Operation, keys: KeyFields, draft: _PayloadDraft) -> BuildResult:
    if COMPANY_KEY in draft.sent and record.company_key and not keys.company:
        return HeldBack(_("The company is given by key, but MARKETO_COMPANY_KEY_FIELD is not set."))
    associations = []
    if record.company_id and COMPANY_ID in draft.sent:
        associations.append(RecordAssociation(LinkTarget.COMPANY, id=record.company_id))
    if record.company_key and COMPANY_KEY in draft.sent:
        associations.append(RecordAssociation(LinkTarget.COMPANY, key=ExternalKey(keys.company, record.company_key)))
    known = keys.id_of(record)
    fixed = keys.traits.needs_opportunity_key and known is not None and operation is Operation.UPDATE
    if fixed and (problem := _find_changed_key(record, keys)):
        return HeldBack(problem)
    if keys.traits.needs_opportunity_key and known is None and not record.external_id:
        return HeldBack(to_sentence(NEEDS_KEY))
    # A key that Marketo cannot change is none of the values; it only says which object is meant. Nor is it accepted so.
    if fixed and keys.is_key_unknown(record):
        draft = draft.without_name(keys.opportunity)
    values = draft.typed_values(without=(COMPANY_ID, COMPANY_KEY, *([keys.opportunity] if fixed else [])))
    if not values and not associations:
        differ = {name for name, *_ in draft.diff}
        return NothingToSend(_COMPANY_STAYS if differ.intersection((COMPANY_ID, COMPANY_KEY)) else "")
    needed = known is None or (keys.traits.needs_opportunity_key and operation is not Operation.UPDATE)
    by_key = needed and keys.opportunity and record.external_id
    wire = OutgoingRecord(
        Kind.OPPORTUNITY,
        marketo_id=known,
        external_key=ExternalKey(keys.opportunity, record.external_id or "") if by_key else None,
        values=values,
        associations=tuple(associations),
    )
    return Payload(wire, draft.sent, draft.diff)


def _find_changed_key(record: Opportunity, keys: KeyFields) -> str:
    """That the key was changed since Marketo accepted the record, as a sentence; "" if not, or if nobody knows."""
    if not record.accepted:
        return ""
    accepted, now = keys.accepted_of(record).get(keys.opportunity, ""), record.external_id or ""
    if accepted in (now, UNKNOWN_VALUE):
        return ""
    was = _("is “%(accepted)s” in Marketo") % {"accepted": accepted} if accepted else _("is empty in Marketo")
    put_back = _("put “%(accepted)s” back") % {"accepted": accepted} if accepted else _("empty it")
    return _(
        "Its external ID %(was)s and “%(now)s” here, and Marketo cannot change it: %(put_back)s, or "
        "delete it in Marketo and send it anew."
    ) % {"was": was, "now": now, "put_back": put_back}


# --- roles ----------------------------------------------------------------------------------


def _role_values(record: OpportunityPersonRole, keys: KeyFields) -> dict[str, AttributeValue]:
    links: dict[str, AttributeValue] = {
        OPPORTUNITY: f"{OUR_NUMBER_PREFIX}{record.opportunity_id}",
        PERSON_ID: record.person_id,
        PERSON_KEY: record.person_key,
    }
    links |= standard_values(record) | record.custom_attributes
    return links


def _build_role(
    record: OpportunityPersonRole, operation: Operation, keys: KeyFields, draft: _PayloadDraft
) -> BuildResult:
    to_opportunity = link_opportunity(record.opportunity, keys)
    if to_opportunity is None:
        return HeldBack(_opportunity_problem(record.opportunity, keys))
    if keys.traits.role_is_key and not record.role:
        return HeldBack(to_sentence(NEEDS_ROLE))
    if record.person_id is not None:
        to_person = RecordAssociation(LinkTarget.LEAD, id=record.person_id)
    elif keys.person:
        to_person = RecordAssociation(LinkTarget.LEAD, key=ExternalKey(keys.person, record.person_key))
    else:
        return HeldBack(_("The person is given by key, but MARKETO_PERSON_KEY_FIELD is not set."))
    replaced = is_replaced(record, keys)
    if replaced:
        draft = replace(draft, sent={**draft.now, **draft.sent})
    links = (OPPORTUNITY, PERSON_ID, PERSON_KEY)
    values = draft.typed_values(without=links)
    wire = OutgoingRecord(
        Kind.ROLE,
        marketo_id=keys.id_of(record),
        values=values,
        associations=(to_opportunity, to_person),
        replaced=replaced,
    )
    sent = {name: draft.now.get(name, "") for name in [*links, *values] if name in draft.now or name in values}
    if replaced:  # A person who was named by key and is by ID now, or the other way round.
        sent |= {name: "" for name in links if name in record.accepted and name not in sent}
    return Payload(wire, sent, draft.diff)


def is_replaced(record: OpportunityPersonRole, keys: KeyFields) -> bool:
    """Whether a role that Marketo has is deleted there and made anew, because its key was changed here."""
    if not keys.traits.role_is_key or keys.id_of(record) is None or not record.accepted:
        return False
    now = record_content(record, keys)
    return any(record.accepted.get(name, "") != now.get(name, "") for name in ROLE_KEY)


def _opportunity_problem(opportunity: Opportunity, keys: KeyFields) -> str:
    if keys.traits.roles_name_opportunity_by_key:
        return _("Its opportunity “%(opportunity)s” has no external ID, by which Marketo's API names it.") % {
            "opportunity": opportunity
        }
    return _("Its opportunity “%(opportunity)s” has no %(word)s yet.") % {
        "opportunity": opportunity,
        "word": keys.id_word(Kind.OPPORTUNITY),
    }


def link_opportunity(opportunity: Opportunity, keys: KeyFields) -> RecordAssociation | None:
    """How a role names its opportunity; ``None`` if it cannot yet."""
    if opportunity.marketo_id is not None and not keys.traits.roles_name_opportunity_by_key:
        return RecordAssociation(LinkTarget.OPPORTUNITY, id=opportunity.marketo_id)
    if keys.opportunity and opportunity.external_id:
        return RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(keys.opportunity, opportunity.external_id))
    return None


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
