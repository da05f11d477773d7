"""Settling what became of a sending that was never answered, by looking in Marketo.

A record is looked up only where sending it again could double it, and only once Marketo can no longer be working on
the first attempt (:mod:`mobjects.sync.send.selection` holds it back until then). Found: its id and values are taken.
Surely absent: it is sent again. Anything else waits for a person, as a :class:`mobjects.models.Conflict`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.prepared import the_row
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError, RefusalReason, Rejected
from mobjects.marketo.types import ExternalKey, Kind, MarketoQuery, QueryPage, RemoteObject
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
    SyncJob,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.sync import task
from mobjects.sync.content.from_marketo import OUR_NUMBER_PREFIX, RemoteContent, RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import OPPORTUNITY, KeyFields, link_opportunity, record_content
from mobjects.sync.installation.doubt import DOUBTED
from mobjects.sync.job_results import build_result, has_end, save_results, supersede_unknown
from mobjects.sync.send.gathered_lookup import GatheredLookup, load_gathering, store_gathering
from mobjects.sync.send.lookup_ends import NOT_ARRIVED, LookupEnd, store_lookup_end
from mobjects.sync.send.naming.candidates import (
    agrees_with,
    as_candidate,
    free_objects,
    group_by_name,
    late_copies,
    may_be_role,
    with_sent,
)
from mobjects.sync.send.naming.named_lookup import name_lost
from mobjects.sync.send.program_pages import query_programs, read_programs
from mobjects.sync.send.selection import NEEDS_LOOK_UP, SyncSelection, classify_records, ordered_kinds
from mobjects.sync.task import JobContext

CLOCK_MARGIN = timedelta(minutes=10)
"""How much earlier than a batch was sent "created since" begins, by Marketo's clock as its answers tell it; an answer
that shows Marketo's clock to be half of this further behind than was thought is asked for again."""

TOGETHER_AT_LEAST, TOGETHER_AT_MOST = 3, 1000
"""So many lost records of a kind are looked up together, by when they were created."""

_LOOK_UP = _("To find out what became of a sending that was not answered.")


