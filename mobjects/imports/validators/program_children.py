"""What files of costs and of tags have in common: each row belongs to a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop as _

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.validators.base import RowValidator
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.models import Program

UNKNOWN = _("there is no program with this Marketo ID here; import the program first.")


class ParentProgram(NamedTuple):
    """A program."""

    pk: str
    name: str
    revision: int
    accepted: str | None
    channel: str


class ProgramChildValidator(RowValidator):
    """Rows that belong to a program, whose revision they have."""

    has_revision = False

    def load_parents(self, items: Iterable[ParsedRow]) -> dict[str, ParentProgram]:
        """The programs of some rows, by Marketo ID."""
        return load_programs({value for item in items if (value := self.get_value(item, "Program ID"))})

    def resolve_parent(self, item: ParsedRow, parents: dict[str, ParentProgram]) -> ParentProgram | None:
        """The row's program; its value becomes our own id. A problem is noted if there is none."""
        place = self.index["Program ID"]
        marketo_id = item.values[place]
        if not marketo_id:
            return None
        parent = parents.get(marketo_id)
        if parent is None:
            self.add_problem(item, "Program ID", UNKNOWN)
        else:
            item.values[place] = parent.pk
        return parent


def with_parent(record: StoredRecord, parent: ParentProgram) -> StoredRecord:
    """A cost or tag with what is kept of its program: revision, and what Marketo accepted."""
    return (record[0], parent.revision, parent.accepted, *record[LEADING_VALUES:])


def load_programs(marketo_ids: Iterable[Any]) -> dict[str, ParentProgram]:
    """Programs by Marketo ID, all as text."""
    found = RecordLookup(Program, ("marketo_id", "name", "channel"), []).find_by_field(
        "marketo_id", {int(value) for value in marketo_ids}
    )
    return {
        marketo_id: ParentProgram(str(pk), name, revision, sent, channel)
        for pk, revision, sent, marketo_id, name, channel in found
    }
