"""What a blank cell does to a record that exists: it leaves the value as it is, or clears it where a person said so."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mobjects.imports.cell_parser import ColumnParser, ParsedRow
from mobjects.imports.validators.record_lookup import StoredRecord


class BlankCells:
    """Puts what a record holds in the place of the blank cells that leave it as it is.

    Args:
        written: the columns of the file that are written.
        clears: names of those whose blank cells clear the field.
        kept_ids: names of the columns whose values are kept by another rule.
        either: names of columns of which a record has at most one: a blank one beside a filled one gives way to it.
        base: where the values beside the file's columns begin in a stored record.
    """

    def __init__(
        self,
        written: Sequence[ColumnParser],
        clears: Collection[str],
        kept_ids: Collection[str],
        either: Sequence[str],
        base: int,
    ) -> None:
        self.kept = 0
        """So many values were left as they are, in rows without errors so far."""
        self._base = base
        self._leaving = [
            place for place, parser in enumerate(written) if parser.name not in clears and parser.name not in kept_ids
        ]
        rivals = [place for place, parser in enumerate(written) if parser.name in either]
        self._rival = {place: other for place in rivals for other in rivals if place != other}

    def fill(self, item: ParsedRow, record: StoredRecord | None) -> None:
        """Fill the blank cells of a row, once it is known which record it means; ``None`` is a new one."""
        if record is None:
            return
        values, base = item.values, self._base
        for place in self._leaving:
            value = values[place]
            if value and not value.isspace():
                continue
            if place in self._rival and values[self._rival[place]]:
                continue
            values[place] = record[base + place]
            if values[place] and not item.failed:
                self.kept += 1
