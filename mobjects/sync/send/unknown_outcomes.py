"""Settling what became of a sending that was never answered, by looking in Marketo.

A record is looked up only where sending it again could double it, and only once Marketo can no longer be working on
the first attempt (:mod:`mobjects.sync.send.selection` holds it back until then). Found: its id and values are taken.
Surely absent: it is sent again. Anything else waits for a person, as a :class:`mobjects.models.Conflict`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, QueryPage, RemoteObject
from mobjects.models import (
    Conflict,
    ConflictReason,
    Opportunity,
    Program,
    ProgramCost,
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    SyncedRecord,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync import task
from mobjects.sync.conflicts.both_changed import candidate
from mobjects.sync.content.cost_matching import format_cost
from mobjects.sync.content.from_marketo import RemoteContent, RemoteReader, find_association
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import OPPORTUNITY, PERSON_ID, PERSON_KEY, opportunity_link, record_content
from mobjects.sync.installation.doubt import DOUBTED
from mobjects.sync.job_results import add_counts, build_result, results_of_record, supersede_unknown
from mobjects.sync.paging import load_progress, store_progress
from mobjects.sync.send.selection import NEEDS_LOOK_UP, SyncSelection, classify_records, ordered_kinds
from mobjects.sync.task import JobContext

CLOCK_MARGIN = timedelta(minutes=10)
"""How much earlier than a batch was sent "created since" begins, by Marketo's clock as its answers tell it; an answer
that shows Marketo's clock to be half of this further behind than was thought is asked for again."""

TOGETHER_AT_LEAST, TOGETHER_AT_MOST = 3, 1000
"""So many lost records of a kind are looked up together, by when they were created…"""
RECORDS_TO_A_PAGE = 2
"""…unless that takes more than a page for every two of them. Then so much else came into being that one call for each
record is cheaper."""

_LOOK_UP = "To find out what became of a sending that was not answered."
_GATHERING = "gathering"


@dataclass(frozen=True, slots=True)
class _GatheredLookup:
    """A reading of all that was created since, begun but not at its last page: for which records, and so far."""

    query: MarketoQuery
    pks: Sequence[int]
    found: Sequence[RemoteObject] = ()
    position: str = ""
    pages: int = 0


