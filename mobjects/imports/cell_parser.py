"""From cells to canonical text, column by column. Equal cells are read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import getitem, itemgetter
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, MaxLengthValidator

from mobjects.imports.formats.evidence import CellReader
from mobjects.imports.formats.text import storable_text
from mobjects.imports.suggestions import suggest_moment, suggest_value
from mobjects.marketo.types import DataType
from mobjects.marketo.value_parsing import quote_value
from mobjects.marketo.value_text import to_text
from mobjects.models.fields import validate_xml_text
from mobjects.resources.columns import FileColumn
from mobjects.spreadsheets.formula_escaping import unescape_formula
from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import BadCell, DrawnNumber, TableRow
from mobjects.spreadsheets.workbooks.serial_dates import possible_moment

CACHED_CELLS = 2000
"""So many different cells of a column are kept; more would cost memory and help little."""
_LONG = 100  # Characters. Longer text is seldom met twice.
_LONG_NUMBER = 12  # Digits before the point.
_QUOTED = re.compile(r'="((?:[^"]|"")*)"')
"""How a CSV file keeps a spreadsheet from taking text for a number: ="00124"."""
_SIZES = {DataType.CURRENCY: 2, DataType.FLOAT: 4}

FieldText = str | None
"""A value as a field keeps it: canonical text; empty is ``None`` where the field is nullable, else ``""``."""


class CellError(NamedTuple):
    """A cell that breaks a rule of its column."""

    column: str
    position: int | None
    value: str
    rule: str
    suggestion: str


class RowProblem(NamedTuple):
    """A row of :class:`~mobjects.models.ImportProblem`."""

    number: int
    level: str
    column: str
    position: int | None
    value: str
    rule: str
    suggestion: str


class ParsedRow:
    """One row of the file: its cells, what they mean, and what is wrong with it.

    ``cells`` and ``values`` stand beside the parsers of the :class:`ColumnLayout`. ``failed`` names the columns with an
    error; ``""`` in it is the row as a whole.
    """

    __slots__ = ("cells", "failed", "number", "problems", "values")

    def __init__(self, number: int, cells: Sequence[Any], values: list[FieldText]) -> None:
        self.number = number
        self.cells = cells
        self.values = values
        self.problems: list[RowProblem] = []
        self.failed: set[str] = set()

    def add_errors(self, faults: Iterable[CellError]) -> None:
        """Add errors of cells."""
        for fault in faults:
            self.problems.append(RowProblem(self.number, "error", *fault))
            self.failed.add(fault.column)


def cell_key(cell: Any) -> Any:
    """What a cell is remembered by: text by itself, anything else with its type, since 1, 1.0 and TRUE are equal."""
    return cell if cell.__class__ is str else (cell.__class__, cell)


class ColumnParser(dict[Any, FieldText]):
    """Parses the cells of one column, and remembers them: most columns hold few different ones.

    It is the memory itself, by :func:`cell_key`: a cell that is known costs no call of a Python function, which a check
    of millions of cells feels. What is not known goes through :meth:`parse_unknown`.

    Args:
        column: what the cells mean.
        position: in the file, from 1; ``None`` if the column is not in it.
        field: the model field of the column; ``None`` if it is a custom field, or is not written.
        fixes: text of a cell to the text to read in its place.
        faults: what is wrong with the row that is being read.
        reader: reads what may be written in the file's own way; ``None`` if there is nothing of the kind.
        accepted_rules: a cell that breaks one of them becomes what is suggested for it.
    """

    __slots__ = (
        "_accepted",
        "_bad",
        "_places",
        "_plain_size",
        "_points",
        "_reader",
        "_rules",
        "column",
        "empty",
        "faults",
        "fixes",
        "name",
        "position",
    )

    def __init__(
        self,
        column: FileColumn,
        position: int | None,
        field: Any,
        fixes: Mapping[str, str],
        faults: list[CellError],
        reader: CellReader | None = None,
        accepted_rules: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.column, self.name, self.position = column, column.name, position
        self.empty: FieldText = None if field is None or field.null else ""
        self.fixes, self.faults = fixes, faults
        # What values.parse checks itself is not checked twice.
        known = (DecimalValidator, MaxLengthValidator)
        rules = [] if field is None or field.is_relation else field.validators
        self._rules = [rule for rule in rules if not isinstance(rule, known) and rule is not validate_xml_text]
        self._bad: dict[Any, CellError] = {}
        kind, size = column.attribute.type, column.attribute.size
        simple = type(column).parse_cell is FileColumn.parse_cell and not self._rules and not fixes
        self._plain_size = (size or 0) if kind is DataType.STRING and simple else -1
        self._places = _SIZES.get(kind, 0) if simple else 0
        self._reader, self._accepted = reader, accepted_rules
        self._points = reader is None or reader.knows_point()

    def is_outdated(self) -> bool:
        """Whether some cell would be read otherwise by what is known of the file's formats by now."""
        return self._reader is not None and self._reader.is_outdated()

    def decide_again(self) -> None:
        """Read all cells anew, by what is known of the file's formats by now."""
        if self._reader is not None:
            self._reader.decide_again()
            self._points = self._reader.knows_point()
            self.clear()
            self._bad.clear()

    def parse(self, cell: Any) -> FieldText:
        """The value of a cell. A bad one gives the empty value and adds an error to ``faults``, each time."""
        return self[cell_key(cell)]

    def parse_unknown(self, key: Any) -> FieldText:
        """The value of a cell that is not remembered, by its key. The most frequent texts take a tenth of the time."""
        if key.__class__ is not str:
            return self._read_once(key)
        if self._plain_size >= 0:
            # What can be printed XML can carry, see xml_problem.
            if (
                key
                and key[0] != "="
                and ("'" not in key or unescape_formula(key) == key)
                and "E+" not in key
                and key.isprintable()
                and (len(key) <= self._plain_size or not self._plain_size)
            ):
                if len(key) < _LONG:
                    self._cache_value(self, key, key)
                return key  # type: ignore[no-any-return]  # a text
        elif self._places and (plain := self._plain_number(key)):
            self._cache_value(self, key, plain)
            return plain
        return self._read_once(key)

    __missing__ = parse_unknown

    def _read_once(self, key: Any) -> FieldText:
        fault = self._bad.get(key)
        if fault is None:
            value, fault = self._read(key[1] if key.__class__ is tuple else key)
            if fault is None:
                self._cache_value(self, key, value)
                return value
            self._cache_value(self._bad, key, fault)
        self.faults.append(fault)
        return self.empty

    def parse_replacement(self, cell: Any, replacement: str) -> FieldText:
        """The value of a text that a person put in the place of a cell of one row."""
        value, fault = self._replaced(replacement, storable_text(cell_text(cell)))
        if fault is not None:
            self.faults.append(fault)
        return value

    def _plain_number(self, text: str) -> str:
        """A number in our own spelling, with all decimals; empty if it is none. A pattern would take twice as long."""
        whole, point, decimals = text.partition(".")
        plain = text.isascii() and whole.isdigit() and len(whole) < _LONG_NUMBER and (whole[0] != "0" or whole == "0")
        if not plain or (point and not (decimals.isdigit() and self._points and len(decimals) <= self._places)):
            return ""
        return f"{whole}.{decimals.ljust(self._places, '0')}"

    def _read(self, cell: Any) -> tuple[FieldText, CellError | None]:
        if not self.fixes:
            return self._suggestion_or_fault(*self._meant(cell))
        raw = storable_text(cell_text(cell))
        if (replacement := self.fixes.get(raw)) is not None:
            return self._replaced(replacement, raw)
        value, fault = self._suggestion_or_fault(*self._meant(cell))
        if fault is None and value and self.column.attribute.type is DataType.REFERENCE and value in self.fixes:
            # Where two rows mean the same, an ID is named as it is kept: 7001 for a cell with 7001.0.
            return self._replaced(self.fixes[value], raw)
        return value, fault

    def _suggestion_or_fault(self, value: FieldText, fault: CellError | None) -> tuple[FieldText, CellError | None]:
        """What is suggested for a bad cell, if a person said that it is meant wherever this rule is broken."""
        if fault is None or not fault.suggestion or fault.rule not in self._accepted:
            return value, fault
        return self._replaced(fault.suggestion, fault.value)

    def _replaced(self, replacement: str, raw: str) -> tuple[FieldText, CellError | None]:
        """Read what a person put in the place of a cell whose text is ``raw``: in our own spelling, if it can be."""
        return self._checked(replacement, replacement, raw, self._parsed)

    def _meant(self, cell: Any) -> tuple[FieldText, CellError | None]:
        """Read a cell of the file."""
        if cell.__class__ is str and (quoted := _QUOTED.fullmatch(cell)):
            cell = quoted[1].replace('""', '"')
        if self._reader is None:
            return self._checked(cell, "", None, self._parsed)
        found = self._checked(cell, "", None, partial(self._in_format, self._reader))
        self._points = self._points or self._reader.knows_point()
        return found

    def _in_format(self, reader: CellReader, cell: Any) -> FieldText:
        """The value of a cell that may be written in the file's own way."""
        if cell.__class__ is DrawnNumber:
            cell = cell.number
        if reader.reads_first(cell):
            return self._parsed_meaning(reader.read_cell(cell))
        try:
            return self._parsed(cell)
        except ValueError:
            meaning = reader.read_cell(cell)
            if meaning is cell:
                raise
            return self._parsed_meaning(meaning)

    def _parsed_meaning(self, meaning: Any) -> FieldText:
        """The value of what a cell means; what is wrong is said of the cell, which is not written like it."""
        try:
            return self._parsed(meaning)
        except ValueError as error:
            raise ValueError(_without_value(str(error), meaning, cell_text(meaning))) from None

    def _checked(
        self, cell: Any, replacement: str, raw: str | None, read: Callable[[Any], FieldText]
    ) -> tuple[FieldText, CellError | None]:
        """Read a cell, or the replacement of one whose text is ``raw``."""
        try:
            return read(cell), None
        except ValueError as error:
            rule = str(error)
        text = cell_text(cell)
        rule = _without_value(rule, cell, text)
        if raw is not None:
            rule = f"{quote_value(replacement)}, put in its place, {rule}"
        value = storable_text(text) if raw is None else raw
        return self.empty, CellError(self.name, self.position, value, storable_text(rule), self._suggestion(cell, text))

    def _parsed(self, cell: Any) -> FieldText:
        if cell.__class__ is BadCell:
            raise ValueError(cell.why)
        if cell.__class__ is DrawnNumber:
            cell = cell.text if self.column.is_text else cell.number
        value = self.column.parse_cell(cell)
        if value is None:
            return self.empty
        for rule in self._rules:
            try:
                rule(value)
            except ValidationError as error:
                raise ValueError(" ".join(error.messages)) from None
        return to_text(value) or self.empty

    def _suggestion(self, cell: Any, text: str) -> str:
        """A value that would do; it is read again by all rules."""
        if (moment := possible_moment(cell)) and self.column.attribute.type in (DataType.DATE, DataType.DATETIME):
            suggestion = suggest_moment(self.column, moment)  # A day without a date's format.
        else:
            suggestion = "" if cell.__class__ is BadCell else suggest_value(self.column, text)
        if not suggestion or suggestion == text:
            return ""
        try:
            return suggestion if self._parsed(suggestion) else ""
        except ValueError:
            return ""

    @staticmethod
    def _cache_value(memory: dict[Any, Any], key: Any, value: Any) -> None:
        if len(memory) >= CACHED_CELLS:
            memory.clear()
        memory[key] = value


