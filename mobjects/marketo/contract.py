"""The one interface between the sync engine and Marketo, whichever API is in use.

Nothing here knows SOAP, REST, Django or HTTP. A transport takes a ``Batch`` of
``Record`` objects and gives exactly one ``Outcome`` for each, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

Value = str | int | Decimal | bool | date | datetime | None
"""One attribute's value. ``None`` and ``""`` both mean "clear this field in Marketo"."""


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


class Status(StrEnum):
    """What Marketo says it did with one record."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


ACCEPTED = frozenset({Status.CREATED, Status.UPDATED, Status.UNCHANGED})
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
class Key:
    """An external key: the API name of a custom field and the value it holds."""

    field: str
    value: str


class Link(StrEnum):
    """What a record can be associated with."""

    COMPANY = "Company"
    LEAD = "Lead"
    OPPORTUNITY = "Opportunity"


@dataclass(frozen=True, slots=True)
class Association:
    """A link to another object in Marketo, by its id or by an external key (exactly one of them)."""

    link: Link
    id: int | None = None
    key: Key | None = None

    def __post_init__(self) -> None:
        if (self.id is None) == (self.key is None):
            raise ValueError(f"association {self.link}: give either an id or a key")


@dataclass(frozen=True, slots=True)
class Cost:
    """A program's period cost.

    Args:
        month: the first day of the month.
        amount: in the instance's currency.
        note: free text; ``""`` clears the note of a known cost, ``None`` leaves it alone.
        id: Marketo's cost id; ``None`` adds a new cost, a value changes that cost.
    """

    month: date
    amount: Decimal
    note: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A program's tag; the channel is the tag of type ``Channel``."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """One object as it is to be sent.

    Args:
        kind: which object.
        marketo_id: its id in Marketo, if known.
        external_key: the key to match it by; repeated among the values by the transport where the API wants that.
        values: attribute API name (``CloseDate``) to typed value; an attribute left out is not touched.
        associations: links to a company, a lead or an opportunity. A role whose
            links are both Marketo ids carries them here too; how they are written is the transport's business.
        costs, tags: of a program.
    """

    kind: Kind
    marketo_id: int | None = None
    external_key: Key | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    associations: Sequence[Association] = ()
    costs: Sequence[Cost] = ()
    tags: Sequence[Tag] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that go out in one call under one operation."""

    operation: Operation
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Marketo answered for one record.

    Args:
        status: see :class:`Status`.
        marketo_id: the id Marketo returned, if any.
        message: Marketo's reason where the record was skipped or failed.
        retryable: whether sending the same record again may help.
    """

    status: Status
    marketo_id: int | None = None
    message: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as it went over the wire, with secrets masked.

    Args:
        request, response: bodies as text; ``response`` is ``""`` if none came.
        user_id: the API user who signed.
        signed_at: the exact timestamp text that was signed (``""`` where the API signs nothing).
        http_status: ``None`` if no answer came.
        seconds: from sending to answer, on a monotonic clock.
    """

    request: str
    response: str = ""
    user_id: str = ""
    signed_at: str = ""
    http_status: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcomes of a batch, one per record and in its order, and the exchange that brought them."""

    outcomes: Sequence[Outcome]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of an object kind as Marketo describes it."""

    name: str
    label: str
    type: str
    size: int | None
    read_only: bool
    custom: bool


class Verdict(StrEnum):
    """Result of testing the connection."""

    OK = "ok"
    NOT_CONFIGURED = "not configured"
    REFUSED = "signature refused"
    CLOCK_OFF = "clock off"
    UNREACHABLE = "unreachable"
    NOT_MARKETO = "not Marketo"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Ping:
    """Verdict of a connection test, with a sentence for the user.

    ``clock_offset_seconds`` is Marketo's clock minus ours, if the answer told it.
    """

    verdict: Verdict
    message: str
    clock_offset_seconds: float | None = None


class Transport(Protocol):
    """A way to talk to one Marketo instance.

    Every method that calls Marketo raises a :class:`mobjects.marketo.errors.MarketoError`
    when the call as a whole does not succeed, except :meth:`ping`, which turns it into a verdict.
    """

    name: str
    endpoint: str
    user_id: str

    def limit(self, kind: Kind, operation: Operation) -> int | None:
        """How many records of this kind one call may hold; ``None`` if Marketo does not support the operation."""
        ...

    def problem(self, record: Record, operation: Operation) -> str:
        """Why a record may not be sent, in words; "" if it may. One bad record would have its whole batch refused."""
        ...

    def render(self, batch: Batch) -> str:
        """The request body that :meth:`send` would send, secrets masked. Sends nothing.

        Raises:
            Rejected: the batch may not be sent (too many records, unsupported operation).
        """
        ...

    def send(self, batch: Batch) -> Answer:
        """Send a batch; the answer holds exactly one outcome per record, in order."""
        ...

    def describe(self, kind: Kind) -> Sequence[FieldInfo]:
        """The fields Marketo knows for an object kind. Raises ``Rejected`` where a kind cannot be described."""
        ...

    def ping(self) -> Ping:
        """Test endpoint, credentials and clock without changing anything."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
