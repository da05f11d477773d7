"""What can go wrong in the sandbox, and what is being sent when it does: the two sides of the fault matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from mobjects.marketo.transport_traits import IdKind
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag, SyncedRecord
from mobjects.models import records_of_kind as records_of
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.state import StoredCost
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import OPPORTUNITY, PERSON_ID, KeyFields, record_content
from mobjects.sync.send.selection import OperationChoice
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.support.invariants import OURS, stored_for

SHORT_TIMEOUT = 1.0
"""Seconds that a call waits for its answer where the fault is that none comes in time."""

ONE_BAD_RECORD = "fault 20012 for one of the records"

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class FaultCase:
    """A fault, in words and as the sandbox's script takes it; ``settings`` go into ``settings.MARKETO``."""

    words: str
    script: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)


def _soap(code: str, words: str, *, also_applied: bool = False) -> list[FaultCase]:
    plain = FaultCase(f"fault {code}, {words}", {"kind": "soap", "code": code})
    applied = FaultCase(f"fault {code}, {words}; applied", {"kind": "soap", "code": code, "applied": True})
    return [plain, applied] if also_applied else [plain]


def _http(status: int) -> list[FaultCase]:
    words = f"HTTP {status} with a web page"
    return [
        FaultCase(words, {"kind": "http", "status": status}),
        FaultCase(f"{words}; applied", {"kind": "http", "status": status, "applied": True}),
    ]


FAULTS = [
    *_soap("10001", "severe internal error", also_applied=True),
    *_soap("20011", "internal error", also_applied=True),
    *_soap("29999", "undocumented", also_applied=True),
    *_soap("20012", "request not understood"),
    FaultCase(ONE_BAD_RECORD, {"kind": "soap", "code": "20012", "times": 2}),
    *_soap("20019", "operation not supported"),
    *_soap("20013", "access denied"),
    *_soap("20014", "signature refused"),
    *_soap("20015", "daily quota used up"),
    FaultCase("fault 20016, expired, once", {"kind": "soap", "code": "20016"}),
    FaultCase("fault 20016, expired, twice in a row", {"kind": "soap", "code": "20016", "times": 2}),
    *_soap("20023", "more than 100 calls in 20 s"),
    *_soap("20024", "more than 10 calls at once"),
    *_http(502),
    *_http(500),
    *_http(200),
    FaultCase("no answer in time", {"kind": "slow", "seconds": 60.0}, {"TIMEOUT_SECONDS": SHORT_TIMEOUT}),
    FaultCase("connection cut before it was applied", {"kind": "cut_before"}),
    FaultCase("connection cut after it was applied", {"kind": "cut_after"}),
    FaultCase("answer with a row too few", {"kind": "short"}),
    FaultCase("answer with a row too many", {"kind": "long"}),
    FaultCase("answer without rows", {"kind": "empty"}),
    FaultCase("answer without a body", {"kind": "empty_body"}),
    FaultCase("one record FAILED", {"kind": "bad_row", "text": "no"}),
    FaultCase("one record SKIPPED", {"kind": "row_status", "row_status": "SKIPPED", "text": "no"}),
    FaultCase("one record with an unknown status word", {"kind": "row_status", "row_status": "DEFERRED"}),
]


@dataclass(frozen=True, slots=True)
class Sending:
    """An operation on a kind, in words; ``prepare`` makes two records that are to be sent under it."""

    words: str
    prepare: Callable[[SandboxServer], list[SyncedRecord]]
    settings: dict[str, Any] = field(default_factory=dict)
    operation: OperationChoice = OperationChoice.AUTO


def opportunity(**values: Any) -> Opportunity:
    number = next(_numbers)
    return factories.opportunity(name=f"Deal {number}", description=f"Deal no. {number}", **values)


def role(of: Opportunity, **values: Any) -> OpportunityPersonRole:
    return factories.role(of, person_id=next(_numbers) % 200 + 1, **values)


