"""Looking up what opportunities and roles are called in Marketo, by their keys. Changes no value on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import transaction
from django.db.models import Q

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, RecordAssociation
from mobjects.models import Opportunity, SyncBatch, SyncedRecord, SyncResult, SyncResultStatus, records_of_kind
from mobjects.models.synced_record import UNDER_WAY, SyncedQuerySet
from mobjects.sync.content.gaps import LOOKED_UP, kinds_without_numbers
from mobjects.sync.content.loading import load_records
from mobjects.sync.job_results import build_result, save_results
from mobjects.sync.paging import load_progress, read_page, store_progress
from mobjects.sync.pull.identify.matching import CHANGED_HERE, UNDER_WAY_HERE, LookupVerdict, RecordMatcher, key_of
from mobjects.sync.pull.identify.place import AskedRecord, LookupPlace, read_found
from mobjects.sync.task import JobContext, JobTask, KindSelection

_KEY_COLUMNS = {Kind.OPPORTUNITY: "external_id", Kind.ROLE: "opportunity__external_id"}


@dataclass(frozen=True, slots=True)
class IdentifySelection(KindSelection):
    """Which ids a person asked to look up.

    Args:
        kinds: opportunities, roles, or both.
        ids: see :class:`mobjects.sync.task.KindSelection`.
        key_field: the field of opportunities in Marketo that holds our external ID; "" for the one in use.
    """

    kinds: Sequence[Kind] = LOOKED_UP
    key_field: str = ""

    def to_json(self) -> dict[str, Any]:
        """As kept on the job."""
        ids = list(self.ids) if self.ids is not None else None
        return {"kinds": [kind.value for kind in self.kinds], "ids": ids, "key_field": self.key_field}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_json`."""
        ids = kept.get("ids")
        kinds = tuple(Kind(kind) for kind in kept["kinds"])
        return cls(kinds, tuple(ids) if ids is not None else None, kept.get("key_field", ""))


def records_to_identify(kind: Kind, selection: KindSelection, id_column: str) -> SyncedQuerySet:
    """The records whose id can be looked up: without one, with all that it is looked up by.

    Args:
        id_column: see :meth:`mobjects.sync.content.payload.KeyFields.id_column`.
    """
    found = records_of_kind(kind).filter(**{f"{id_column}__isnull": True, f"{_KEY_COLUMNS[kind]}__isnull": False})
    if kind is Kind.ROLE:
        found = found.filter(~Q(role=""))
    return found if selection.ids is None else found.filter(pk__in=selection.ids)


