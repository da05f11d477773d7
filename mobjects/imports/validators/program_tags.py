"""Files of program tags: the program and the type, in whatever case, say which one a row means."""

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
_IS_CHANNEL = "The channel is kept in the program's Channel field (column Channel of a programs file)."


class TagValidator(ProgramChildValidator):
    """Judges rows of tags."""

    noun = "tag"
    model = ProgramTag
    extra_fields = ("program", "type", "value")
    key_names: ClassVar = ("Program ID", "Type")
    kept_id_column = ""

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
        return self.build_checked_row(item, record, f"{kind}: {value or (record[_VALUE] if record else '')}", key=key)

    def _check_row(self, item: ParsedRow, record: StoredRecord | None, kind: str, value: str) -> None:
        if kind.casefold() == CHANNEL_TAG.casefold():
            self.add_problem(item, "Type", _IS_CHANNEL)
        elif value and "Value" not in item.failed and (record is None or record[_VALUE] != value):
            rule, suggestion = self.allowed.problem(kind, value)
            if rule:
                self.add_problem(item, "Value" if self.allowed.known.values_of_type(kind) else "Type", rule, suggestion)

    def unique_rules(self) -> list[UniqueRule]:
        return [UniqueRule("key", "Type", self.column_position("Type"))]

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        if accepted.get(f"Tag {record[_TYPE]}", "") != record[_VALUE]:
            yield "Value", record[_VALUE]
