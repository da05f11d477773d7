"""What the sync engine and a transport tell each other, whichever API is in use.

Nothing here knows SOAP, REST, Django or HTTP. A transport takes an ``OutgoingBatch`` of ``OutgoingRecord`` objects
and gives exactly one ``RecordOutcome`` for each, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

AttributeValue = str | int | Decimal | bool | date | datetime | None
"""One attribute's value. ``None`` and ``""`` both mean "clear this field in Marketo"."""

MarketoId = int | str
"""What Marketo calls an object: a number, or a GUID as lower-case text. Which of them, the transport says
(:class:`mobjects.marketo.transport_traits.TransportTraits`); nothing above it looks inside."""


class Kind(StrEnum):
    """The object kinds that are synced, under Marketo's own names."""

    PROGRAM = "Program"
    OPPORTUNITY = "Opportunity"
    ROLE = "OpportunityPersonRole"


class Operation(StrEnum):
    """What Marketo is asked to do with every record of a batch."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    UPSERT = "UPSERT"


class OutcomeStatus(StrEnum):
    """What Marketo says it did with one record."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    DELETED = "DELETED"
    """Answers a deletion only."""


ACCEPTED_STATUSES = frozenset({OutcomeStatus.CREATED, OutcomeStatus.UPDATED, OutcomeStatus.UNCHANGED})
"""The statuses after which Marketo holds the values that were sent."""


