"""Files of programs: the Marketo ID says which one a row means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mobjects.imports.cell_parser import Item
from mobjects.imports.duplicates import Once
from mobjects.imports.staging import Finding
from mobjects.imports.validators.base import Kind
from mobjects.imports.validators.record_lookup import FIXED, Record
from mobjects.models import Program
from mobjects.models.program import CHANNEL_TAG

_ID, _NAME, _CHANNEL = range(FIXED, FIXED + 3)


class Programs(Kind):
    """Judges rows of programs."""

    noun = "program"
    model = Program
    more = ("marketo_id", "name", "channel")
    key_names: ClassVar = ("Marketo ID",)

    def findings(self, items: Sequence[Item]) -> Iterator[Finding]:
        ids = {int(value) for item in items if (value := self.value(item, "Marketo ID"))}
        by_id = {record[_ID]: record for record in self.lookup.by("marketo_id", ids)}
        for item in items:
            yield self._judged(item, by_id)

    def _judged(self, item: Item, by_id: dict[str, Record]) -> Finding:
        marketo_id = self.value(item, "Marketo ID")
        record = by_id.get(marketo_id) if marketo_id else None
        if "" not in item.failed:
            self.require(item, record)
            channel = self.value(item, "Channel")
            # What stands in Marketo already may be offered there no more; only what the file changes is judged.
            if channel and (record is None or record[_CHANNEL] != channel):
                rule, suggestion = self.allowed.problem(CHANNEL_TAG, channel)
                if rule:
                    self.complain(item, "Channel", rule, suggestion)
        label = self.value(item, "Name") or (record[_NAME] if record else marketo_id or "")
        return self.finish(item, record, label, marketo_id=marketo_id)

    def once(self) -> list[Once]:
        return [Once("marketo_id", "Marketo ID", self.position("Marketo ID"))]

    def accepted_name(self, place: int) -> str:
        return CHANNEL_TAG if self.written[place].name == "Channel" else ""