def _without_value(rule: str, cell: Any, text: str) -> str:
    """A message without the value at its start, so that equal rules are equal."""
    if not rule.startswith("“"):
        return rule
    clean = unescape_formula(text).replace("\r\n", "\n").replace("\r", "\n")
    for start in (quote_value(cell), quote_value(text), quote_value(clean)):
        if rule.startswith(f"{start} "):
            return rule[len(start) + 1 :]
    return rule


class ColumnLayout:
    """The columns of a file that are read, and how its rows become items.

    Args:
        parsers: in the order of an item's values.
        places: where their cells stand in a row, from 0; constants follow the cells of the file.
        constants: texts that every row has.
        row_fixes: number of a row and name of a column to the text to read there.
        faults: the list that all parsers add to.
        clears: names of the columns whose blank cells clear the field.
        only_texts: whether cells are texts, or bad, as in a CSV file; they are keys of the parsers' memory as they are.
    """

    def __init__(
        self,
        parsers: Sequence[ColumnParser],
        places: Sequence[int],
        constants: Sequence[str],
        row_fixes: Mapping[int, Mapping[str, str]],
        faults: list[CellError],
        clears: Collection[str],
        *,
        only_texts: bool = False,
    ) -> None:
        self.parsers = parsers
        self.clears = frozenset(clears)
        self.index = {parser.name: place for place, parser in enumerate(parsers)}
        self._constants = tuple(constants)
        self._as_they_are = not constants and list(places) == list(range(len(places)))
        self._pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)
        self._row_fixes = row_fixes
        self._faults, self._only_texts = faults, only_texts

    def decide_again(self) -> bool:
        """Take account of what the rows so far tell about the file's formats.

        Returns:
            Whether some of these rows are to be read again.
        """
        outdated = any(parser.is_outdated() for parser in self.parsers)
        if outdated:
            for parser in self.parsers:
                parser.decide_again()
        return outdated

    def parse_rows(self, rows: Iterable[TableRow]) -> Iterator[ParsedRow]:
        """Read rows. One that does not fit the header is not read: its cells may belong to other columns."""
        parsers, faults, row_fixes = self.parsers, self._faults, self._row_fixes
        for row in rows:
            cells = row.cells if self._as_they_are else self._cells(row.cells)
            if row.problem:
                item = ParsedRow(row.number, cells, [parser.empty for parser in parsers])
                item.add_errors([CellError("", None, "", row.problem, "")])
                yield item
                continue
            values = list(map(getitem, parsers, cells if self._only_texts else map(cell_key, cells)))
            if row.number in row_fixes:
                self._fix(row.number, cells, values)
            item = ParsedRow(row.number, cells, values)
            if faults:
                item.add_errors(faults)
                faults.clear()
            yield item

    def _cells(self, cells: Sequence[Any]) -> Sequence[Any]:
        picked: Sequence[Any] = self._pick((*cells, *self._constants) if self._constants else cells)
        return picked

    def _fix(self, number: int, cells: Sequence[Any], values: list[FieldText]) -> None:
        for name, replacement in self._row_fixes[number].items():
            place = self.index.get(name)
            if place is not None:
                self._faults[:] = [fault for fault in self._faults if fault.column != name]
                values[place] = self.parsers[place].parse_replacement(cells[place], replacement)