class UnknownOutcomeResolver:
    """The looking-up part of a sync job. Done by one worker, the last that works on the job."""

    def __init__(self, context: JobContext, selection: SyncSelection) -> None:
        self._context = context
        self._selection = selection
        self._kinds = ordered_kinds(selection)
        self._gathering: _GatheredLookup | None = None
        self._marketo_offset = timedelta()  # Marketo's clock minus the database's, as far as is known yet.

    def resolve_next(self) -> bool:
        """Look up records whose outcome is unknown, with one call; ``False`` if there are none."""
        # Asked first and of all records of the kinds: there hardly ever are any, and judging records is dear.
        lost = (records_of_kind(kind).filter(last_status=RecordStatus.UNKNOWN) for kind in self._kinds)
        if self._gathering is None and not any(found.exists() for found in lost):
            return False
        if self._context.job.leases.count() > 1:
            return False
        if self._gathering is not None:
            self._gather(self._gathering)
            return True
        for kind in self._kinds:
            for part in self._selection.iter_parts():
                unknown = classify_records(kind, part, self._context.keys).filter(last_status=RecordStatus.UNKNOWN)
                has_result = results_of_record(self._context.job, kind).filter(status=SyncResultStatus.HELD)
                open_ = unknown.filter(hold=NEEDS_LOOK_UP).exclude(Exists(has_result))
                found = open_.values_list("pk", "unknown_since")[:TOGETHER_AT_MOST]
                if found:
                    self._look_up_records(kind, list(found))
                    return True
        if load_progress(self._context.job).get(_GATHERING):
            self._store_gathering(False)
        return False

    # --- lost sendings ---

    def _look_up_records(self, kind: Kind, unknown: Sequence[tuple[int, datetime | None]]) -> None:
        sent_at = [since for _, since in unknown if since is not None]
        together = len(unknown) >= TOGETHER_AT_LEAST and len(sent_at) == len(unknown)
        if kind is not Kind.PROGRAM and together and not load_progress(self._context.job).get(_GATHERING):
            self._store_gathering(True)
            query = MarketoQuery(kind, created_since=self._created_since(min(sent_at)))
            self._gather(_GatheredLookup(query, [pk for pk, _ in unknown]))
            return
        pk = unknown[0][0]
        (record,) = load_records(kind, [pk])
        since = self._created_since(record.unknown_since) if record.unknown_since else None
        one = _query(record, self._context.keys.opportunity, since)
        if one is None:
            self._save(kind, pk, None, [], complete=False)
            return
        try:
            batch, page = task.read_from_marketo(
                self._context, kind, lambda: self._context.transport.find(one), cause=_LOOK_UP
            )
        except Rejected as error:
            self._store_refusal(record, error)
        else:
            if self._asked_too_late(one, page):
                return
            self._save(kind, pk, batch, page.found, complete=not page.more)

    def _sent(self, kind: Kind, pk: int) -> dict[str, str]:
        """What the lost sending held; of one that a restored database does not know, what it would have held."""
        doubted = records_of_kind(kind).filter(pk=pk, last_error=DOUBTED)
        if not doubted.exists():
            return _last_sent(kind, pk)
        return next((record_content(record, self._context.keys) for record in load_records(kind, [pk])), {})

    def _created_since(self, sent_at: datetime) -> datetime:
        return sent_at + self._marketo_offset - CLOCK_MARGIN

    def _asked_too_late(self, query: MarketoQuery, page: QueryPage) -> bool:
        """Whether Marketo's clock turned out to be so far behind that what was sent may have been left out."""
        seconds = page.exchange.clock_offset_seconds
        if query.created_since is None or seconds is None:
            return False
        offset = timedelta(seconds=seconds) + clock.host_offset()
        if offset >= self._marketo_offset - CLOCK_MARGIN / 2:
            return False
        self._marketo_offset = offset
        return True

    @retry_on_database_error
    def _store_refusal(self, record: SyncedRecord, error: Rejected) -> None:
        """Marketo refused the question. The record stays as it is; the next job asks again."""
        with transaction.atomic():
            supersede_unknown(self._context.job, record.KIND, [record.pk])
            said = f"It could not be looked up in Marketo: {error.message}"
            build_result(self._context.job, record, SyncResultStatus.HELD, error=said).save()
            add_counts(self._context.job, {SyncResultStatus.HELD.value: 1})

    def _gather(self, gathering: _GatheredLookup) -> None:
        """Read one page of all that was created since a lost batch was sent; with the last one, decide about its
        records.

        A batch of new records is looked up in a call or two that way, not in one for each record.
        """
        query, position = gathering.query, gathering.position
        self._gathering = None  # Where the call fails, one by one.
        try:
            batch, page = task.read_from_marketo(
                self._context, query.kind, lambda: self._context.transport.find(query, position), cause=_LOOK_UP
            )
        except Rejected:
            return
        if self._asked_too_late(query, page):
            self._store_gathering(False)  # Not given up: the next step begins it anew.
            return
        found, pages = [*gathering.found, *page.found], gathering.pages + 1
        if page.more:
            if pages * RECORDS_TO_A_PAGE < len(gathering.pks):
                self._gathering = replace(gathering, found=found, position=page.position, pages=pages)
            return
        self._store_gathering(False)
        by_name = _by_name(found)
        for pk in gathering.pks:
            mine = found
            if query.kind is Kind.OPPORTUNITY:
                mine = by_name.get(self._sent(query.kind, pk).get("Name", ""), [])
            self._save(query.kind, pk, batch, mine, complete=True)

    def _store_gathering(self, begun: bool) -> None:
        # What was gathered is lost with the worker. Begun again by the next one, which has no more time for it, that
        # would never end; so records are looked up one by one then.
        job = self._context.job
        store_progress(job, {**load_progress(job), _GATHERING: begun})

    @retry_on_database_error
    def _save(
        self, kind: Kind, pk: int, batch: SyncBatch | None, found: Sequence[RemoteObject], *, complete: bool
    ) -> None:
        with transaction.atomic():
            lost = records_of_kind(kind).select_for_update(of=("self",)).filter(pk=pk, last_status=RecordStatus.UNKNOWN)
            if not lost.filter(claimed_by__isnull=True).exists():
                return  # Another job has got hold of it meanwhile, or it was deleted.
            (record,) = load_records(kind, [pk])
            sent = self._sent(kind, pk)
            mine = _free(found, record)
            reader = RemoteReader(kind, found, self._context.keys)
            seen = [(each, reader.read_content(each, _with_sent(record, sent))) for each in mine]
            if kind is Kind.ROLE:
                seen = [(each, there) for each, there in seen if _may_be(there, sent)]
            if not seen:
                copies = _copies(found, record)
                seen = [
                    (each, there) for each in copies if _agrees(each, there := reader.read_content(each, record), sent)
                ]
                complete = complete and not seen
            status = SyncResultStatus.LOOKED_UP
            if seen and complete and (kind is Kind.PROGRAM or (len(seen) == 1 and _agrees(*seen[0], sent))):
                status, said = self._accept_object(record, *seen[0], sent)
            elif not seen and complete:
                _update(record, last_status="")
                said = "It did not arrive: Marketo does not have it. It is sent again."
            else:
                said = self._open_conflict(record, sent, seen)
            supersede_unknown(self._context.job, kind, [pk])
            row = build_result(self._context.job, record, status, batch=batch, error=said)
            row.sent = sent
            row.save()
            if batch is not None:
                SyncBatch.objects.filter(pk=batch.pk).update(size=F("size") + 1)
            add_counts(self._context.job, {status.value: 1})

    def _accept_object(
        self, record: SyncedRecord, found: RemoteObject, seen: RemoteContent, sent: dict[str, str]
    ) -> tuple[SyncResultStatus, str]:
        for cost_pk, cost_id in seen.costs.ids.items():
            ProgramCost.objects.filter(pk=cost_pk).update(marketo_cost_id=cost_id)
        record.marketo_id = record.marketo_id or found.marketo_id
        now = record_content(record, self._context.keys)
        # What Marketo holds beyond what we ever said is its own business.
        ours = {name: text for name, text in seen.values.items() if name in now or name in sent}
        # What was sent and is not there, such as a cost, is not accepted and so goes out again.
        in_step = now == ours
        arrived = RecordStatus.UPDATED if record.KIND is Kind.PROGRAM else RecordStatus.CREATED
        _update(
            record,
            marketo_id=record.marketo_id,
            accepted=ours,
            in_marketo=seen.remote_only(now),
            read_at=clock.now(),
            last_status=arrived,
            last_synced_at=clock.now(),
            synced_revision=record.revision if in_step else record.revision - 1,
        )
        rest = "" if in_step else " What differs is sent again."
        said = f"It arrived: found in Marketo as ID {record.marketo_id}.{rest}"
        return SyncResultStatus(arrived.value) if in_step else SyncResultStatus.LOOKED_UP, said

    def _open_conflict(
        self, record: SyncedRecord, sent: dict[str, str], seen: Sequence[tuple[RemoteObject, RemoteContent]]
    ) -> str:
        _update(record, last_status=RecordStatus.UNKNOWN, unknown_since=record.unknown_since)
        Conflict.objects.get_or_create(
            kind=record.KIND.value,
            record_id=record.pk,
            decided_at=None,
            defaults={
                "label": str(record)[:255],
                "reason": ConflictReason.AMBIGUOUS,
                "base": sent,
                "here": record_content(record, self._context.keys),
                "candidates": [_candidate(each, there) for each, there in seen],
                "job": self._context.job,
            },
        )
        return f"Not clear: {len(seen)} objects in Marketo may be it. A person has to decide."


