"""What files of costs and of tags have in common: each row belongs to a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from mobjects.imports.cell_parser import Item
from mobjects.imports.validators.base import Kind
from mobjects.imports.validators.record_lookup import FIXED, Lookup, Record
from mobjects.models import Program

UNKNOWN = "there is no program with this Marketo ID here; import the program first."


class Parent(NamedTuple):
    """A program."""

    pk: str
    name: str
    revision: int
    accepted: str | None


class PartKind(Kind):
    """Rows that belong to a program, whose revision they have."""

    has_revision = False

    def parents(self, items: Iterable[Item]) -> dict[str, Parent]:
        """The programs of some rows, by Marketo ID."""
        return programs({value for item in items if (value := self.value(item, "Program ID"))})

    def linked(self, item: Item, parents: dict[str, Parent]) -> Parent | None:
        """The row's program; its value becomes our own id. A problem is noted if there is none."""
        place = self.index["Program ID"]
        marketo_id = item.values[place]
        if not marketo_id:
            return None
        parent = parents.get(marketo_id)
        if parent is None:
            self.complain(item, "Program ID", UNKNOWN)
        else:
            item.values[place] = parent.pk
        return parent


def belonging(record: Record, parent: Parent) -> Record:
    """A cost or tag with what is kept of its program: revision, and what Marketo accepted."""
    return (record[0], parent.revision, parent.accepted, *record[FIXED:])


def programs(marketo_ids: Iterable[Any]) -> dict[str, Parent]:
    """Programs by Marketo ID, all as text."""
    found = Lookup(Program, ("marketo_id", "name"), []).by("marketo_id", {int(value) for value in marketo_ids})
    return {marketo_id: Parent(str(pk), name, revision, sent) for pk, revision, sent, marketo_id, name in found}
