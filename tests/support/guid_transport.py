"""A Marketo in memory whose API has GUIDs, keys and costs without ids, and makes several calls for some batches.

It keeps the promises of every transport: ``tests/contract`` tries it beside the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import Any

from mobjects.marketo import attributes, value_parsing
from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected
from mobjects.marketo.registry import TRANSPORTS
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.transport import ConnectionVerdict, PingResult
from mobjects.marketo.transport_entry import Config, Setting, TransportEntry
from mobjects.marketo.transport_traits import IdKind, TransportTraits
from mobjects.marketo.types import (
    AttributeValue,
    BatchResponse,
    DescribeResponse,
    Exchange,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoId,
    MarketoQuery,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    QueryPage,
    RecordAssociation,
    RecordOutcome,
    RemoteCost,
    RemoteObject,
    TagValuesResponse,
)
from mobjects.marketo.value_text import to_text

KEY = "externalOpportunityId"
TRAITS = TransportTraits(
    id_kinds=MappingProxyType({Kind.OPPORTUNITY: IdKind.GUID, Kind.ROLE: IdKind.GUID}),
    opportunity_key=KEY,
    company_key="externalCompanyId",
    needs_opportunity_key=True,
    roles_name_opportunity_by_key=True,
    role_is_key=True,
    has_cost_ids=False,
    whole_costs=True,
    removes_costs=True,
    removes_tags=True,
    listed=frozenset({Kind.PROGRAM}),
    named_to_a_query=300,
)
CENTS = Decimal("0.01")
ADDRESS = Setting("GUID_ADDRESS", "Address")
SETTINGS = {"TRANSPORT": "guids", ADDRESS.name: "https://guids.example"}

RoleKey = tuple[str, str, str]


@dataclass
class GuidMarketo:
    """What it holds, and how it behaves.

    Args:
        limits: records to a batch.
        earlier: how many calls each batch takes before the last one.
        page_size: objects to a page.
        people: ids by external key of everybody whom it knows; ``None`` if it knows whoever is named.
        allowed_tags, allowed_channels: what it tells that programs may have.
        bad_row: index and reason of a record or object that the next batch or deletion fails for.
    """

    limits: int = 300
    earlier: int = 0
    page_size: int = 300
    people: Mapping[str, int] | None = None
    allowed_tags: dict[str, Sequence[str]] = field(default_factory=dict)
    allowed_channels: list[str] = field(default_factory=list)
    bad_row: tuple[int, str] | None = None
    calls: int = 0
    objects: dict[MarketoId, RemoteObject] = field(default_factory=dict)
    sent: list[OutgoingBatch] = field(default_factory=list)
    asked: list[MarketoQuery] = field(default_factory=list)
    note: str = ""
    refused: set[MarketoId | str] = field(default_factory=set)
    lose: str = ""
    """What becomes of the next batch or deletion: ``before`` or ``after`` it is applied its answer is lost; or
    ``deleted``: it is lost between deleting and making anew."""
    fail_reading: MarketoError | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def put_program(self, number: int = 1001, *costs: RemoteCost) -> None:
        self.objects[number] = RemoteObject(Kind.PROGRAM, number, {"Name": "Webinar"}, costs=costs)

    def costs(self, number: int = 1001) -> list[str]:
        return sorted(
            f"{cost.month:%Y-%m} {cost.amount:.2f} {cost.note}".strip() for cost in self.objects[number].costs
        )

    def kept(self, kind: Kind) -> list[RemoteObject]:
        return [each for each in self.objects.values() if each.kind is kind]

    def role_keys(self) -> set[RoleKey]:
        return {_role_key(each.associations, each.values["Role"]) for each in self.kept(Kind.ROLE)}

    # --- the transport ---

    name, endpoint, caller, delete_limit, traits = "guids", SETTINGS[ADDRESS.name], "tester", 300, TRAITS

    def limit(self, kind: Kind, operation: Operation) -> int | None:
        if kind is Kind.PROGRAM:
            return 20 if operation is Operation.UPDATE else None
        return self.limits

    def problem(self, record: OutgoingRecord, operation: Operation) -> str:
        return ""

    def render(self, batch: OutgoingBatch) -> str:
        return f"{batch.operation} {len(batch.records)}"

    def send(self, batch: OutgoingBatch) -> BatchResponse:
        for record in batch.records:
            most = self.limit(record.kind, batch.operation)
            if most is None or len(batch.records) > most:
                raise Rejected(f"{batch.operation} takes {most} {record.kind}, not {len(batch.records)}.")
        self.sent.append(batch)
        if self.lose == "deleted":
            for record in batch.records:
                if record.replaced:
                    self.objects.pop(record.marketo_id or "", None)
        return self._answer("sent", batch.records, lambda record: self._apply(record, batch.operation))

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        ids, keys, parents = self._named(query)
        if position and not position.isdigit():
            raise Rejected("The place is no longer known.")
        filters = (
            query.created_since,
            query.updated_since,
            query.updated_until,
            query.tag,
            query.workspace,
            query.name,
        )
        if any(filters) or (query.kind not in TRAITS.listed and not ids and not keys and not parents):
            raise Rejected("Name the objects, by GUID or external ID.")
        if max(len(ids), len(keys), len(parents)) > TRAITS.named_to_a_query:
            raise Rejected(f"Name {TRAITS.named_to_a_query} objects at most.")
        self.asked.append(query)
        if self.fail_reading:
            error, self.fail_reading = self.fail_reading, None
            raise error
        fits = [
            each if query.details else replace(each, costs=(), tags=())
            for each in self.kept(query.kind)
            if (not ids or each.marketo_id in ids)
            and (not keys or each.values.get(KEY) in keys)
            and (not parents or _role_key(each.associations, "")[0] in parents)
        ]
        fits.sort(key=lambda each: (str(type(each.marketo_id)), each.marketo_id))
        start = int(position or 0)
        end = start + self.page_size
        return QueryPage(fits[start:end], end < len(fits), str(end), self._exchange("asked"))

    def delete(self, kind: Kind, ids: Sequence[MarketoId]) -> BatchResponse:
        if kind is Kind.PROGRAM or not 0 < len(ids) <= self.delete_limit:
            raise Rejected(f"1 to {self.delete_limit} opportunities or roles are deleted, not {len(ids)} {kind}.")
        return self._answer("deleted", ids, self._delete)

    def describe(self, kind: Kind) -> DescribeResponse:
        return DescribeResponse([], self._exchange("described"))

    def tags(self) -> TagValuesResponse:
        return TagValuesResponse(self.allowed_tags, self._exchange("tags"))

    def channels(self) -> TagValuesResponse:
        return TagValuesResponse({"Channel": self.allowed_channels}, self._exchange("channels"))

    def ping(self) -> PingResult:
        return PingResult(ConnectionVerdict.OK, "Here.")

    def close(self) -> None:
        return None

    # --- inside ---

    def _answer(self, text: str, rows: Sequence[Any], apply: Callable[[Any], RecordOutcome]) -> BatchResponse:
        """Apply rows and answer, unless the answer is lost."""
        lost, self.lose = self.lose, ""
        bad, self.bad_row = self.bad_row, None
        outcomes = []
        for index, row in enumerate(rows if lost in ("", "after") else ()):
            is_bad = bad is not None and bad[0] == index
            outcomes.append(RecordOutcome(OutcomeStatus.FAILED, message=bad[1]) if bad and is_bad else apply(row))
        if lost:
            raise OutcomeUnknown("No answer came.", exchange=self._exchange(text, answered=False))
        return BatchResponse(outcomes, self._exchange(text))

    def _exchange(self, text: str, *, answered: bool = True) -> Exchange:
        self.calls += 1 + self.earlier
        earlier = [
            Exchange(f"call {number} of {text}", f"answer {number}", {"Call": str(number)}, 200, 0.5)
            for number in range(1, self.earlier + 1)
        ]
        status = 200 if answered else None
        return Exchange(text, "answered" if answered else "", {}, status, 0.25, earlier=earlier)

    def _named(self, query: MarketoQuery) -> tuple[set[MarketoId], set[str], set[str]]:
        """The ids, external IDs and opportunities of roles that a query names."""
        links = [*query.opportunities, *([query.opportunity] if query.opportunity else [])]
        return (
            {*query.ids, *([query.id] if query.id is not None else [])},
            {key.value for key in (*query.keys, *([query.key] if query.key else []))},
            {link.key.value for link in links if link.key},
        )

    def _delete(self, called: MarketoId) -> RecordOutcome:
        gone = self.objects.pop(called, None)
        return RecordOutcome(OutcomeStatus.DELETED if gone else OutcomeStatus.UNCHANGED, called)

    def _apply(self, record: OutgoingRecord, operation: Operation) -> RecordOutcome:
        types = {attribute.name: attribute for attribute in attributes.STANDARD.get(record.kind, ())}
        for name, value in record.values.items():
            if name in types and isinstance(value, str):
                try:
                    value_parsing.canonical_text(value, types[name])
                except ValueError as error:
                    return RecordOutcome(OutcomeStatus.FAILED, message=f"{name}: {error}")
        return {Kind.PROGRAM: self._change_program, Kind.OPPORTUNITY: self._put_opportunity, Kind.ROLE: self._put_role}[
            record.kind
        ](record, operation)

    def _change_program(self, record: OutgoingRecord, operation: Operation) -> RecordOutcome:
        assert record.marketo_id is not None
        here = self.objects[record.marketo_id]
        costs = list(here.costs)
        for gone in (*record.removed_costs, *(cost.accepted for cost in record.costs if cost.accepted)):
            if gone not in costs:
                return RecordOutcome(OutcomeStatus.FAILED, message=f"No cost {gone.month:%Y-%m} {gone.amount}.")
            costs.remove(gone)
        costs += [RemoteCost(None, cost.month, cost.amount.quantize(CENTS), cost.note or "") for cost in record.costs]
        removed = {*record.removed_tags, *(tag.type for tag in record.tags)}
        tags = [tag for tag in here.tags if tag.type not in removed] + list(record.tags)
        self.objects[record.marketo_id] = replace(here, costs=costs, tags=tags)
        return RecordOutcome(OutcomeStatus.UPDATED, record.marketo_id, self.note)

    def _put_opportunity(self, record: OutgoingRecord, operation: Operation) -> RecordOutcome:
        if record.external_key is None:
            assert record.marketo_id is not None
            if KEY in record.values or record.marketo_id not in self.objects:
                return RecordOutcome(OutcomeStatus.SKIPPED, message="1013 Record not found")
            return self._change(record.marketo_id, record)
        same = [each for each in self.kept(record.kind) if each.values[KEY] == record.external_key.value]
        return self._make(record, operation, same, {KEY: record.external_key.value})

    def _put_role(self, record: OutgoingRecord, operation: Operation) -> RecordOutcome:
        if record.marketo_id is not None and not record.replaced:
            return self._change(record.marketo_id, record)
        self.objects.pop(record.marketo_id or "", None)
        record = replace(record, associations=[self._as_known(link) for link in record.associations])
        key = _role_key(record.associations, str(record.values["Role"]))
        if self.refused & set(key) or not self._has_ends(record.associations):
            return RecordOutcome(OutcomeStatus.FAILED, message="1004 Lead or opportunity not found")
        same = [each for each in self.kept(record.kind) if _role_key(each.associations, each.values["Role"]) == key]
        return self._make(record, operation, same, {})

    def _as_known(self, link: RecordAssociation) -> RecordAssociation:
        """A person who was named by key by their id, where that is known."""
        known = self.people.get(link.key.value) if self.people and link.key and link.link is LinkTarget.LEAD else None
        return RecordAssociation(link.link, id=known) if known else link

    def _has_ends(self, links: Sequence[RecordAssociation]) -> bool:
        deals = {each.values.get(KEY) for each in self.kept(Kind.OPPORTUNITY)}
        known = None if self.people is None else set(self.people.values())
        return all(
            link.key is not None and link.key.value in deals
            if link.link is LinkTarget.OPPORTUNITY
            else known is None or link.id in known
            for link in links
        )

    def _make(
        self, record: OutgoingRecord, operation: Operation, same: Sequence[RemoteObject], more: dict[str, str]
    ) -> RecordOutcome:
        if same and operation is Operation.INSERT:
            return RecordOutcome(OutcomeStatus.SKIPPED, message="1017 Object already exists")
        if same:
            return self._change(same[0].marketo_id, record)
        guid = f"00000000-0000-0000-0000-{next(self._numbers):012d}"
        self.objects[guid] = RemoteObject(record.kind, guid, more, record.associations)
        self._change(guid, record)
        return RecordOutcome(OutcomeStatus.CREATED, guid, self.note)

    def _change(self, called: MarketoId, record: OutgoingRecord) -> RecordOutcome:
        here = self.objects[called]
        values = {**here.values, **{name: _told(value) for name, value in record.values.items()}}
        links = record.associations or here.associations
        kept = {name: text for name, text in values.items() if text}
        self.objects[called] = replace(here, values=kept, associations=links)
        return RecordOutcome(OutcomeStatus.UPDATED, called, self.note)


def _told(value: AttributeValue) -> str:
    """A value as it is read: moments by UTC, wherever they were written."""
    return to_text(value.astimezone(UTC) if isinstance(value, datetime) else value)


def _role_key(links: Sequence[RecordAssociation], role: str) -> RoleKey:
    by_target: dict[LinkTarget, Any] = {link.link: link.key.value if link.key else link.id for link in links}
    return str(by_target.get(LinkTarget.OPPORTUNITY, "")), str(by_target.get(LinkTarget.LEAD, "")), role


def parent(external_id: str) -> RecordAssociation:
    """How a role names its opportunity."""
    return RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(KEY, external_id))


@contextmanager
def registered(marketo: GuidMarketo, traits: TransportTraits = TRAITS) -> Iterator[None]:
    """The site with this Marketo behind it, once the settings say so."""

    def open_it(config: Config, store: SharedStore, facts: object) -> Any:
        return marketo

    TRANSPORTS["guids"] = TransportEntry(
        name="guids",
        endpoint=ADDRESS,
        example="https://guids.example",
        settings=(ADDRESS,),
        where="Nowhere.",
        masked=(),
        open=open_it,
        traits=traits,
    )
    try:
        yield
    finally:
        del TRANSPORTS["guids"]
