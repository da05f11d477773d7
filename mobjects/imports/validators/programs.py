"""Files of programs: the Marketo ID says which one a row means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.duplicates import UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.base import RowValidator
from mobjects.imports.validators.record_lookup import LEADING_VALUES, StoredRecord
from mobjects.models import Program
from mobjects.models.program import CHANNEL_TAG

_ID, _NAME, _CHANNEL = range(LEADING_VALUES, LEADING_VALUES + 3)


class ProgramValidator(RowValidator):
    """Judges rows of programs."""

    noun = "program"
    model = Program
    extra_fields = ("marketo_id", "name", "channel")
    key_names: ClassVar = ("Marketo ID",)

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        ids = {int(value) for item in items if (value := self.get_value(item, "Marketo ID"))}
        by_id = {record[_ID]: record for record in self.lookup.find_by_field("marketo_id", ids)}
        for item in items:
            yield self._validate_row(item, by_id)

    def _validate_row(self, item: ParsedRow, by_id: dict[str, StoredRecord]) -> CheckedRow:
        marketo_id = self.get_value(item, "Marketo ID")
        record = by_id.get(marketo_id) if marketo_id else None
        self.blanks.fill(item, record)
        if "" not in item.failed:
            self.check_required(item, record)
            channel = self.get_value(item, "Channel")
            # What stands in Marketo already may be offered there no more; only what the file changes is judged.
            if channel and (record is None or record[_CHANNEL] != channel):
                rule, suggestion = self.allowed.problem(CHANNEL_TAG, channel)
                if rule:
                    self.add_problem(item, "Channel", rule, suggestion)
        label = self.get_value(item, "Name") or (record[_NAME] if record else marketo_id or "")
        return self.build_checked_row(item, record, label)

    def unique_rules(self) -> list[UniqueRule]:
        return [UniqueRule("marketo_id", "Marketo ID", self.column_position("Marketo ID"))]

    def accepted_name(self, place: int) -> str:
        return CHANNEL_TAG if self.written[place].name == "Channel" else ""