class UnknownOutcomeResolver:
    """The looking-up part of a sync job. Done by one worker, the last that works on the job."""

    def __init__(self, context: JobContext, selection: SyncSelection) -> None:
        self._context = context
        self._selection = selection
        self._kinds = ordered_kinds(selection)
        self._named_at_most = context.keys.traits.named_to_a_query
        self._marketo_offset = timedelta()  # Marketo's clock minus the database's, as far as is known yet.

    def resolve_next(self) -> bool:
        """Look up records whose outcome is unknown, with one call; ``False`` if there are none."""
        # Asked first and of all records of the kinds: there hardly ever are any, and judging records is dear.
        if not self._is_any_lost() or self._context.job.leases.count() > 1:
            return False
        gathering = load_gathering(self._context.job)
        if gathering is not None and not gathering.over:
            self._gather(gathering)
            return True
        for kind in self._kinds:
            for part in self._selection.iter_parts():
                unknown = classify_records(kind, part, self._context.keys).filter(last_status=RecordStatus.UNKNOWN)
                open_ = unknown.filter(hold=NEEDS_LOOK_UP).exclude(has_end(self._context.job, kind))
                found = dict(open_.values_list("pk", "unknown_since")[:TOGETHER_AT_MOST])
                if found:
                    self._look_up_records(kind, found, gathering)
                    return True
        return False

    def _is_any_lost(self) -> bool:
        def make() -> QuerySet[Any]:
            lost = (records_of_kind(kind).filter(last_status=RecordStatus.UNKNOWN).order_by() for kind in self._kinds)
            return the_row(SyncJob).values_list(*map(Exists, lost))

        ((*found,),) = self._context.queries.ask("lost", make, self._context.job.pk)
        return any(found)

    # --- lost sendings ---

    def _look_up_records(
        self, kind: Kind, unknown: Mapping[int, datetime | None], before: GatheredLookup | None
    ) -> None:
        one_by_one = before.lost if before is not None and before.kind is kind else {}
        new = {pk: since for pk, since in unknown.items() if since is not None and one_by_one.get(pk) != since}
        if kind is Kind.PROGRAM:
            self._look_up_programs(unknown)
        elif kind not in self._context.keys.traits.listed:
            self._look_up_named(kind, unknown)
        elif len(new) >= TOGETHER_AT_LEAST:
            self._gather(GatheredLookup(kind, self._created_since(min(new.values())), new))
        else:
            self._look_up_record(kind, *next(iter(unknown.items())))

    def _look_up_record(self, kind: Kind, pk: int, since: datetime | None) -> None:
        (record,) = load_records(kind, [pk])
        query = _query(record, self._context.keys, self._created_since(since) if since else None)
        if query is None:
            self._save(kind, pk, since, None, [], complete=False)
        elif answered := self._read(query, [pk]):
            batch, page = answered
            if not self._asked_too_late(query, page):
                self._save(kind, pk, since, batch, page.found, complete=not page.more)

    def _look_up_programs(self, unknown: Mapping[int, datetime | None]) -> None:
        """Read a page of programs, and decide about those that it tells of."""
        numbers = dict(records_of_kind(Kind.PROGRAM).filter(pk__in=unknown).values_list("pk", "marketo_id"))
        query, wanted = query_programs(numbers, self._context.keys.traits)
        if answered := self._read(query, wanted):
            batch, page = answered
            for pk, found in read_programs(page, {pk: numbers[pk] for pk in wanted}).items():
                complete = bool(page.found) or not page.more
                self._save(Kind.PROGRAM, pk, unknown[pk], batch, found, complete=complete)

    def _look_up_named(self, kind: Kind, unknown: Mapping[int, datetime | None]) -> None:
        """Read what stands under the keys of as many records as one call may name, and decide about them."""
        sent = self._sent(kind, unknown)
        asked = name_lost(kind, sent, self._context.keys, most=self._named_at_most)
        for pk in asked.unnamed:
            self._save(kind, pk, unknown[pk], None, [], complete=False)
        answered = self._read(asked.query, list(asked.keys)) if asked.query else None
        if answered is None:
            return
        batch, page = answered
        if page.more and self._named_at_most > 1:
            self._named_at_most //= 2  # What is not on the page may be on the next one.
            return
        for pk in asked.keys:
            self._save(kind, pk, unknown[pk], batch, asked.select(page.found, pk), complete=not page.more)

    def _read(self, query: MarketoQuery, pks: Sequence[int]) -> tuple[SyncBatch, QueryPage] | None:
        """Make one call; where Marketo refuses it, the records say so and ``None`` is returned."""
        find = self._context.transport.find
        try:
            return task.read_from_marketo(self._context, query.kind, lambda: find(query), cause=_LOOK_UP)
        except MarketoError as error:
            if not error.concerns_only_this:
                raise
            self._store_refusal(query.kind, pks, error)
            return None

    def _sent(self, kind: Kind, pks: Iterable[int]) -> dict[int, dict[str, str]]:
        """What the lost sendings held; those that a restored database does not know, what they would have held."""
        doubted = list(records_of_kind(kind).filter(pk__in=pks, last_error=DOUBTED).values_list("pk", flat=True))
        assumed = {each.pk: record_content(each, self._context.keys) for each in load_records(kind, doubted)}
        return {pk: assumed[pk] if pk in assumed else _last_sent(kind, pk, self._context.keys) for pk in pks}

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
    def _store_refusal(self, kind: Kind, pks: Sequence[int], error: MarketoError) -> None:
        """Marketo refused the question. The records stay as they are; the next job asks again."""
        job, said = (
            self._context.job,
            _("It could not be looked up in Marketo: %(message)s") % {"message": error.message},
        )
        with transaction.atomic():
            supersede_unknown(job, kind, pks)
            status = SyncResultStatus.HELD
            save_results(job, [build_result(job, each, status, error=said) for each in load_records(kind, pks)])

    def _gather(self, gathering: GatheredLookup) -> None:
        """Read one page of all that was created since a batch was lost; with the last one, decide about its records."""
        job, find = self._context.job, self._context.transport.find
        if not gathering.batch:
            try:
                batch, page = task.read_from_marketo(
                    self._context, gathering.kind, lambda: find(gathering.query, gathering.position), cause=_LOOK_UP
                )
            except MarketoError as error:
                if error.trouble is RefusalReason.ACCESS:  # It would be denied for each single record too.
                    self._store_refusal(gathering.kind, list(gathering.lost), error)
                    store_gathering(job, gathering.ended())
                    return
                store_gathering(job, gathering.after_failure(anew=isinstance(error, Rejected)))
                if isinstance(error, Rejected):
                    return
                raise
            if self._asked_too_late(gathering.query, page):
                since = self._created_since(min(gathering.lost.values()))
                store_gathering(job, GatheredLookup(gathering.kind, since, gathering.lost))
                return
            gathering = gathering.after_page(batch, page, self._filter(gathering, page.found))
            store_gathering(job, gathering)
        if gathering.batch:
            self._decide_gathered(gathering)
            store_gathering(job, gathering.ended())

    def _filter(self, gathering: GatheredLookup, found: Sequence[RemoteObject]) -> Callable[[RemoteObject], bool]:
        """Whether an object may be one of those that were lost: of thousands that came into being hardly any is."""
        kind = gathering.kind
        sent = list(self._sent(kind, gathering.lost).values())
        if kind is Kind.OPPORTUNITY:
            names = {each.get("Name") for each in sent}
            return lambda each: None in names or each.values.get("Name", "") in names
        reader, parents = RemoteReader(kind, found, self._context.keys), {each.get(OPPORTUNITY) for each in sent}
        return lambda each: None in parents or f"{OUR_NUMBER_PREFIX}{reader.find_opportunity(each)}" in parents

    def _decide_gathered(self, gathering: GatheredLookup) -> None:
        kind, batch = gathering.kind, SyncBatch.objects.get(pk=gathering.batch)
        by_name, sent = group_by_name(gathering.found), self._sent(kind, gathering.lost)
        for pk, since in gathering.lost.items():
            name = sent[pk].get("Name") if kind is Kind.OPPORTUNITY else None
            mine = gathering.found if name is None else by_name.get(name, [])
            self._save(kind, pk, since, batch, mine, complete=True)

    @retry_on_database_error
    def _save(
        self,
        kind: Kind,
        pk: int,
        since: datetime | None,
        batch: SyncBatch | None,
        found: Sequence[RemoteObject],
        *,
        complete: bool,
    ) -> None:
        with transaction.atomic():
            lost = records_of_kind(kind).select_for_update(of=("self",)).filter(pk=pk, last_status=RecordStatus.UNKNOWN)
            # What was sent again since then, and lost again, is not what was looked for.
            if not lost.filter(claimed_by__isnull=True, unknown_since=since).exists():
                return  # Another job has got hold of it meanwhile, or it was deleted.
            (record,) = load_records(kind, [pk])
            sent = self._sent(kind, [pk])[pk]
            keys, before = self._context.keys, record.accepted
            mine = free_objects(found, record, keys)
            reader = RemoteReader(kind, found, keys)
            seen = [(each, reader.read_content(each, with_sent(record, before, sent, each, keys))) for each in mine]
            if kind is Kind.ROLE:
                seen = [(each, there) for each, there in seen if may_be_role(there, sent)]
            if not seen:
                copies = late_copies(found, record, keys)
                seen = [
                    (each, there)
                    for each in copies
                    if agrees_with(each, there := reader.read_content(each, record), sent)
                ]
                complete = complete and not seen
            if seen and complete and (kind is Kind.PROGRAM or (len(seen) == 1 and agrees_with(*seen[0], sent))):
                end = self._accept_object(record, *seen[0], sent)
            elif not seen and complete:
                _update(record, last_status="")
                end = LookupEnd(SyncResultStatus.LOOKED_UP, NOT_ARRIVED, SyncResultStatus.NOT_SENT)
            else:
                said = self._open_conflict(record, sent, seen)
                end = LookupEnd(SyncResultStatus.LOOKED_UP, said, SyncResultStatus.HELD)
            store_lookup_end(self._context.job, record, end, sent, batch)

    def _accept_object(
        self, record: SyncedRecord, found: RemoteObject, seen: RemoteContent, sent: dict[str, str]
    ) -> LookupEnd:
        for cost_pk, cost_id in seen.costs.ids.items():
            ProgramCost.objects.filter(pk=cost_pk).update(marketo_cost_id=cost_id)
        keys = self._context.keys
        known = keys.id_of(record) or found.marketo_id
        if record.KIND is Kind.ROLE and keys.traits.role_is_key:
            known = found.marketo_id  # It may have been made anew under the key that was sent.
        now = record_content(record, keys)
        # Without ids a cost that Marketo holds under neither text is not taken for a new one.
        values = seen.values if keys.traits.has_cost_ids else seen.comparable_with(record.accepted)
        # What Marketo holds beyond what we ever said is its own business.
        ours = {name: text for name, text in values.items() if name in now or name in sent}
        # What was sent and is not there, such as a cost, is not accepted and so goes out again.
        in_step = now == ours
        arrived = RecordStatus.UPDATED if record.KIND is Kind.PROGRAM else RecordStatus.CREATED
        _update(
            record,
            accepted=ours,
            in_marketo=seen.remote_only(now),
            read_at=clock.now(),
            last_status=arrived,
            last_synced_at=clock.now(),
            synced_revision=record.revision if in_step else record.revision - 1,
            **{keys.id_column(record.KIND): known},
        )
        rest = "" if in_step else _(" What differs is sent again.")
        said = _("It arrived: found in Marketo as %(word)s %(known)s.%(rest)s") % {
            "word": keys.id_word(record.KIND).removeprefix("Marketo "),
            "known": known,
            "rest": rest,
        }
        status = SyncResultStatus(arrived.value)
        whole = in_step or agrees_with(found, seen, sent)
        return LookupEnd(
            status if in_step else SyncResultStatus.LOOKED_UP, said, status if whole else SyncResultStatus.NOT_SENT
        )

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
                "candidates": [as_candidate(each, there) for each, there in seen],
                "job": self._context.job,
            },
        )
        return _("Not clear: %(count)s objects in Marketo may be it. A person has to decide.") % {"count": len(seen)}