def _query(record: Any, key_field: str, since: datetime | None) -> MarketoQuery | None:
    """How to look a record up, if it was created since a moment; ``None`` if Marketo offers no way."""
    if isinstance(record, Program):
        return MarketoQuery(Kind.PROGRAM, id=record.marketo_id, archived=True, details=True)
    if isinstance(record, Opportunity):
        # As it was sent; it may have been edited since.
        sent = _last_sent(record.KIND, record.pk)
        key = sent.get(key_field, "") if sent else record.external_id
        if key_field and key:
            return MarketoQuery(Kind.OPPORTUNITY, key=ExternalKey(key_field, key))
        return MarketoQuery(Kind.OPPORTUNITY, name=sent.get("Name") or record.name, created_since=since)
    link = opportunity_link(record.opportunity, key_field)
    return MarketoQuery(Kind.ROLE, opportunity=link) if link else None


def _last_sent(kind: Kind, pk: int) -> dict[str, str]:
    """What the sending of a record that was never answered held."""
    lost = SyncResult.objects.filter(kind=kind.value, record_id=pk, batch__state=SyncBatchState.UNKNOWN)
    sent: dict[str, str] = lost.order_by("-pk").values_list("sent", flat=True).first() or {}
    return sent


def _by_name(found: Sequence[RemoteObject]) -> dict[str, list[RemoteObject]]:
    result: dict[str, list[RemoteObject]] = defaultdict(list)
    for each in found:
        result[each.values.get("Name", "")].append(each)
    return result


