"""What the kinds that have a period share: what is due, how it is counted, and that it goes in chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db.models import Count, Max, Min, Model, Q, QuerySet
from django.utils.formats import number_format

from mobjects import clock
from mobjects.models import PurgeKind

CHUNK = 2_000
"""Rows of one transaction: others wait for its locks no longer than that takes."""

PREVIEWED = 100_000
"""So many rows a preview counts at most: it is the same work however much there is."""

Chunk = Callable[[], Counter[str]]
"""Does a part of a purge, in a transaction of its caller; gives what went, by what it was."""

Removal = Callable[[QuerySet[Any]], Counter[str]]
"""Removes some rows, or their values."""


@dataclass(frozen=True, slots=True)
class DueRows:
    """What of a kind would go: how many, and the moments of the oldest and the newest.

    Args:
        more: there are more than were counted.
    """

    count: int
    oldest: datetime | None
    newest: datetime | None
    more: bool = False

    @property
    def text(self) -> str:
        """The count as readers write it; with a plus if there are more."""
        return f"{number_format(self.count, force_grouping=True)}{'+' if self.more else ''}"


class RetentionKind(ABC):
    """One kind of what is kept for a time."""

    kind: ClassVar[PurgeKind]
    moment: ClassVar[str] = "created_at"
    """The time that stands for the age of what is due."""

    @abstractmethod
    def due(self, until: datetime) -> QuerySet[Any]:
        """What ended before a moment and is needed by nothing that goes on."""

    @abstractmethod
    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        """The parts of a purge. Each looks anew at what it may remove, so that none need be done, or done once."""

    def has_due(self, until: datetime) -> bool:
        """Whether anything is due; quick, whatever the size of the tables."""
        return self.due(until).exists()

    def rows(self, until: datetime) -> QuerySet[Any]:
        """What is counted: the rows that would go or lose their values."""
        return self.due(until)

    def preview(self, until: datetime, limit: int = PREVIEWED) -> DueRows:
        """What would go now.

        Args:
            until: what ended before.
            limit: so many rows are counted.
        """
        found = self.due(until).aggregate(oldest=Min(self.moment), newest=Max(self.moment))
        count = self.rows(until)[: limit + 1].count()
        return DueRows(min(count, limit), found["oldest"], found["newest"], count > limit)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that hang on holders, and what is done to them.

    Args:
        rows: of all holders, those that are still to go.
        holder: the way from a row to its holder, as in a filter.
        remove: does it.
        weight: as so many rows each counts, being long.
        key: the field to walk along where one holder has many rows.
        apart: a field whose values are walked one after the other, as the index of a holder's rows goes.
    """

    rows: QuerySet[Any]
    holder: str
    remove: Removal
    weight: int = 1
    key: str = "pk"
    apart: str = ""

    def of(self, pks: Collection[Any]) -> QuerySet[Any]:
        """The rows of some holders."""
        return self.rows.filter(**{f"{self.holder}__in": pks})

    def weigh(self, pks: Collection[Any]) -> dict[Any, int]:
        """As how many rows those of each holder count."""
        return dict(self.of(pks).order_by().values_list(self.holder).annotate(weight=Count("pk") * self.weight))

    def walk(self, pk: Any) -> Iterator[QuerySet[Any]]:
        """The rows of one holder, so many at a time as one transaction may hold."""
        rows = self.of([pk])
        values = rows.order_by().values_list(self.apart, flat=True).distinct() if self.apart else ()
        for some in [rows.filter(**{self.apart: value}) for value in values] or [rows]:
            yield from walk_rows(some, self.key, CHUNK // self.weight)


class HolderKind(RetentionKind):
    """Values and rows that hang on something that stays, such as a job: it is marked when they are gone.

    Holders with few rows go together, as many as make up one transaction; one with many goes in several.
    """

    holders: ClassVar[type[Model]]
    marker: ClassVar[str]
    """The field of the holder that says when its values were removed."""

    parts: ClassVar[tuple[Part, ...]]
    """What hangs on it; what comes first goes first."""

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        due = list(self.due(until).order_by(self.moment, "pk").values_list("pk", flat=True))
        for pks, rows in self._iter_packs(due):
            if rows <= CHUNK:
                yield partial(self._finish, until, pks, self.parts)
                continue
            for part in self.parts:
                for some in part.walk(pks[0]):
                    yield partial(self._remove, until, pks, partial(part.remove, some))
            yield partial(self._finish, until, pks, ())

    def _iter_packs(self, due: Sequence[Any]) -> Iterator[tuple[list[Any], int]]:
        """Holders that go together, with how many rows that writes: each is a row itself, which is marked."""
        pack: list[Any] = []
        size = 0
        for start in range(0, len(due), CHUNK):
            page = due[start : start + CHUNK]
            counts = sum((Counter(part.weigh(page)) for part in self.parts), Counter(page))
            for pk in page:
                if pack and size + counts[pk] > CHUNK:
                    yield pack, size
                    pack, size = [], 0
                pack.append(pk)
                size += counts[pk]
        if pack:
            yield pack, size

    def _hold(self, until: datetime, pks: Collection[Any]) -> list[Any]:
        """Those of the holders that are still due, locked: nobody has them go on meanwhile."""
        held = self.due(until).filter(pk__in=pks).order_by("pk").select_for_update(of=("self",))
        return [holder.pk for holder in held.only("pk")]

    def _remove(self, until: datetime, pks: Collection[Any], remove: Chunk) -> Counter[str]:
        return remove() if self._hold(until, pks) else Counter()

    def _finish(self, until: datetime, pks: Collection[Any], parts: Iterable[Part]) -> Counter[str]:
        """Remove what is left of some holders, and mark them."""
        counts: Counter[str] = Counter()
        if held := self._hold(until, pks):
            for part in parts:
                counts += part.remove(part.of(held))
            self.mark_holders(held)
        return counts

    def mark_holders(self, pks: Collection[Any]) -> None:
        """Write down that nothing is left."""
        self.holders._default_manager.filter(pk__in=pks).update(**{self.marker: clock.now()})


def ended_before(until: datetime, *names: str) -> Q:
    """The condition that nothing happened to a row since a moment.

    Args:
        until: the moment.
        names: of fields with the times of its steps; an empty one is a step that was not done.
    """
    return Q(*(Q((f"{name}__isnull", True)) | Q((f"{name}__lt", until)) for name in names))


def walk_rows(rows: QuerySet[Any], key: str = "pk", size: int = CHUNK) -> Iterator[QuerySet[Any]]:
    """Some rows, along a field that tells them apart, so many at a time."""
    found = rows.order_by(key).values_list(key, flat=True)
    keys = list(found[:size])
    while keys:
        yield rows.order_by().filter(**{f"{key}__gte": keys[0], f"{key}__lte": keys[-1]})
        keys = list(found.filter(**{f"{key}__gt": keys[-1]})[:size])


def clear_values(name: str, **values: Any) -> Removal:
    """What puts values, mostly empty ones, into rows.

    Args:
        name: what the rows are, for the log.
        values: by field.
    """

    def clear(rows: QuerySet[Any]) -> Counter[str]:
        return +Counter({name: rows.update(**values)})

    return clear


def delete_rows(name: str) -> Removal:
    """What deletes rows; ``name`` is what they are, for the log."""

    def delete(rows: QuerySet[Any]) -> Counter[str]:
        return +Counter({name: rows.delete()[0]})

    return delete
