"""What the kinds that have a period share: what is due, how it is counted, and that it goes in chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db.models import Max, Min, Q, QuerySet
from django.utils.formats import number_format

from mobjects import clock
from mobjects.models import PurgeKind

CHUNK = 500
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


class HolderKind(RetentionKind):
    """Values and rows that hang on something that stays, such as a job: it is marked when they are gone."""

    marker: ClassVar[str]
    """The field of the holder that says when its values were removed."""

    @abstractmethod
    def iter_parts(self, pk: Any) -> Iterator[tuple[QuerySet[Any], str, Removal]]:
        """The rows of a holder, the field to walk along, what is done to them; those that come first go first."""

    def iter_chunks(self, until: datetime) -> Iterator[Chunk]:
        for pk in list(self.due(until).order_by(self.moment, "pk").values_list("pk", flat=True)):
            for rows, key, remove in self.iter_parts(pk):
                for part in walk_rows(rows, key):
                    yield partial(self._remove, until, pk, partial(remove, part))
            yield partial(self._mark, until, pk)

    def _hold(self, until: datetime, pk: Any) -> QuerySet[Any]:
        """The holder, locked, if it is still due: nobody has it go on meanwhile."""
        return self.due(until).filter(pk=pk).select_for_update(of=("self",))

    def _remove(self, until: datetime, pk: Any, remove: Chunk) -> Counter[str]:
        return remove() if self._hold(until, pk).exists() else Counter()

    def _mark(self, until: datetime, pk: Any) -> Counter[str]:
        for holder in self._hold(until, pk).only("pk"):
            self.mark_holder(holder)
        return Counter()

    def mark_holder(self, holder: Any) -> None:
        """Write down that nothing is left."""
        type(holder)._default_manager.filter(pk=holder.pk).update(**{self.marker: clock.now()})


def ended_before(until: datetime, *names: str) -> Q:
    """The condition that nothing happened to a row since a moment.

    Args:
        until: the moment.
        names: of fields with the times of its steps; an empty one is a step that was not done.
    """
    return Q(*(Q((f"{name}__isnull", True)) | Q((f"{name}__lt", until)) for name in names))


def walk_rows(rows: QuerySet[Any], key: str = "pk") -> Iterator[QuerySet[Any]]:
    """Some rows, along a field that tells them apart, so many at a time as one transaction may hold."""
    found = rows.order_by(key).values_list(key, flat=True)
    keys = list(found[:CHUNK])
    while keys:
        yield rows.order_by().filter(**{f"{key}__in": keys})
        keys = list(found.filter(**{f"{key}__gt": keys[-1]})[:CHUNK])


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