def _query(record: Any, keys: KeyFields, since: datetime | None) -> MarketoQuery | None:
    """How to look a record up, if it was created since a moment; ``None`` if Marketo offers no way."""
    if isinstance(record, Program):
        return MarketoQuery(Kind.PROGRAM, id=record.marketo_id, archived=True, details=True)
    if isinstance(record, Opportunity):
        # As it was sent; it may have been edited since.
        sent = _last_sent(record.KIND, record.pk, keys)
        key = sent.get(keys.opportunity, "") if sent else record.external_id
        if keys.opportunity and key:
            return MarketoQuery(Kind.OPPORTUNITY, key=ExternalKey(keys.opportunity, key))
        return MarketoQuery(Kind.OPPORTUNITY, name=sent.get("Name") or record.name, created_since=since)
    link = link_opportunity(record.opportunity, keys)
    return MarketoQuery(Kind.ROLE, opportunity=link) if link else None


def _last_sent(kind: Kind, pk: int, keys: KeyFields) -> dict[str, str]:
    """What the sending of a record that was never answered held."""
    lost = SyncResult.objects.filter(kind=kind.value, record_id=pk, batch__state=SyncBatchState.UNKNOWN)
    sent: dict[str, str] = lost.order_by("-pk").values_list("sent", flat=True).first() or {}
    return dict(keys.rename_key(sent)) if kind is Kind.OPPORTUNITY else sent


def _update(record: SyncedRecord, **changes: Any) -> None:
    given = {"claimed_by": None, "unknown_since": None, "last_error": "", **changes}
    records_of_kind(record.KIND).filter(pk=record.pk).update(**given)