def program(marketo_id: int) -> Program:
    """A program that has a new cost and a new tag."""
    made = factories.program(marketo_id=marketo_id, name=f"Program {marketo_id}")
    factories.cost(made, note=f"{OURS}{next(_numbers)}")
    factories.tag(made, value="Korea")
    return made


def synced(sandbox: SandboxServer, *records: SyncedRecord) -> list[SyncedRecord]:
    """The same records, put into Marketo behind our back as if they had been sent; a job for that takes longer."""
    for record in records:
        (now,) = load_records(record.KIND, [record.pk])
        keys = key_fields()
        accepted = record_content(now, keys)
        changes: dict[str, Any] = {"accepted": accepted, "synced_revision": now.revision}
        with sandbox.store.lock:
            if isinstance(now, Program):
                _put_program(sandbox, now, keys)
            else:
                stored = sandbox.store.create_object(now.KIND.value, _wire(sandbox, now, accepted))
                by_guid = keys.traits.id_kind(now.KIND) is IdKind.GUID
                changes[keys.id_column(now.KIND)] = stored.guid if by_guid else stored.id
        records_of(now.KIND).filter(pk=now.pk).update(**changes)
    return list(records)


def _wire(sandbox: SandboxServer, record: Any, accepted: dict[str, str]) -> dict[str, str]:
    if record.KIND is not Kind.ROLE:
        # SOAP writes a field with a capital letter, REST with a small one.
        return {name[:1].upper() + name[1:]: text for name, text in accepted.items()}
    parent = stored_for(sandbox, record.opportunity)
    assert parent is not None
    links = {"OpportunityId": str(parent.id), "PersonId": str(record.person_id)}
    return links | {name: text for name, text in accepted.items() if name not in (OPPORTUNITY, PERSON_ID)}


def _put_program(sandbox: SandboxServer, record: Program, keys: KeyFields) -> None:
    stored = sandbox.store.programs[record.marketo_id]
    stored.tags |= {tag.type: tag.value for tag in record.tags.all()}
    for cost in record.costs.all():
        number = sandbox.store.new_id("Cost")
        stored.costs[number] = StoredCost(number, cost.month, f"{cost.amount:.2f}", cost.note)
        if keys.traits.has_cost_ids:
            ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=number)


def new_opportunities(sandbox: SandboxServer) -> list[SyncedRecord]:
    return [opportunity(), opportunity()]


def changed_opportunities(sandbox: SandboxServer) -> list[SyncedRecord]:
    records = synced(sandbox, opportunity(), opportunity())
    Opportunity.objects.update(stage="Won", amount="12.50")
    return records


def new_roles(sandbox: SandboxServer) -> list[SyncedRecord]:
    parents = synced(sandbox, opportunity(), opportunity())
    return [role(parent) for parent in Opportunity.objects.filter(pk__in=[parent.pk for parent in parents])]


def changed_roles(sandbox: SandboxServer) -> list[SyncedRecord]:
    records = synced(sandbox, *new_roles(sandbox))
    OpportunityPersonRole.objects.update(role="Decision Maker", is_primary=True)
    return records


def new_costs(sandbox: SandboxServer) -> list[SyncedRecord]:
    return [program(1001), program(1002)]


def changed_costs(sandbox: SandboxServer) -> list[SyncedRecord]:
    records = synced(sandbox, *new_costs(sandbox))
    ProgramCost.objects.update(amount="77.00")
    ProgramTag.objects.update(value="APAC")
    return records


SENDINGS = [
    Sending("INSERT opportunity", new_opportunities),
    Sending("UPSERT opportunity with key", new_opportunities, {"OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}),
    Sending("UPDATE opportunity", changed_opportunities),
    Sending("INSERT role", new_roles),
    Sending("UPDATE role", changed_roles),
    Sending("UPDATE program, new cost and tag", new_costs),
    Sending("UPDATE program, edited cost and tag", changed_costs),
]
