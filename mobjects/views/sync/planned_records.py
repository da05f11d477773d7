"""Which records a preview is about and what of each would change: by key, in both directions, and searchable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from django.db.models import Q
from django.http import Http404

from mobjects import clock
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.types import Operation
from mobjects.models import RECORD_MODELS, Kind, SyncedRecord
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.presentation.plan_text import PlanRow, plan_row
from mobjects.selectors import id_in
from mobjects.sync.content.loading import fetch_with_related
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.naming.key_conditions import has_changed_key
from mobjects.sync.send.preview.estimates import examined_programs, plan_losing
from mobjects.sync.send.preview.forecast import filter_clearing
from mobjects.sync.send.preview.foreseen_effects import would_be_created, would_be_skipped
from mobjects.sync.send.preview.record_plans import judged_records, plan_records
from mobjects.sync.send.selection import PART_SIZE, SyncSelection, ordered_kinds
from mobjects.sync.transport_factory import key_fields, open_transport

EVERYTHING = "all"
"""All records that the preview is about."""
NEW = "new"
"""Those that would be created."""
NEW_OF = "new:"
"""Before a group: those of it that would be created."""
CLEARED = "cleared"
"""Those of which values would be cleared in Marketo."""
LOSING = "losing"
"""Programs that would lose tags or costs in Marketo, of those that are looked at for it."""
REPLACED = "replaced"
"""Roles that would be deleted in Marketo and made anew."""
SKIPPED = "skipped"
"""Those that Marketo would skip by the operation."""
ACROSS = (EVERYTHING, NEW, CLEARED, LOSING, REPLACED, SKIPPED)
"""What may be of several kinds and operations."""
PER_PAGE = 25

SEARCHED = {
    Kind.PROGRAM: ("name",),
    Kind.OPPORTUNITY: ("name", "external_id"),
    Kind.ROLE: ("role", "person_key", "opportunity__name", "opportunity__external_id"),
}
"""Columns of which a part is looked for; Marketo's own ids are looked for whole."""


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """A page of records.

    Args:
        rows: the records.
        previous, following: positions of the pages before and after; "" if there are none.
    """

    rows: Sequence[PlanRow]
    previous: str = ""
    following: str = ""


