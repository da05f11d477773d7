"""One page of the history of a record, put together from its streams."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mobjects.marketo.types import Kind
from mobjects.models import Conflict, ImportChange, RecordEdit, SyncResult
from mobjects.timeline.entries import TimelineEntry, TimelineFilter
from mobjects.timeline.streams import STREAMS, TimelineStream

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Entries, newest first, and where the older ones begin; "" if there are none."""

    entries: list[TimelineEntry]
    older: str


def read_timeline(
    kind: Kind, record_id: int, narrowed: TimelineFilter, *, hidden: Collection[str] = (), after: str = ""
) -> TimelinePage:
    """A page of what became of one record; one or two queries for each stream.

    Args:
        narrowed: which entries.
        hidden: names of streams that are not to be shown.
        after: ``older`` of the page before; what is no such position is the start.
    """
    made = (stream(kind, record_id, narrowed) for stream in STREAMS if stream.name not in hidden)
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
    return {stream.name: stream.read(positions.get(stream.name, ""), PER_PAGE + 1) for stream in streams}


def _positions(after: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in after.split(",") if part)
    return {name: position for name, _, position in pairs if len(position) < 40}


def people_of(kind: Kind, record_id: int) -> list[str]:
    """The names of all who did something to a record, in order; one query."""
    of_record = {"kind": kind.value, "record_id": record_id}
    named = [
        RecordEdit.objects.filter(**of_record).values_list("username", flat=True),
        SyncResult.objects.filter(**of_record).values_list("job__username", flat=True),
        Conflict.objects.filter(**of_record).values_list("username", flat=True),
        *(
            ImportChange.objects.filter(owner_kind=kind.value, owner_id=record_id).values_list(name, flat=True)
            for name in ("imported__committed_by", "imported__undone_by")
        ),
    ]
    first, *others = (names.order_by() for names in named)
    return sorted({name for name in first.union(*others) if name})
