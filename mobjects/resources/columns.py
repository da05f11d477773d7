"""Columns of import and export files: their names, how their cells are read, and where the values are kept.

An export reads rows of plain values from the database (``QuerySet.values_list``), not records: a column names the
lookups it needs (:attr:`FileColumn.lookups`) and makes one value of what they give (:meth:`FileColumn.build_reader`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from mobjects.marketo import value_parsing
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import AttributeValue, DataType, Kind
from mobjects.models import CustomField
from mobjects.spreadsheets.formula_escaping import Month, unescape_formula

RawValues = tuple[Any, ...]
"""What the database gives of a record: the values of all lookups of an export."""
ValueReader = Callable[[RawValues], AttributeValue]
"""Makes a column's value of them."""

REVISION = "Revision"
"""Name of the last column of an export. It says which state of the record the file shows; it is never written."""


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column whose values are kept in a model field.

    Args:
        attribute: ``name`` is the header we write; ``label`` is accepted too; type and size rule the values.
        field: the model field.
        required: whether a record must have a value.
        is_key: whether it is text that other records, or other systems, find the record by.
    """

    attribute: MarketoAttribute
    field: str
    required: bool = False
    is_key: bool = False

    @property
    def name(self) -> str:
        """The header."""
        return self.attribute.name

    @property
    def is_text(self) -> bool:
        """Whether cells are text, which is neutralised in files where it looks like a formula."""
        return self.attribute.type is DataType.STRING

    def parse_cell(self, cell: object) -> AttributeValue:
        """Read a cell. Raises ValueError with a sentence."""
        if self.is_text and isinstance(cell, str):
            cell = unescape_formula(cell)
            if self.is_key:
                value_parsing.refuse_shortened(cell)
        return value_parsing.parse_value(cell, self.attribute)

    @property
    def lookups(self) -> tuple[str, ...]:
        """What an export reads from the database for this column."""
        return (self.field,)

    def build_reader(self, places: Sequence[int]) -> ValueReader:
        """Make the function that takes the value of this column out of a row that the database gave.

        Args:
            places: where the values of :attr:`lookups` stand in such a row.
        """
        return itemgetter(places[0])


@dataclass(frozen=True, slots=True)
class GuidColumn(FileColumn):
    """What Marketo's REST API calls an object, in small letters whatever a file writes."""

    def parse_cell(self, cell: object) -> AttributeValue:
        return FileColumn.parse_cell(self, cell.strip().lower() if isinstance(cell, str) else cell)


@dataclass(frozen=True, slots=True)
class CustomColumn(FileColumn):
    """A column for a field that the Marketo instance adds."""

    def build_reader(self, places: Sequence[int]) -> ValueReader:
        place, name, attribute = places[0], self.name, self.attribute

        def read_value(raw: RawValues) -> AttributeValue:
            text = raw[place].get(name)
            try:
                return value_parsing.parse_value(text, attribute)
            except ValueError:
                return str(text)  # Kept from before the field's type was changed; shown as it is.

        return read_value


@dataclass(frozen=True, slots=True)
class MonthColumn(FileColumn):
    """A month, kept as its first day."""

    def parse_cell(self, cell: object) -> AttributeValue:
        return None if cell is None or str(cell).strip() == "" else value_parsing.parse_month(cell)

    def build_reader(self, places: Sequence[int]) -> ValueReader:
        place = places[0]

        def read_value(raw: RawValues) -> AttributeValue:
            month: date = raw[place]
            return Month(month.year, month.month, month.day)

        return read_value


@dataclass(frozen=True, slots=True)
class LinkColumn(FileColumn):
    """The key of another record; ``source`` are the lookups of it, one for most."""

    source: tuple[str, ...] = ()

    @property
    def lookups(self) -> tuple[str, ...]:
        return self.source


def text_column(name: str, field: str, size: int = 255, *, required: bool = False, is_key: bool = False) -> FileColumn:
    """A column of text that is no attribute of Marketo's API."""
    return FileColumn(MarketoAttribute(name, name, DataType.STRING, size), field, required, is_key)


def id_column(name: str, field: str, *, required: bool = False) -> FileColumn:
    """A column of ids."""
    return FileColumn(MarketoAttribute(name, name, DataType.REFERENCE), field, required)


def guid_column() -> GuidColumn:
    """The column of the GUIDs of opportunities or roles."""
    return GuidColumn(
        MarketoAttribute("Marketo GUID", "Marketo GUID", DataType.STRING, 36), "marketo_guid", is_key=True
    )


def custom_columns(kind: Kind) -> list[CustomColumn]:
    """A column for each custom field of a kind, by name."""
    fields = CustomField.objects.filter(kind=kind.value).order_by("name")
    return [CustomColumn(field.attribute, "custom_attributes") for field in fields]


def revision_column(lookup: str) -> FileColumn:
    """The column that says which state of the synced record, found by a lookup, an export shows."""
    return LinkColumn(MarketoAttribute(REVISION, REVISION, DataType.INTEGER), lookup, source=(lookup,))