class IdentifyTask(JobTask):
    """One page a step. What a call names is judged once all its pages are read: a key that is found twice is unclear.

    A refused call is halved, until the record that it was refused for stands alone.
    """

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.selection = IdentifySelection.from_json(context.job.selection)
        self._key_field = self.selection.key_field or context.keys.opportunity

    def step(self) -> bool:
        kept = load_progress(self.context.job)
        over = kept.get("kinds", [])
        wanted = [kind for kind in kinds_without_numbers(self.context.keys) if kind in self.selection.kinds]
        kind = next((kind for kind in wanted if kind.value not in over), None)
        if kind is None:
            return False
        place = LookupPlace.from_json(kept)
        if asked := place.asked or self._next_records(kind, place):
            self._look_up(kind, replace(place, asked=asked))
        else:
            self._store(LookupPlace(), kinds=[*over, kind.value])
        return True

    def _records(self, kind: Kind) -> SyncedQuerySet:
        return records_to_identify(kind, self.selection, self.context.keys.id_column(kind))

    def _next_records(self, kind: Kind, place: LookupPlace) -> list[AskedRecord]:
        rows = self._records(kind).filter(pk__gt=place.cursor.after).order_by("pk")
        size = place.size or self.context.keys.traits.named_to_a_query
        return list(rows.values_list("pk", _KEY_COLUMNS[kind])[:size])

    def _query(self, kind: Kind, asked: Sequence[AskedRecord]) -> MarketoQuery:
        names = dict.fromkeys(key for _, key in asked)
        if kind is Kind.OPPORTUNITY:
            return MarketoQuery(kind, keys=tuple(ExternalKey(self._key_field, name) for name in names))
        keys = (ExternalKey(self.context.keys.opportunity, name) for name in names)
        return MarketoQuery(
            kind, opportunities=tuple(RecordAssociation(LinkTarget.OPPORTUNITY, key=key) for key in keys)
        )

    def _look_up(self, kind: Kind, place: LookupPlace) -> None:
        try:
            answered = read_page(self.context, self._query(kind, place.asked), place.cursor)
        except Rejected as error:
            # The same words for one record after the other: it is not the records that Marketo refuses.
            if error.trouble is not None or (len(place.asked) == 1 and error.message == place.refusal):
                raise
            self._refuse(kind, place, error.message)
            return
        if answered is None:
            return
        batch, page = answered
        keys = self.context.keys
        place = place.after_page(page, [read_found(kind, each, self._key_field, keys) for each in page.found])
        if page.more:
            self._store(place)
        else:
            self._save(kind, batch, place)

    @retry_on_database_error
    def _refuse(self, kind: Kind, place: LookupPlace, words: str) -> None:
        if len(place.asked) > 1:
            self._store(place.in_halves())
            return
        with transaction.atomic():
            refused = load_records(kind, [place.asked[0][0]])
            self._store(place.after_refusal(words))
            job, held = self.context.job, SyncResultStatus.HELD
            save_results(job, [build_result(job, record, held, error=words) for record in refused])

    @retry_on_database_error
    def _save(self, kind: Kind, batch: SyncBatch, place: LookupPlace) -> None:
        with transaction.atomic():
            rows = self._judge(kind, batch, place)
            batch.size = len(place.asked)
            batch.save(update_fields=["size"])
            self._store(place.after_records(self.context.keys.traits.named_to_a_query))
            save_results(self.context.job, rows)

    def _judge(self, kind: Kind, batch: SyncBatch, place: LookupPlace) -> list[SyncResult]:
        asked = dict(place.asked)
        here = self._records(kind).filter(pk__in=asked)
        locked = list(here.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        busy = set(records_of_kind(kind).filter(UNDER_WAY, pk__in=locked).values_list("pk", flat=True))
        matcher = self._matcher(kind, place)
        positions = {pk: position for position, pk in enumerate(asked, start=1)}
        rows = []
        for record in load_records(kind, locked):
            if record.pk in busy:
                verdict = LookupVerdict(SyncResultStatus.HELD, UNDER_WAY_HERE)
            elif key_of(record) != asked[record.pk]:
                verdict = LookupVerdict(SyncResultStatus.HELD, CHANGED_HERE)
            else:
                verdict = self._keep_id(record, matcher.judge_record(record))
            rows.append(self._result(batch, record, positions[record.pk], verdict))
        return rows

    def _matcher(self, kind: Kind, place: LookupPlace) -> RecordMatcher:
        column = self.context.keys.id_column(kind)
        having = records_of_kind(kind).filter(**{f"{column}__in": [each.called for each in place.found]})
        exact = Opportunity.objects.filter(external_id__in={each.key for each in place.found})
        return RecordMatcher(
            kind,
            place.found,
            self._key_field,
            self.context.keys,
            holders={
                getattr(each, column): each for each in load_records(kind, list(having.values_list("pk", flat=True)))
            },
            owners={str(each.external_id): each for each in exact},
        )

    def _keep_id(self, record: SyncedRecord, verdict: LookupVerdict) -> LookupVerdict:
        """Keep what was found. Where another record gets that id in this moment, the next try sees it."""
        if not verdict.called:
            return verdict
        column = self.context.keys.id_column(record.KIND)
        free = records_of_kind(record.KIND).filter(pk=record.pk, **{f"{column}__isnull": True})
        kept = free.update(**{column: verdict.called})
        return verdict if kept else LookupVerdict(SyncResultStatus.HELD, CHANGED_HERE)

    def _result(self, batch: SyncBatch, record: SyncedRecord, position: int, verdict: LookupVerdict) -> SyncResult:
        row = build_result(
            self.context.job, record, verdict.status, batch=batch, position=position, error=verdict.words
        )
        if verdict.called:
            row.diff = [[self.context.keys.traits.id_kind(record.KIND).value, "", verdict.called]]
            setattr(row, self.context.keys.id_column(record.KIND), verdict.called)
        return row

    @retry_on_database_error
    def _store(self, place: LookupPlace, **more: Any) -> None:
        kept = load_progress(self.context.job)
        store_progress(self.context.job, {**kept, **place.to_json(), **more})