class DataType(StrEnum):
    """Types of Marketo attributes, as describeMObject names them."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    CURRENCY = "currency"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """An external key: the API name of a custom field and the value it holds."""

    field: str
    value: str


class LinkTarget(StrEnum):
    """What a record can be associated with."""

    COMPANY = "Company"
    LEAD = "Lead"
    OPPORTUNITY = "Opportunity"


@dataclass(frozen=True, slots=True)
class RecordAssociation:
    """A link to another object in Marketo, by its id or by an external key (exactly one of them)."""

    link: LinkTarget
    id: int | None = None
    key: ExternalKey | None = None

    def __post_init__(self) -> None:
        if (self.id is None) == (self.key is None):
            raise ValueError(f"association {self.link}: give either an id or a key")


@dataclass(frozen=True, slots=True)
class OutgoingCost:
    """A program's period cost.

    Args:
        month: the first day of the month.
        amount: in the instance's currency.
        note: free text; ``""`` clears the note of a known cost, ``None`` leaves it alone.
        id: Marketo's cost id; ``None`` adds a new cost, a value changes that cost.
        accepted: how Marketo last accepted this cost; what it is found by where costs have no ids. ``None`` if it is
            new.
    """

    month: date
    amount: Decimal
    note: str | None = None
    id: int | None = None
    accepted: RemoteCost | None = None


@dataclass(frozen=True, slots=True)
class TagValue:
    """A program's tag; the channel is the tag of type ``Channel``."""

    type: str
    value: str


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
class OutgoingRecord:
    """One object as it is to be sent.

    Args:
        kind: which object.
        marketo_id: its id in Marketo, if known.
        external_key: the key to match it by; repeated among the values by the transport where the API wants that.
        values: attribute API name (``CloseDate``) to typed value; an attribute left out is not touched.
        associations: links to a company, a lead or an opportunity. A role whose
            links are both Marketo ids carries them here too; how they are written is the transport's business.
        costs, tags: of a program.
        unchanged_costs: costs of a program that Marketo accepted and that stay as they are.
        removed_costs: costs to be removed, as Marketo accepted them; only where it can.
        removed_tags: tag types to be removed; only where it can.
        name: what a program is called; some APIs find it by that.
        replaced: its key was changed, and Marketo cannot change that: the object is deleted and made anew. Holds all
            values then.
    """

    kind: Kind
    marketo_id: MarketoId | None = None
    external_key: ExternalKey | None = None
    values: Mapping[str, AttributeValue] = field(default_factory=dict)
    associations: Sequence[RecordAssociation] = ()
    costs: Sequence[OutgoingCost] = ()
    tags: Sequence[TagValue] = ()
    unchanged_costs: Sequence[RemoteCost] = ()
    removed_costs: Sequence[RemoteCost] = ()
    removed_tags: Sequence[str] = ()
    name: str = ""
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingBatch:
    """Records that go out in one call under one operation.

    Args:
        checked: whether the transport was asked for its problem with each of them already, and had none.
    """

    operation: Operation
    records: Sequence[OutgoingRecord]
    checked: bool = False


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
class RecordOutcome:
    """What Marketo answered for one record.

    Args:
        status: see :class:`OutcomeStatus`.
        marketo_id: the id Marketo returned, if any.
        message: Marketo's reason where the record was skipped or failed; a note for people where it was accepted.
    """

    status: OutcomeStatus
    marketo_id: MarketoId | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as it went over the wire, with secrets masked.

    Args:
        request, response: bodies as text; ``response`` is ``""`` if none came.
        identity: who called, and what else tells the call from others, by label: whatever its API goes by.
        http_status: ``None`` if no answer came.
        seconds: from sending to answer, on a monotonic clock.
        clock_offset_seconds: the other side's clock minus this host's, where the answer told it.
        earlier: the calls that were made before it for the same batch or page, in order; none of them has others.
        request_headers, response_headers: of HTTP, without what may not be kept.
        signature_digest: SHA-256 of the signature that the call carried, in hexadecimal; "" where nothing is signed.
    """

    request: str
    response: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    http_status: int | None = None
    seconds: float = 0.0
    clock_offset_seconds: float | None = None
    earlier: Sequence[Exchange] = ()
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    signature_digest: str = ""


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The outcomes of a batch, one per record and in its order, and the (last) exchange that brought them."""

    outcomes: Sequence[RecordOutcome]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class MarketoQuery:
    """What to look for in Marketo; all that is given must hold.

    Args:
        kind: which objects.
        id, key: at most one of them; a key finds the object that was added last under it.
        ids, keys: several of them at once, keys of one field; at most as many as the transport's traits say.
        name: exactly this name (programs, opportunities).
        opportunity: roles of this opportunity (an association).
        opportunities: roles of any of these, named by key; at most as many as the transport's traits say.
        created_since, updated_since, updated_until: aware times, both ends included.
        tag: programs with this tag.
        workspace: programs of this workspace, by name.
        archived: archived programs too.
        details: costs and tags of programs as well.
        id_from, id_to: programs with an id in this range, both ends included.
    """

    kind: Kind
    id: MarketoId | None = None
    key: ExternalKey | None = None
    ids: Sequence[MarketoId] = ()
    keys: Sequence[ExternalKey] = ()
    name: str = ""
    opportunity: RecordAssociation | None = None
    opportunities: Sequence[RecordAssociation] = ()
    created_since: datetime | None = None
    updated_since: datetime | None = None
    updated_until: datetime | None = None
    tag: TagValue | None = None
    workspace: str = ""
    archived: bool = False
    details: bool = False
    id_from: int | None = None
    id_to: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteCost:
    """A period cost as Marketo holds it."""

    id: int | None
    month: date
    amount: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """An object as Marketo holds it.

    Args:
        kind, marketo_id: which object.
        values: attribute API name to canonical text (see :func:`mobjects.marketo.value_text.to_text`), empty ones
            left out. Values that cannot be read as their type stand as Marketo wrote them. Of a program: ``Name``,
            ``Type``, ``Workspace Name`` and whatever else Marketo tells, under Marketo's names.
        associations: company, lead and opportunity links, by id or key.
        costs, tags: of a program; the channel is the tag of type ``Channel``.
        created_at, updated_at: aware, if Marketo tells.
    """

    kind: Kind
    marketo_id: MarketoId
    values: Mapping[str, str] = field(default_factory=dict)
    associations: Sequence[RecordAssociation] = ()
    costs: Sequence[RemoteCost] = ()
    tags: Sequence[TagValue] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of what a query found.

    Args:
        found: at most as many objects as Marketo gives at once.
        more: whether there is a next page.
        position: hand it to the next call, unchanged; means nothing when ``more`` is false.
        exchange: the call that brought it.
    """

    found: Sequence[RemoteObject]
    more: bool
    position: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class CallsToday:
    """How many calls all integrations have made since Marketo began to count anew, and the call that said so."""

    count: int
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class TagValuesResponse:
    """The values that Marketo allows, by tag type, and the call that told. Channels stand under ``Channel``."""

    values: Mapping[str, Sequence[str]]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field of an object kind as Marketo describes it."""

    name: str
    label: str
    type: str
    size: int | None
    read_only: bool
    custom: bool


@dataclass(frozen=True, slots=True)
class DescribeResponse:
    """The fields of an object kind, and the call that told."""

    fields: Sequence[FieldDescription]
    exchange: Exchange
