"""What can go wrong over REST, and what is being sent when it does: the other half of the fault matrix.

Not every fault meets every sending: what an answer lacks concerns those that are answered with rows, and where two
sendings are told apart by nothing but their kind, one of them stands for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mobjects.models import OpportunityPersonRole, SyncedRecord
from mobjects.sandbox import SandboxServer
from mobjects.sync.send.selection import OperationChoice
from tests.support import fault_cases
from tests.support.fault_cases import SHORT_TIMEOUT, Sending

REST = "REST: "
"""How the lines about a fault over REST begin."""
WRITES = "POST /rest/*"
"""The calls that are spoilt; a query that goes as a POST counts as GET."""


@dataclass(frozen=True, slots=True)
class RestFault:
    """A fault, in words and as the sandbox's script takes it.

    Args:
        words, script: see :class:`tests.support.fault_cases.FaultCase`.
        sendings: the words of those that meet it.
        timeout: seconds that a call waits for its answer; 0 leaves it at Marketo's own minutes.
    """

    words: str
    script: dict[str, Any]
    sendings: tuple[str, ...]
    timeout: float = 0.0

    @property
    def applied(self) -> bool:
        """Whether Marketo carries the call out although it says otherwise."""
        return bool(self.script.get("applied"))


def changed_roles(sandbox: SandboxServer) -> list[SyncedRecord]:
    """Two roles that are not as in Marketo, their keys aside."""
    records = fault_cases.synced(sandbox, *fault_cases.new_roles(sandbox))
    OpportunityPersonRole.objects.update(is_primary=True)
    return records


INSERT, UPSERT, UPDATE = "INSERT opportunity", "UPSERT opportunity", "UPDATE opportunity"
NEW_ROLE, CHANGED_ROLE, OTHER_KEY = "UPSERT role", "UPDATE role", "UPDATE role, another key"
NEW_COST, EDITED_COST = "UPDATE program, new cost and tag", "UPDATE program, edited cost and tag"

REST_SENDINGS = [
    Sending(INSERT, fault_cases.new_opportunities, operation=OperationChoice.INSERT),
    Sending(UPSERT, fault_cases.new_opportunities),
    Sending(UPDATE, fault_cases.changed_opportunities),
    Sending(NEW_ROLE, fault_cases.new_roles),
    Sending(CHANGED_ROLE, changed_roles),
    Sending(OTHER_KEY, fault_cases.changed_roles),
    Sending(NEW_COST, fault_cases.new_costs),
    Sending(EDITED_COST, fault_cases.changed_costs),
]
EVERY = tuple(sending.words for sending in REST_SENDINGS)
SOME = (INSERT, OTHER_KEY, NEW_COST)
"""One for each way to find out what became of a call: by key, by the new and the old key, by what is there."""
ROWS = (INSERT, UPSERT)
"""Those answered with a row for each record."""


def _error(code: str, words: str, sendings: tuple[str, ...], **options: Any) -> RestFault:
    applied = "; applied" if options.get("applied") else ""
    return RestFault(f"{code}, {words}{applied}", {"kind": "error", "code": code, **options}, sendings)


REST_FAULTS = [
    _error("604", "timed out", EVERY),
    _error("604", "timed out", EVERY, applied=True),
    _error("502", "bad gateway", SOME, applied=True),
    _error("611", "system error", SOME),
    _error("611", "system error", SOME, applied=True),
    _error("9999", "undocumented", (INSERT,), applied=True),
    _error("601", "token refused", (UPSERT, NEW_COST)),
    _error("603", "access denied", (UPSERT, CHANGED_ROLE, NEW_COST)),
    _error("605", "operation not supported", (UPSERT,)),
    _error("606", "more than 100 calls in 20 s", (UPSERT, NEW_COST)),
    _error("607", "daily quota used up", (UPSERT, NEW_COST)),
    _error("608", "not available for a moment", (UPSERT, NEW_COST)),
    _error("615", "more than 10 calls at once", (UPSERT, NEW_COST)),
    _error("609", "request not understood", (UPSERT,)),
    RestFault("609 for one of the records", {"kind": "error", "code": "609", "times": 2}, (UPSERT,)),
    RestFault("HTTP 502 with a web page", {"kind": "http", "status": 502, "applied": True}, SOME),
    RestFault("HTTP 200 with a web page", {"kind": "http", "status": 200}, (INSERT,)),
    RestFault("no answer in time", {"kind": "slow", "seconds": 60.0}, SOME, SHORT_TIMEOUT),
    RestFault("connection cut before it was applied", {"kind": "cut_before"}, SOME),
    RestFault("connection cut after it was applied", {"kind": "cut_after"}, EVERY),
    RestFault("connection cut within the answer", {"kind": "cut_inside"}, SOME),
    RestFault("answer with a row too few", {"kind": "short"}, ROWS),
    RestFault("answer with a row too many", {"kind": "long"}, ROWS),
    RestFault("answer without rows", {"kind": "empty"}, (INSERT, NEW_COST)),
    RestFault("answer without a result", {"kind": "no_result"}, (INSERT, NEW_COST)),
    RestFault("answer without a body", {"kind": "empty_body"}, (INSERT,)),
    RestFault("rows that do not say whose they are", {"kind": "missing_seq"}, ROWS),
    RestFault("rows in another order", {"kind": "shuffled"}, ROWS),
    RestFault("first line HTTP/1.1 200 200", {"kind": "status_line"}, (UPSERT, NEW_COST)),
    RestFault("one record skipped with 1003", {"kind": "bad_row", "text": "no"}, (UPSERT,)),
    RestFault("one record with an unknown status word", {"kind": "row_status", "row_status": "deferred"}, ROWS),
]

LOOK_UP_FAULTS = [
    fault
    for fault in REST_FAULTS
    if fault.script["kind"] in ("error", "http", "cut_before", "no_result")
    and not (fault.applied and fault.script["kind"] == "error")
    and fault.script.get("times", 1) == 1
    and fault.script.get("code") not in ("605", "608", "615")
]
"""Reading changes nothing, so whether it was applied makes no difference; an answer without rows is a proper one."""

NOT_OVER_REST = {
    "fault 20014, signature refused": "there is no signature; a wrong client secret is refused before any call is made",
    "fault 20016, expired, once": "REST: 601, which the token stands for",
    "fault 20016, expired, twice in a row": "a token that is refused twice is waited for, never a reason to stop",
    "one record SKIPPED": "over REST every refusal of a record is “skipped”; its code tells what it means",
}
"""Faults over SOAP that have no equal over REST, and why."""


def quick(cases: Iterable[Any]) -> list[dict[str, Any]]:
    """The scripts of faults, without the ones that take real time."""
    return [case.script for case in cases if case.script["kind"] != "slow"]


SCRIPTS = {"soap": quick(fault_cases.FAULTS), "rest": quick(REST_FAULTS)}
"""What may go wrong at random, over each API."""
SPOILT = {
    "soap": [{"operation": name} for name in ("syncMObjects", "syncMObjects", "getMObjects", "")],
    "rest": [{"path": path} for path in (WRITES, WRITES, "GET /rest/*", "/rest/*")],
}
"""The calls that a fault may hit, over each API."""