def _with_sent(record: SyncedRecord, sent: dict[str, str]) -> SyncedRecord:
    # A cost that was edited since is found by what was sent of it.
    record.accepted = {**sent, **{name: text for name, text in record.accepted.items() if name not in sent}}
    return record


def _owners(found: Sequence[RemoteObject], record: SyncedRecord) -> SyncedQuerySet:
    """The other local records that are known to be one of them."""
    return records_of_kind(record.KIND).filter(marketo_id__in=[each.marketo_id for each in found]).exclude(pk=record.pk)


def _free(found: Sequence[RemoteObject], record: SyncedRecord) -> list[RemoteObject]:
    """Those that no other local record is known to be."""
    taken = set(_owners(found, record).values_list("marketo_id", flat=True))
    return [each for each in found if each.marketo_id not in taken]


def _copies(found: Sequence[RemoteObject], record: SyncedRecord) -> list[RemoteObject]:
    """Those that came here, by import for example, only after the record was sent: they may be what was sent."""
    if record.unknown_since is None:
        return []
    late = _owners(found, record).filter(created_at__gt=record.unknown_since).values_list("marketo_id", flat=True)
    return [each for each in found if each.marketo_id in late]


def _may_be(seen: RemoteContent, sent: dict[str, str]) -> bool:
    """Whether a role can be the one that was sent: same opportunity, same part, and perhaps the same person."""
    same_role = seen.values.get(OPPORTUNITY) == sent.get(OPPORTUNITY) and seen.values.get("Role", "") == sent.get(
        "Role", ""
    )
    person = seen.values.get(PERSON_ID)
    return same_role and (person is None or PERSON_ID not in sent or person == sent[PERSON_ID])


def _agrees(found: RemoteObject, seen: RemoteContent, sent: dict[str, str]) -> bool:
    """Whether an object holds exactly what was sent. A person sent by key and read by id cannot be compared."""
    person = find_association(found, LinkTarget.LEAD)
    if not sent or (PERSON_KEY in sent and (person is None or person.key is None)):
        return False
    return all(seen.values.get(name, "") == text for name, text in sent.items())


def _update(record: SyncedRecord, **changes: Any) -> None:
    given = {"claimed_by": None, "unknown_since": None, "last_error": "", **changes}
    records_of_kind(record.KIND).filter(pk=record.pk).update(**given)


def _candidate(found: RemoteObject, seen: RemoteContent) -> dict[str, Any]:
    return candidate(found, seen.values | {f"Cost {cost.id}": format_cost(cost) for cost in seen.costs.new})
