"""Files of program tags: the program and the type, in whatever case, say which one a row means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from mobjects.imports.cell_parser import Item
from mobjects.imports.duplicates import SEPARATOR, Once
from mobjects.imports.staging import Finding
from mobjects.imports.validators.program_children import Parent, PartKind, belonging
from mobjects.imports.validators.record_lookup import FIXED, Record
from mobjects.models import ProgramTag
from mobjects.models.program import CHANNEL_TAG

_PROGRAM, _TYPE, _VALUE = range(FIXED, FIXED + 3)
_IS_CHANNEL = "The channel is kept in the program's Channel field (column Channel of a programs file)."


class Tags(PartKind):
    """Judges rows of tags."""

    noun = "tag"
    model = ProgramTag
    more = ("program", "type", "value")
    key_names: ClassVar = ("Program ID", "Type")
    kept = ""

    def findings(self, items: Sequence[Item]) -> Iterator[Finding]:
        parents = self.parents(items)
        tags: dict[tuple[str, str], Record] = {}
        for record in self._found(items, parents):
            tags[record[_PROGRAM], record[_TYPE]] = record
            tags.setdefault((record[_PROGRAM], record[_TYPE].lower()), record)
        for item in items:
            yield self._judged(item, parents, tags)

    def _found(self, items: Sequence[Item], parents: dict[str, Parent]) -> list[Record]:
        """The tags that rows may mean, at least."""
        wanted: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
        for item in items:
            parent, kind = parents.get(self.value(item, "Program ID") or ""), self.value(item, "Type")
            if parent and kind:
                wanted[kind.isascii()].add((int(parent.pk), kind.lower()))
        # SQLite knows no capital letters but those of ASCII.
        others = {pk for pk, _ in wanted[False]}
        return self.lookup.by_each(("t.program_id", "lower(t.type)"), wanted[True]) + self.lookup.by(
            "program_id", others
        )

    def _judged(self, item: Item, parents: dict[str, Parent], tags: dict[tuple[str, str], Record]) -> Finding:
        parent = None if "" in item.failed else self.linked(item, parents)
        kind, value = self.value(item, "Type") or "", self.value(item, "Value") or ""
        record, key = None, ""
        if parent is not None and kind:
            record = tags.get((parent.pk, kind)) or tags.get((parent.pk, kind.lower()))
            key = SEPARATOR.join(((record[_TYPE] if record else kind).lower(), parent.pk))
        if record is not None and parent is not None:
            record = belonging(record, parent)
            kind = item.values[self.index["Type"]] = record[_TYPE]  # Another spelling of the same type is no change.
        if "" not in item.failed:
            self.require(item, record)
            self._check(item, record, kind, value)
        return self.finish(item, record, f"{kind}: {value or (record[_VALUE] if record else '')}", key=key)

    def _check(self, item: Item, record: Record | None, kind: str, value: str) -> None:
        if kind.casefold() == CHANNEL_TAG.casefold():
            self.complain(item, "Type", _IS_CHANNEL)
        elif value and "Value" not in item.failed and (record is None or record[_VALUE] != value):
            rule, suggestion = self.allowed.problem(kind, value)
            if rule:
                self.complain(item, "Value" if self.allowed.known.values(kind) else "Type", rule, suggestion)

    def once(self) -> list[Once]:
        return [Once("key", "Type", self.position("Type"))]

    def unsent(
        self, item: Item, record: Record, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        if accepted.get(f"Tag {record[_TYPE]}", "") != record[_VALUE]:
            yield "Value", record[_VALUE]
