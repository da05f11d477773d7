"""Blank templates: a file with the headers of a kind, to be filled and imported.

In a workbook each header has a note with the rule and an example, and columns of which Marketo or the records here
know the values have a list to choose from. The lists stand on a hidden sheet, which an import does not read.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from mobjects.exports.formats import csv_text
from mobjects.marketo.types import DataType
from mobjects.models import AllowedValues
from mobjects.models.program import CHANNEL_TAG
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import FileColumn, GuidColumn, MonthColumn
from mobjects.spreadsheets.csv_writer import csv_pieces
from mobjects.spreadsheets.formula_escaping import escape_formula
from mobjects.spreadsheets.xlsx_writer import MAX_SHEET_ROWS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LISTS = "Lists"
"""Name of the hidden sheet."""
MAX_LISTED_VALUES = 200
"""So many values that records have are offered."""

RULES: dict[DataType, tuple[StrOrPromise, StrOrPromise]] = {
    DataType.STRING: (_("Text"), _("as it is")),
    DataType.INTEGER: (_("Whole number"), "80"),
    DataType.REFERENCE: (_("ID: a whole number from 1"), "1001"),
    DataType.FLOAT: (_("Number with at most 4 decimals, a point and no thousands separators"), "1234.5"),
    DataType.CURRENCY: (_("Amount with at most 2 decimals, a point and no thousands separators"), "1234.50"),
    DataType.BOOLEAN: (_("true or false"), "true"),
    DataType.DATE: (_("Date, written YYYY-MM-DD"), "2026-06-30"),
    DataType.DATETIME: (_("Date and time; without an offset it is read as UTC"), "2026-06-30T14:00:00+02:00"),
}
"""What a column takes, and an example, by type."""

_FORMATS = {
    DataType.STRING: "@",
    DataType.DATETIME: "@",
    DataType.DATE: "yyyy-mm-dd",
    DataType.CURRENCY: "0.00",
}
_KNOWN = {("opportunities", "Stage"), ("roles", "Role")}


def build_template(resource: TransferResource, extension: str) -> io.BytesIO:
    """A blank file.

    Args:
        resource: of the kind.
        extension: ``csv`` or ``xlsx``.
    """
    names = [column.name for column in resource.columns]
    if extension == "csv":
        return io.BytesIO(b"".join(csv_pieces(names, (), csv_text)))
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # openpyxl 3.1 calls datetime.utcnow()
        _workbook(resource).save(stream)
    stream.seek(0)
    return stream


def _text_words(size: int | None) -> str:
    return gettext("Text, up to %(count)s characters") % {"count": f"{size:,}"} if size else gettext("Text")


def column_note(column: FileColumn, resource: TransferResource) -> str:
    """What a column takes, in a few lines."""
    words: StrOrPromise
    example: StrOrPromise
    words, example = RULES[column.attribute.type]
    if isinstance(column, MonthColumn):
        words, example = gettext("Month, written YYYY-MM"), "2026-06"
    elif isinstance(column, GuidColumn):
        words, example = gettext("Marketo's GUID"), "dff23271-f996-47d7-984f-f2676861b5fa"
    elif column.name == "Probability":
        words, example = gettext("Percent, 0 to 100"), "80"
    elif column.is_text:
        words, example = _text_words(column.attribute.size), ""
    lines = [f"{words}."]
    if column.name in resource.key_names:
        lines.append(gettext("Says which record a row means."))
    if column.required:
        lines.append(gettext("A new %(noun)s needs it.") % {"noun": resource.NOUN})
    else:
        lines.append(gettext("May be empty; an empty cell clears the field."))
    if example:
        lines.append(gettext("Example: %(example)s") % {"example": example})
    return "\n".join(lines)


def _workbook(resource: TransferResource) -> Workbook:
    book = Workbook()
    page: Any = book.active
    page.title = str(resource._meta.name)[:31]
    page.freeze_panes = "A2"
    lists = _ListSheet(book)
    for number, column in enumerate(resource.columns, 1):
        letter = get_column_letter(number)
        cell = page.cell(1, number, column.name)
        cell.font, cell.number_format = Font(bold=True), "@"
        cell.comment = Comment(column_note(column, resource), gettext("Marketo Admin"), height=120, width=280)
        dimension = page.column_dimensions[letter]
        dimension.width = max(12, len(column.name) + 4)
        dimension.number_format = (
            "yyyy-mm" if isinstance(column, MonthColumn) else _FORMATS.get(column.attribute.type, "General")
        )
        rule = _choices(resource, column, lists)
        if rule is not None:
            rule.add(f"{letter}2:{letter}{MAX_SHEET_ROWS}")
            page.add_data_validation(rule)
    return book


class _ListSheet:
    """The hidden sheet; each list is a column of it."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._page: Any = None
        self._count = 0

    def add_list(self, values: Sequence[str]) -> str:
        """Write a list; gives where it stands."""
        if self._page is None:
            self._page = self._book.create_sheet(LISTS)
            self._page.sheet_state = "hidden"
        self._count += 1
        letter = get_column_letter(self._count)
        for number, value in enumerate(values, 1):
            cell = self._page.cell(number, self._count, escape_formula(value))
            cell.data_type, cell.number_format = "s", "@"
        return f"{LISTS}!${letter}$1:${letter}${len(values)}"


def _choices(resource: TransferResource, column: FileColumn, lists: _ListSheet) -> DataValidation | None:
    """The drop-down of a column, if its values are known."""
    if column.attribute.type is DataType.BOOLEAN:
        return _drop_down('"true,false"', strict=True)
    place = (resource.KIND, column.name)
    if place == ("program-tags", "Value"):
        return _tag_values(lists)
    if place in _KNOWN:
        values = _in_use(resource._meta.model, column.field)
    elif place == ("programs", "Channel"):
        values = AllowedValues().channels
    elif place == ("program-tags", "Type"):
        # A row of tags may set the program's channel.
        known = AllowedValues().tag_types
        values = [*known, CHANNEL_TAG] if known else []
    else:
        return None
    return _drop_down(lists.add_list(values), strict=place not in _KNOWN) if values else None


def _tag_values(lists: _ListSheet) -> DataValidation | None:
    """The values of the tag type, or the channels, by what stands beside the cell."""
    known = AllowedValues()
    if not known.tags:
        return None
    tags = [*known.tags, *((CHANNEL_TAG, channel) for channel in known.channels)]
    types, values = lists.add_list([name for name, _ in tags]), lists.add_list([value for _, value in tags])
    first = values.partition(":")[0]
    return _drop_down(f"OFFSET({first},MATCH($B2,{types},0)-1,0,COUNTIF({types},$B2),1)", strict=True)


def _in_use(model: type[models.Model], field: str) -> list[str]:
    known = model._default_manager.exclude(**{field: ""}).order_by(field).values_list(field, flat=True)
    return list(known.distinct()[:MAX_LISTED_VALUES])


def _drop_down(formula: str, *, strict: bool) -> DataValidation:
    """A list to choose from; ``strict`` if other values will be refused by the import, which Excel then warns of."""
    rule = DataValidation(type="list", formula1=formula, allow_blank=True)
    rule.showErrorMessage, rule.errorStyle = strict, "warning"
    rule.errorTitle, rule.error = (
        gettext("Not in the list"),
        gettext("Marketo does not know this value. Use it all the same?"),
    )
    return rule
