"""Columns of import and export files: their names, how their cells are read, and where the values are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mobjects.marketo import values
from mobjects.marketo.attributes import Attribute
from mobjects.marketo.contract import DataType, Kind, Value
from mobjects.marketo.text import to_text
from mobjects.models import CustomField
from mobjects.tabular import FileRefused, restore
from mobjects.workbook import Month


@dataclass(frozen=True, slots=True)
class Column:
    """A column whose values are kept in a model field.

    Args:
        attribute: ``name`` is the header we write; ``label`` is accepted too; type and size rule the values.
        field: the model field.
        required: whether a record must have a value.
    """

    attribute: Attribute
    field: str
    required: bool = False

    @property
    def name(self) -> str:
        """The header."""
        return self.attribute.name

    @property
    def is_text(self) -> bool:
        """Whether cells are text, which is neutralised in files where it looks like a formula."""
        return self.attribute.type is DataType.STRING

    def parse(self, cell: object) -> Value:
        """Read a cell. Raises ValueError with a sentence."""
        if self.is_text and isinstance(cell, str):
            cell = restore(cell)
        return values.parse(cell, self.attribute)

    def get(self, instance: Any) -> Value:
        """The value a record has, as it is exported."""
        value: Value = getattr(instance, self.field)
        return value

    def set(self, instance: Any, value: Value) -> None:
        """Give a record a value; ``None`` clears."""
        field = instance._meta.get_field(self.field)
        setattr(instance, self.field, "" if value is None and not field.null else value)


@dataclass(frozen=True, slots=True)
class CustomColumn(Column):
    """A column for a field that the Marketo instance adds."""

    def get(self, instance: Any) -> Value:
        text = instance.custom_attributes.get(self.name)
        try:
            return values.parse(text, self.attribute)
        except ValueError:
            return str(text)  # Kept from before the field's type was changed; shown as it is.

    def set(self, instance: Any, value: Value) -> None:
        others = {name: text for name, text in instance.custom_attributes.items() if name != self.name}
        text = to_text(value)
        instance.custom_attributes = dict(sorted({**others, self.name: text}.items())) if text else others


@dataclass(frozen=True, slots=True)
class MonthColumn(Column):
    """A month, kept as its first day."""

    def parse(self, cell: object) -> Value:
        return None if cell is None or str(cell).strip() == "" else values.parse_month(cell)

    def get(self, instance: Any) -> Value:
        month: date = instance.month
        return Month(month.year, month.month, month.day)


@dataclass(frozen=True, slots=True)
class LinkColumn(Column):
    """The key of another record, which the resource looks up; ``source`` leads to it from an instance."""

    source: tuple[str, ...] = ()

    def get(self, instance: Any) -> Value:
        for name in self.source:
            instance = getattr(instance, name)
        value: Value = instance
        return value

    def set(self, instance: Any, value: Value) -> None:
        raise NotImplementedError("the resource sets the link")


def text_column(name: str, field: str, size: int = 255, *, required: bool = False) -> Column:
    """A column of text that is no attribute of Marketo's API."""
    return Column(Attribute(name, name, DataType.STRING, size), field, required)


def id_column(name: str, field: str, *, required: bool = False) -> Column:
    """A column of ids."""
    return Column(Attribute(name, name, DataType.REFERENCE), field, required)


def custom_columns(kind: Kind) -> list[CustomColumn]:
    """A column for each custom field of a kind, by name."""
    fields = CustomField.objects.filter(kind=kind.value).order_by("name")
    return [CustomColumn(field.attribute, "custom_attributes") for field in fields]


def same(old: Value, new: Value) -> bool:
    """Whether a new value changes nothing: empty is empty, numbers by value, times to the second."""
    if old in (None, "") or new in (None, ""):
        return old in (None, "") and new in (None, "")
    if isinstance(old, datetime) and isinstance(new, datetime):
        return old.replace(microsecond=0) == new
    if isinstance(old, str) and isinstance(new, str):
        return old.replace("\r\n", "\n").replace("\r", "\n") == new
    return old == new


def display(value: Value) -> str:
    """A value as previews show it."""
    return value.isoformat()[:7] if isinstance(value, Month) else to_text(value)


def match_headers(headers: Iterable[str], columns: Sequence[Column]) -> list[str]:
    """Find the columns that a file's headers mean.

    Case, spaces and underscores do not matter; a name goes before a label.

    Returns:
        The name of the column for each header; ``""`` for an empty header.

    Raises:
        FileRefused: names every unknown and every repeated header.
    """
    headers = list(headers)
    found = [_find(header, columns) if header else "" for header in headers]
    unknown = [header for header, name in zip(headers, found, strict=True) if name is None]
    if unknown:
        known = ", ".join(column.name for column in columns)
        raise FileRefused(f"Unknown {_plural('column', unknown)} {_listed(unknown)}. Known columns: {known}.")
    names = [name or "" for name in found]
    twice = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if twice:
        raise FileRefused(f"{_plural('Column', twice)} {_listed(twice)} in the file more than once.")
    return names


def _find(header: str, columns: Sequence[Column]) -> str | None:
    wanted = _normalised(header)
    for matching in (
        {column.name for column in columns if column.name == header},
        {column.name for column in columns if _normalised(column.name) == wanted},
        {column.name for column in columns if _normalised(column.attribute.label) == wanted},
    ):
        if len(matching) > 1:
            raise FileRefused(f"Column “{header}” could be {' or '.join(sorted(matching))}; write that instead.")
        if matching:
            return matching.pop()
    return None


def _normalised(header: str) -> str:
    return re.sub(r"[\s_]+", "", header).casefold()


def _plural(noun: str, items: Sequence[str]) -> str:
    return noun if len(items) == 1 else f"{noun}s"


def _listed(items: Sequence[str]) -> str:
    return ", ".join(f"“{item}”" for item in items)
