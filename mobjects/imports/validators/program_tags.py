"""Files of program tags: the program and the type, in whatever case, say which one a row means.

A row of type Channel means the program's channel, which is no tag here but goes out as one. To the rules it looks like
a tag that the program has; what is kept of it is a row without a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.duplicates import SEPARATOR, UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.program_children import ParentProgram, ProgramChildValidator, with_parent
from mobjects.imports.validators.record_lookup import LEADING_VALUES, StoredRecord
from mobjects.models import ProgramTag
from mobjects.models.program import CHANNEL_TAG

_PROGRAM, _TYPE, _VALUE = range(LEADING_VALUES, LEADING_VALUES + 3)


class TagValidator(ProgramChildValidator):
    """Judges rows of tags."""

    noun = "tag"
    model = ProgramTag
    extra_fields = ("program", "type", "value")
    key_names: ClassVar = ("Program ID", "Type")
    kept_id_columns = ()

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        parents = self.load_parents(items)
        tags: dict[tuple[str, str], StoredRecord] = {}
        for record in self._load_tags(items, parents):
            tags[record[_PROGRAM], record[_TYPE]] = record
            tags.setdefault((record[_PROGRAM], record[_TYPE].lower()), record)
        for item in items:
            yield self._validate_row(item, parents, tags)

    def _load_tags(self, items: Sequence[ParsedRow], parents: dict[str, ParentProgram]) -> list[StoredRecord]:
        """The tags that rows may mean, at least."""
        wanted: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
        for item in items:
            parent, kind = parents.get(self.get_value(item, "Program ID") or ""), self.get_value(item, "Type")
            if parent and kind:
                wanted[kind.isascii()].add((int(parent.pk), kind.lower()))
        # SQLite knows no capital letters but those of ASCII.
        others = {pk for pk, _ in wanted[False]}
        return self.lookup.find_by_terms(("t.program_id", "lower(t.type)"), wanted[True]) + self.lookup.find_by_field(
            "program_id", others
        )

    def _validate_row(
        self, item: ParsedRow, parents: dict[str, ParentProgram], tags: dict[tuple[str, str], StoredRecord]
    ) -> CheckedRow:
        parent = None if "" in item.failed else self.resolve_parent(item, parents)
        kind, value = self.get_value(item, "Type") or "", self.get_value(item, "Value") or ""
        record, key = None, ""
        if parent is not None and kind:
            if _is_channel(kind):
                record = self._channel_record(parent)
            else:
                record = tags.get((parent.pk, kind)) or tags.get((parent.pk, kind.lower()))
            key = SEPARATOR.join(((record[_TYPE] if record else kind).lower(), parent.pk))
        if record is not None and parent is not None:
            record = with_parent(record, parent)
            kind = item.values[self.index["Type"]] = record[_TYPE]  # Another spelling of the same type is no change.
            self.blanks.fill(item, record)
            value = self.get_value(item, "Value") or ""
        if "" not in item.failed:
            self.check_required(item, record)
            self._check_row(item, record, kind, value)
        label = f"{kind}: {value or (record[_VALUE] if record else '')}"
        checked = self.build_checked_row(item, record, label, key=key)
        return _as_channel_row(checked, parent) if parent is not None and _is_channel(kind) else checked

    def _channel_record(self, parent: ParentProgram) -> StoredRecord:
        """A program's channel as if it were one of its tags; it has no id."""
        values = {"Program ID": parent.pk, "Type": CHANNEL_TAG, "Value": parent.channel}
        of_file = (values[parser.name] for parser in self.written)
        return (None, parent.revision, parent.accepted, *values.values(), *of_file)

    def _check_row(self, item: ParsedRow, record: StoredRecord | None, kind: str, value: str) -> None:
        if value and "Value" not in item.failed and (record is None or record[_VALUE] != value):
            rule, suggestion = self.allowed.problem(kind, value)
            if rule:
                self.add_problem(item, "Value" if self.allowed.known.values_of_type(kind) else "Type", rule, suggestion)

    def unique_rules(self) -> list[UniqueRule]:
        return [UniqueRule("key", "Type", self.column_position("Type"))]

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        name = CHANNEL_TAG if record[_TYPE] == CHANNEL_TAG else f"Tag {record[_TYPE]}"
        if accepted.get(name, "") != record[_VALUE]:
            yield "Value", record[_VALUE]


def _is_channel(kind: str) -> bool:
    """Whether a tag type, in whatever case, is the one that stands for the channel."""
    return kind.casefold() == CHANNEL_TAG.casefold()


def _as_channel_row(row: CheckedRow, parent: ParentProgram) -> CheckedRow:
    """A row that changes the value of the tag that a channel looked like, as one that changes the channel."""
    if not row.data:
        return row
    now, before = ({"program_id": parent.pk, "channel": side["value"]} for side in (row.data, row.old))
    return row._replace(data=now, old=before)