@dataclass(frozen=True, slots=True)
class PlannedRecords:
    """The records of a preview, or some of them.

    Args:
        selection: what would be sent.
        which: one of :data:`ACROSS`, or a group as ``kind|operation|reason``, with :data:`NEW_OF` before it or not.
        search: part of a name or key, or a Marketo ID or GUID; "" for all.
        at: the moment at which they are judged; now, by the database's clock, if none is given.
        known: the first records of a kind, where they were read already.
        unseen: kinds of which the reader may not see values.
    """

    selection: SyncSelection
    which: str = EVERYTHING
    search: str = ""
    at: datetime | None = None
    known: Mapping[Kind, Sequence[SyncedRecord]] = field(default_factory=dict)
    unseen: Collection[Kind] = ()

    @property
    def group(self) -> tuple[Kind | None, Operation | None, str]:
        """Kind, operation and reason of a group; nothing of :data:`ACROSS`.

        Raises:
            Http404: there can be no such group.
        """
        if self.which in ACROSS:
            return None, None, ""
        name, operation, reason = [*self.which.removeprefix(NEW_OF).split("|", 2), "", ""][:3]
        if name not in tuple(Kind) or operation not in ("", *Operation):
            raise Http404
        return Kind(name), Operation(operation) if operation else None, reason

    def count_records(self) -> int:
        """How many there are."""
        return sum(found.count() for _, found in self._found(key_fields()))

    def read_page(self, position: str = "", size: int = PER_PAGE) -> PlannedPage:
        """A page of them, in the order of kinds and by rising id.

        Args:
            position: of a page before this one, or "" for the first; what is none means the first.
            size: records on it.
        """
        keys = key_fields()
        direction, kind, pk = _parse_position(position)
        backwards = direction == "before"
        found = self._walk(keys, kind, pk, size + 1, backwards=backwards)
        more, found = len(found) > size, found[:size]
        if backwards:
            found.reverse()
        if not found:
            return PlannedPage(())
        has_before, has_after = (more, True) if backwards else (bool(direction), more)
        return PlannedPage(
            self._rows(found, keys),
            f"before:{found[0].KIND}:{found[0].pk}" if has_before else "",
            f"after:{found[-1].KIND}:{found[-1].pk}" if has_after else "",
        )

    def _walk(self, keys: KeyFields, kind: Kind | None, pk: int, most: int, *, backwards: bool) -> list[SyncedRecord]:
        """The next records from a place on."""
        order = list(RECORD_MODELS)
        found = list(self._found(keys))
        records: list[SyncedRecord] = []
        for each, judged in reversed(found) if backwards else found:
            place = order.index(each) - order.index(kind) if kind is not None else None
            if place is not None and (place > 0 if backwards else place < 0):
                continue
            here = (Q(pk__lt=pk) if backwards else Q(pk__gt=pk)) if place == 0 else Q()
            some = judged.filter(here).order_by("-pk" if backwards else "pk")[: most - len(records)]
            if kind is None and each in self.known:
                records += self.known[each][: most - len(records)]
            else:
                records += fetch_with_related(each, some)
            if len(records) >= most:
                break
        return records

    def _found(self, keys: KeyFields) -> Iterator[tuple[Kind, SyncedQuerySet]]:
        only, operation, reason = self.group
        at = self.at or clock.now()
        for kind in ordered_kinds(self.selection):
            if only not in (None, kind):
                continue
            for part in self._parts():
                found = judged_records(kind, part, keys, at=at)
                if only is not None:
                    found = found.filter(hold=reason)
                if operation is not None:
                    found = found.filter(wire_operation=operation.value)
                found = self._counted(kind, part, found, keys)
                yield kind, found.filter(matches_search(kind, self.search)) if self.search else found

    def _counted(self, kind: Kind, part: SyncSelection, found: SyncedQuerySet, keys: KeyFields) -> SyncedQuerySet:
        """Those of a kind's records that a figure of the preview counts."""
        if self.which == NEW or self.which.startswith(NEW_OF):
            return found.filter(would_be_created(kind, keys), hold="")
        if self.which == SKIPPED:
            return found.filter(would_be_skipped(kind, keys), hold="")
        if self.which == CLEARED:
            return filter_clearing(kind, found, keys)
        if self.which == REPLACED:
            return found.filter(has_changed_key(keys), hold="") if kind is Kind.ROLE else found.none()
        if self.which == LOSING:
            if kind is not Kind.PROGRAM:
                return found.none()
            losing = plan_losing(examined_programs(self.selection, keys, at=self.at), part, keys)
            return found.filter(pk__in=[plan.record.pk for plan in losing])
        return found

    def _parts(self) -> list[SyncSelection]:
        """The selection as one; of a long list of ids the first by themselves, among which a page mostly ends."""
        ids = sorted(self.selection.ids or ())
        if len(ids) <= PART_SIZE:
            return [self.selection]
        return [replace(self.selection, ids=some) for some in (ids[:PART_SIZE], ids[PART_SIZE:])]

    def _rows(self, found: Sequence[SyncedRecord], keys: KeyFields) -> list[PlanRow]:
        rows: list[PlanRow] = []
        with ExitStack() as opened:
            try:
                transport = opened.enter_context(closing(open_transport()))
            except ConfigError:
                transport = None
            for kind, of_kind in groupby(found, key=lambda record: record.KIND):
                hidden = kind in self.unseen
                plans = plan_records(list(of_kind), self.selection, keys, transport)
                rows += [plan_row(plan, hidden=hidden) for plan in plans]
        return rows


def _parse_position(position: str) -> tuple[str, Kind | None, int]:
    direction, kind, pk = [*position.split(":"), "", "", ""][:3]
    number = id_in(pk)
    if direction not in ("before", "after") or kind not in tuple(Kind) or number is None:
        return "", None, 0
    return direction, Kind(kind), number


def matches_search(kind: Kind, search: str) -> Q:
    """The condition that a record is found by a part of its name or key, or by what Marketo calls it."""
    found = Q()
    for column in SEARCHED[kind]:
        found |= Q(**{f"{column}__icontains": search})
    if (number := id_in(search, digits=9)) is not None:
        found |= Q(marketo_id=number)
    return found if kind is Kind.PROGRAM else found | Q(marketo_guid=search.lower())
