"""One page of the history of a record, put together from its streams."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value

from mobjects.marketo.types import Kind
from mobjects.models import ApprovalRecord, Conflict, CustomField, ImportChange, RecordEdit, SyncResult
from mobjects.timeline.approval_streams import ApprovalDecisionStream, HeldStream
from mobjects.timeline.entries import TimelineEntry, TimelineFilter
from mobjects.timeline.fields import field_choices
from mobjects.timeline.streams import STREAMS, TimelineStream

ALL_STREAMS: tuple[type[TimelineStream], ...] = (*STREAMS, HeldStream, ApprovalDecisionStream)
PER_PAGE = 25
IN = "in_"
"""Begins the names of the marks that say which streams want a row."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Entries, newest first, and where the older ones begin; "" if there are none."""

    entries: list[TimelineEntry]
    older: str


def read_timeline(
    kind: Kind, record_id: int, narrowed: TimelineFilter, *, hidden: Collection[str] = (), after: str = ""
) -> TimelinePage:
    """A page of what became of one record; at most two queries for each table.

    Args:
        narrowed: which entries.
        hidden: names of streams that are not to be shown.
        after: ``older`` of the page before; what is no such position is the start.
    """
    made = (stream(kind, record_id, narrowed) for stream in ALL_STREAMS if stream.name not in hidden)
    streams = [stream for stream in made if stream.is_wanted]
    positions = _positions(after)
    try:
        found = _read(streams, positions)
    except (ValueError, OverflowError):
        positions = {}
        found = _read(streams, positions)
    # A stream's own order holds, even where clocks disagree: only heads are compared.
    entries: list[TimelineEntry] = []
    while len(entries) < PER_PAGE and (heads := [stream for stream in streams if found[stream.name]]):
        if any(stream.is_cut and not found[stream.name] for stream in streams):
            break
        newest = max(heads, key=lambda stream: found[stream.name][0].at)
        entries.append(found[newest.name].pop(0))
        positions[newest.name] = entries[-1].position
    more = any(found.values()) or any(stream.is_cut for stream in streams)
    older = ",".join(f"{name}:{position}" for name, position in positions.items()) if more else ""
    return TimelinePage(entries, older)


def _read(streams: list[TimelineStream], positions: dict[str, str]) -> dict[str, list[TimelineEntry]]:
    count = PER_PAGE + 1
    chosen = {each.name: each.rows(positions.get(each.name, ""))[: each.most or count] for each in streams}
    entries: dict[str, list[TimelineEntry]] = {}
    for _model, sharing in groupby(streams, key=lambda each: chosen[each.name].model):
        group = list(sharing)
        rows = list(chosen[group[0].name]) if len(group) == 1 else _rows_of_several(group, chosen)
        group[0].complete(rows)
        for stream in group:
            own = rows if len(group) == 1 else [row for row in rows if getattr(row, f"{IN}{stream.name}")]
            entries[stream.name] = stream.entries(sorted(own, key=stream.order), count)
    return entries


def _rows_of_several(streams: list[TimelineStream], chosen: Mapping[str, QuerySet[Any]]) -> list[Any]:
    """The rows that several streams want of one table, each marked with the streams that want it; one query."""
    wanted = {each.name: Q(pk__in=chosen[each.name].values("pk")) for each in streams}
    marks = {f"{IN}{name}": ExpressionWrapper(found, BooleanField()) for name, found in wanted.items()}
    return list(streams[0].of_record().annotate(**marks).filter(reduce(or_, wanted.values())))


def _positions(after: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in after.split(",") if part)
    return {name: position for name, _, position in pairs if len(position) < 40}


def narrowing_choices(kind: Kind, record_id: int) -> tuple[list[str], list[tuple[str, str]]]:
    """By what the history of a record can be narrowed, in one query.

    Returns:
        The names of all who did something to it, in order; and the fields, as (name of the value, words).
    """
    of_record = {"kind": kind.value, "record_id": record_id}
    named = [
        RecordEdit.objects.filter(**of_record).values_list(Value("person"), "username"),
        SyncResult.objects.filter(**of_record).values_list(Value("person"), "job__username"),
        Conflict.objects.filter(**of_record).values_list(Value("person"), "username"),
        *(
            ImportChange.objects.filter(owner_kind=kind.value, owner_id=record_id).values_list(Value("person"), name)
            for name in ("imported__committed_by", "imported__undone_by")
        ),
        *(
            ApprovalRecord.objects.filter(**of_record).values_list(Value("person"), name)
            for name in ("approval__username", "approval__decided_by")
        ),
    ]
    custom = CustomField.objects.filter(kind=kind.value).order_by().values_list(Value("field"), "name")
    found = set(custom.union(*(names.order_by() for names in named)))
    people = sorted({name for what, name in found if what == "person" and name})
    return people, field_choices(kind, sorted(name for what, name in found if what == "field"))
