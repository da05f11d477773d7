"""The three questions that every test of faults ends with, put to both sides.

Is every local change in Marketo, or still marked as changed or unknown? Does Marketo hold nothing twice? Does the
history say what happened? The sandbox's store is read directly, not through our own reading calls.

So that a double can be told from a namesake, records made for these tests carry a name that nothing else has and no
test edits: an opportunity its description, a cost its note (beginning with :data:`OURS`), a role its person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from mobjects.marketo.types import Kind
from mobjects.models import (
    RECORD_MODELS,
    EarlierCall,
    Opportunity,
    OpportunityPersonRole,
    ProgramCost,
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    SyncedRecord,
    SyncJob,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.models.program import CHANNEL_TAG, COST_PREFIX
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.call_log import LoggedCall
from mobjects.sandbox.fault_injection import REST_API
from mobjects.sandbox.fields import FIELDS
from mobjects.sandbox.state import StoredObject
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import OPPORTUNITY, PERSON_ID, record_content
from mobjects.sync.transport_factory import key_fields

OURS = "cost no. "
"""How the notes of costs begin that these tests make."""

_OPEN = frozenset({SyncBatchState.WAITING.value, SyncBatchState.SENDING.value})
_FINAL = frozenset(state.value for state in SyncJob.FINAL_STATES)

_BOOLEANS = {field.name for fields in FIELDS.values() for field in fields.values() if field.data_type == "boolean"}

_OPERATIONS = {"getMObjects": "GET", "deleteMObjects": "DELETE", "describeMObject": "DESCRIBE"}


def check(sandbox: SandboxServer, *records: SyncedRecord) -> None:
    """Ask all three.

    Args:
        records: those of which a job that was asked to send them has to say something once it is over.
    """
    nothing_is_lost(sandbox)
    nothing_is_doubled(sandbox)
    history_tells(sandbox, records)


def nothing_is_lost(sandbox: SandboxServer) -> None:
    """Every local change is in Marketo, or still marked as changed or unknown."""
    for record in everything():
        marked = record.is_dirty or record.last_status == RecordStatus.UNKNOWN
        differs = differences(sandbox, record)
        assert marked or not differs, f"{record!r} counts as synced, but: {'; '.join(differs)}"


def both_sides_are_equal(sandbox: SandboxServer) -> None:
    """Every local value is in Marketo, and nothing is left to send."""
    for record in everything():
        assert differences(sandbox, record) == [], record
        assert (record.is_dirty, record.last_status == RecordStatus.UNKNOWN) == (False, False), record


def nothing_is_doubled(sandbox: SandboxServer) -> None:
    """Neither Marketo nor the database holds an object, cost or role twice."""
    store = sandbox.store
    with store.lock:
        opportunities = [stored.values.get("Description") for stored in store.opportunities.values()]
        roles = [(stored.values["OpportunityId"], stored.values["PersonId"]) for stored in store.roles.values()]
        notes = [cost.note for program in store.programs.values() for cost in program.costs.values()]
    assert _twice(opportunities) == []
    assert _twice(roles) == []
    assert _twice(note for note in notes if note.startswith(OURS)) == []
    assert _twice(Opportunity.objects.values_list("description", flat=True)) == []
    assert _twice(OpportunityPersonRole.objects.values_list("opportunity", "person_id")) == []
    assert _twice(ProgramCost.objects.filter(note__startswith=OURS).values_list("note", flat=True)) == []


def history_tells(sandbox: SandboxServer, records: Sequence[SyncedRecord] = ()) -> None:
    """Every call is a batch; every job is over, or says what it waits for; results, counts and claims agree."""
    assert _calls(sandbox) - _batches() == Counter(), "a call of which the history knows nothing"
    assert _rest_calls(sandbox) - _exchanges() == Counter(), "a call over REST of which the history knows nothing"
    for job in SyncJob.objects.all():
        _job_tells(job, records)
    claimed = [record for record in everything() if record.claimed_by is not None]
    for record in claimed:
        batch = record.claimed_by
        assert batch.state in _OPEN, f"{record!r} claimed by {batch!r}"
        assert batch.job.state not in _FINAL, f"{record!r} is claimed by a job that is over"


def _job_tells(job: SyncJob, records: Sequence[SyncedRecord]) -> None:
    final = job.results.exclude(status__in=[*SyncResult.PASSING_STATUSES, SyncResultStatus.PENDING])
    told = Counter(final.values_list("status", flat=True))
    assert Counter(job.counts) == told, f"{job!r} counts {job.counts}, its results are {told}"
    about = list(final.exclude(record_id=0).values_list("kind", "record_id"))
    assert _twice(about) == [], f"{job!r} has two results for one record"
    if job.state not in SyncJob.FINAL_STATES:
        waits_long = job.state == SyncJobState.WAITING and not job.leases.exists()
        assert not waits_long or job.waits_for, f"{job!r} does not say what it waits for"
        return
    assert not job.results.filter(status=SyncResultStatus.PENDING).exists(), f"{job!r} is over with pending results"
    assert not job.batches.filter(state__in=("waiting", "sending")).exists(), f"{job!r} is over with open batches"
    asked = {(kind, pk) for kind in job.selection.get("kinds", ()) for pk in job.selection.get("ids") or ()}
    missing = {(record.KIND.value, record.pk) for record in records} & asked - set(about)
    assert not missing, f"{job!r} says nothing of {missing}"


def everything() -> list[SyncedRecord]:
    """All local records, with all that belongs to them, as the database has them now."""
    return [
        record
        for kind, model in RECORD_MODELS.items()
        for record in load_records(kind, list(model.objects.values_list("pk", flat=True)))
    ]


def differences(sandbox: SandboxServer, record: Any) -> list[str]:
    """What of a record Marketo does not hold as it is here, field by field; also a field that only Marketo holds."""
    with sandbox.store.lock:
        if record.KIND is Kind.PROGRAM:
            return _program_differences(sandbox, record)
        stored = stored_for(sandbox, record)
        there = dict(stored.values) if stored else None
    if there is None:
        return ["Marketo does not have it"]
    # SOAP writes a field with a capital letter, REST with a small one.
    here = {name[:1].upper() + name[1:]: text for name, text in record_content(record, key_fields()).items()}
    if record.KIND is Kind.ROLE:
        deal = stored_for(sandbox, record.opportunity)
        here["OpportunityId"], here["PersonId"] = str(deal.id if deal else None), here.pop(PERSON_ID)
        del here[OPPORTUNITY]
    # A boolean that was never set is read as false over REST, and a pull writes that down.
    there |= {name: "false" for name in _BOOLEANS - there.keys() if here.get(name) == "false"}
    names = sorted({*here, *there})
    return [
        f"{name} is {here.get(name, '')!r} here, {there.get(name, '')!r} in Marketo"
        for name in names
        if not _same(here.get(name, ""), there.get(name, ""))
    ]


def stored_for(sandbox: SandboxServer, record: SyncedRecord) -> StoredObject | None:
    """What Marketo holds of an opportunity or a role, by the ID or the GUID that is known here."""
    if record.marketo_id is not None:
        return sandbox.store.objects[record.KIND.value].get(record.marketo_id)
    guid: str = getattr(record, "marketo_guid", None) or ""
    return sandbox.store.find_by_guid(record.KIND.value, guid)


def _program_differences(sandbox: SandboxServer, record: Any) -> list[str]:
    stored = sandbox.store.programs.get(record.marketo_id)
    if stored is None:
        return ["Marketo does not have it"]
    texts = {id_: f"{cost.month:%Y-%m} {Decimal(cost.amount):.2f} {cost.note}" for id_, cost in stored.costs.items()}
    here = {
        name: text for name, text in record_content(record, key_fields()).items() if not name.startswith(COST_PREFIX)
    }
    there = {CHANNEL_TAG: stored.channel, **{f"Tag {type_}": value for type_, value in stored.tags.items()}}
    found = [
        f"{name} is {text}, in Marketo {there.get(name)}" for name, text in here.items() if there.get(name) != text
    ]
    for cost in record.costs.all():
        known = [texts.get(cost.marketo_cost_id, "")] if cost.marketo_cost_id else texts.values()
        if cost.content_text not in known:
            found.append(f"the cost {cost.content_text} is not among {list(known)}")
    return found


def _calls(sandbox: SandboxServer) -> Counter[tuple[str, str, int]]:
    """What arrived, by operation, kind and number of objects; the size of a reading call is not compared."""
    return Counter(
        (_OPERATIONS.get(call.operation) or call.sync_operation, "".join(call.types), call.object_count)
        for call in sandbox.calls
        if call.operation in ("syncMObjects", *_OPERATIONS)
    )


def _rest_calls(sandbox: SandboxServer) -> Counter[str]:
    """What arrived over REST for records, by its first line. A batch cut off with its worker tells no calls."""
    cut_off = SyncBatch.objects.exclude(sent_at=None).filter(request="")
    if cut_off.exists():
        return Counter()
    return Counter(_first_line(call) for call in sandbox.calls if call.api == REST_API and not _is_about_all(call))


def _is_about_all(call: LoggedCall) -> bool:
    """Whether it serves all that follow: a token, the fields of a kind, usage. Whoever needs it first makes it."""
    return any(part in call.operation for part in ("/identity/", "/describe.json", "/stats/"))


def _first_line(call: LoggedCall) -> str:
    return call.request.partition("\n")[0]


def _exchanges() -> Counter[str]:
    """The first lines of all calls that the history keeps."""
    texts = [
        *SyncBatch.objects.values_list("request", flat=True),
        *EarlierCall.objects.values_list("request", flat=True),
    ]
    return Counter(text.partition("\n")[0] for text in texts if text)


def _batches() -> Counter[tuple[str, str, int]]:
    sent = SyncBatch.objects.exclude(state=SyncBatchState.WAITING).exclude(sent_at=None)
    rows = sent.values_list("operation", "kind", "size")
    return Counter((operation, kind, 0 if operation == "GET" else size) for operation, kind, size in rows)


def _same(one: str, other: str) -> bool:
    try:
        return one == other or Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _twice(found: Iterable[Any]) -> list[Any]:
    return [each for each, times in Counter(found).items() if times > 1]
