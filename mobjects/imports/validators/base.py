"""What all kinds of files have in common: keys, what a row changes, what that would overwrite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_noop as _

from mobjects.imports.cell_parser import ColumnLayout, FieldText, ParsedRow, RowProblem
from mobjects.imports.duplicates import UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.blank_cells import BlankCells
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.imports.validators.tag_values import TagValueChecker
from mobjects.marketo import value_parsing
from mobjects.marketo.types import DataType
from mobjects.models import ImportProblemLevel, ImportRowOutcome
from mobjects.resources.columns import REVISION, CustomColumn, FileColumn
from mobjects.spreadsheets.row_shape import cell_text
from mobjects.spreadsheets.types import TableRow
from mobjects.sync.transport_factory import key_fields

CHUNK = 2000
"""Rows that are read, judged and written together."""

RowSource = Callable[[], Iterator[TableRow]]

_EMPTY: dict[str, Any] = {}
_LABEL = 255
KEY_LOST = _(
    "is the key of no record here, but the row was exported from one: the key was changed or "
    "damaged since, or the record is deleted. Correct the key, or leave %(revision)s empty if "
    "the record is new."
) % {"revision": REVISION}


class RowValidator:
    """Judges the rows of one file.

    Args:
        layout: the columns that the file has; "Revision", if it is among them, comes last.
        columns: all columns of the kind.
    """

    noun: ClassVar[str]
    model: ClassVar[type[models.Model]]
    extra_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that the rules need besides those of the file's columns."""
    has_revision: ClassVar[bool] = True
    """Whether the revision in a file is that of the very records it holds."""
    key_names: ClassVar[tuple[str, ...]]
    kept_id_columns: ClassVar[tuple[str, ...]] = ("Marketo ID", "Marketo GUID")
    """The columns with an ID that is not forgotten because a file does not know it."""
    either: ClassVar[tuple[str, ...]] = ()
    """Columns of which a record has at most one filled."""

    def __init__(self, layout: ColumnLayout, columns: Sequence[FileColumn]) -> None:
        self.layout = layout
        self.index = layout.index
        self.revision_at = self.index.get(REVISION)
        self.written = [parser for parser in layout.parsers if parser.name != REVISION]
        self.width = len(self.written)
        custom = [place for place, parser in enumerate(self.written) if isinstance(parser.column, CustomColumn)]
        self.custom = frozenset(custom)
        further = [*self.extra_fields, *(["custom_attributes"] if custom else [])]
        self.base = LEADING_VALUES + len(further)
        self.lookup = RecordLookup(self.model, further, [parser.column for parser in self.written])
        fields: list[Any] = [
            None if place in self.custom else self.model._meta.get_field(parser.column.field)
            for place, parser in enumerate(self.written)
        ]
        self.keys = [
            parser.name if field is None else field.attname for parser, field in zip(self.written, fields, strict=True)
        ]
        own = {key for place, key in enumerate(self.keys) if place not in self.custom}
        # In the order in which PostgreSQL keeps them, so that it has nothing to sort.
        names = sorted(own | ({"custom_attributes"} if custom else set()), key=lambda name: (len(name), name))
        self._empty_data: dict[str, Any] = dict.fromkeys(names)
        self._id_at, self._guid_at = self.index.get("Marketo ID"), self.index.get("Marketo GUID")
        self.kept_at = [self.index[name] for name in self.kept_id_columns if name in self.index]
        self.blanks = BlankCells(self.written, layout.clears, self.kept_id_columns, self.either, self.base)
        self.required = [place for place, parser in enumerate(self.written) if parser.column.required]
        self.absent = [column.name for column in columns if column.required and column.name not in self.index]

    # --- what a kind says about itself ---------------------------------------------------------------------------

    def prepare_file(self, rows: RowSource) -> None:
        """Read what has to be known of the whole file before its first row is judged."""

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        """Judge some rows; what is wrong with them is noted in the items."""
        raise NotImplementedError

    def unique_rules(self) -> list[UniqueRule]:
        """What may stand in a file once, in the order in which it is told."""
        raise NotImplementedError

    def accepted_name(self, place: int) -> str:
        """The name that a column's value has among what Marketo accepted; empty if it is not sent."""
        return self.written[place].name

    # --- help for kinds ------------------------------------------------------------------------------------------

    def get_value(self, item: ParsedRow, name: str) -> FieldText:
        """A row's value in a column, empty if the file lacks the column."""
        place = self.index.get(name)
        return None if place is None else item.values[place]

    def get_values(self, items: Sequence[ParsedRow], name: str) -> set[str]:
        """What some rows have in a column; nothing where they have nothing, or the file lacks the column."""
        place = self.index.get(name)
        return set() if place is None else {value for item in items if (value := item.values[place])}

    def add_problem(
        self, item: ParsedRow, name: str, rule: str, suggestion: str = "", level: str = ImportProblemLevel.ERROR.value
    ) -> None:
        """Note what is wrong with a row, at a column or, without a name, as a whole."""
        place = self.index.get(name)
        if place is None:
            position, value = None, ""
        else:
            position = self.layout.parsers[place].position
            value = cell_text(item.cells[place])
        item.problems.append(RowProblem(item.number, level, name, position, value, rule, suggestion))
        if level == ImportProblemLevel.ERROR:
            item.failed.add(name)

    def check_required(self, item: ParsedRow, record: StoredRecord | None) -> None:
        """Note required columns that are empty, or that a new record lacks."""
        for place in self.required:
            value = item.values[place]
            if not value or value.isspace():
                name = self.written[place].name
                if name not in item.failed and (record is None or record[self.base + place] != value):
                    self.add_problem(item, name, _("must not be empty."))
        if record is None and self.absent and item.failed.isdisjoint(("", *self.key_names)):
            for name in self.absent:
                self.add_problem(item, name, _("a new %(noun)s needs this column.") % {"noun": self.noun})

    def column_position(self, name: str) -> int | None:
        """Where a column stands in the file."""
        place = self.index.get(name)
        return None if place is None else self.layout.parsers[place].position

    # --- what a row does -----------------------------------------------------------------------------------------

    def build_checked_row(
        self, item: ParsedRow, record: StoredRecord | None, label: str, *, key: str = ""
    ) -> CheckedRow:
        """Tell what a row does, once all that is wrong with it is noted.

        Args:
            item: the row.
            record: the record it means; ``None`` if it is new.
            label: what it is called.
            key: our own key in the row.
        """
        marketo_id = None if self._id_at is None else item.values[self._id_at]
        guid = None if self._guid_at is None else item.values[self._guid_at]
        pk, old, data, cleared = (record[0] if record else None), _EMPTY, _EMPTY, 0
        if record is None and not item.failed:
            self._refuse_lost_key(item)
        if item.failed:
            outcome = ImportRowOutcome.ERROR.value
        elif record is None:
            outcome, data = ImportRowOutcome.NEW.value, self._new(item.values)
        else:
            changed = self._changed(item, record)
            outcome = ImportRowOutcome.UNCHANGED.value
            if changed:
                data, old = self._difference(item.values, record, changed)
                cleared = sum(not item.values[place] for place in changed)
                outcome = (
                    ImportRowOutcome.CONFLICT if self._conflicts(item, record, changed) else ImportRowOutcome.CHANGED
                ).value
        return CheckedRow(
            item.number, outcome, pk, label[:_LABEL], key, marketo_id or None, guid or "", data, old, cleared
        )

    def _refuse_lost_key(self, item: ParsedRow) -> None:
        """Note that a row comes from an export, which says that its record exists, but names none that does."""
        if self.revision_at is not None and item.values[self.revision_at] and self.has_revision:
            named = (name for name in self.key_names if self.get_value(item, name))
            self.add_problem(item, next(named, REVISION), KEY_LOST)

    def _new(self, values: Sequence[FieldText]) -> dict[str, Any]:
        data = self._empty_data.copy()  # A dictionary that grows from nothing is made anew three times.
        if not self.custom:
            data.update(zip(self.keys, values, strict=False))
            return data
        pairs = list(zip(self.keys, values, strict=False))
        data.update(pair for place, pair in enumerate(pairs) if place not in self.custom)
        data["custom_attributes"] = _sorted({pairs[place][0]: pairs[place][1] for place in self.custom})
        return data

    def _changed(self, item: ParsedRow, record: StoredRecord) -> list[int]:
        """The places of the values that differ from the record's."""
        values = item.values
        for kept in self.kept_at:
            if not values[kept]:
                values[kept] = record[self.base + kept]
        old = record[self.base :]
        if old == tuple(values[: self.width]):
            return []
        return [
            place
            for place, (before, now) in enumerate(zip(old, values, strict=False))
            if before != now and (before or now) and not self._same(place, before, now)
        ]

    def _same(self, place: int, before: FieldText, now: FieldText) -> bool:
        """Whether texts that differ mean the same after all."""
        if before and place in self.custom:
            try:
                return (value_parsing.canonical_text(before, self.written[place].column.attribute) or "") == (now or "")
            except ValueError:
                return False  # Kept from before the field's type was changed.
        if before and "\r" in before:
            return before.replace("\r\n", "\n").replace("\r", "\n") == now
        return False

    def _difference(
        self, now: Sequence[FieldText], record: StoredRecord, changed: Sequence[int]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        keys, base = self.keys, self.base
        own = [place for place in changed if place not in self.custom] if self.custom else changed
        data: dict[str, Any] = {keys[place]: now[place] for place in own}
        old: dict[str, Any] = {keys[place]: record[base + place] for place in own}
        if not self.custom:
            return data, old
        if custom := {self.keys[place]: now[place] for place in changed if place in self.custom}:
            before = json.loads(record[self.base - 1])
            data["custom_attributes"] = _sorted({**before, **custom})
            old["custom_attributes"] = before
        return data, old

    # --- what it would overwrite ---------------------------------------------------------------------------------

    def _conflicts(self, item: ParsedRow, record: StoredRecord, changed: Sequence[int]) -> bool:
        before = len(item.problems)
        if self.revision_at is not None:
            exported = item.values[self.revision_at]
            if exported and exported != str(record[1]):
                names = ", ".join(self.written[place].name for place in changed)
                self._contest(
                    item,
                    REVISION,
                    _("was changed here since the file was exported; overwritten would be: %(names)s.")
                    % {"names": names},
                )
        if record[2] is not None:
            accepted = json.loads(record[2])
            for name, text in self.unsent_values(item, record, changed, accepted):
                self._contest(
                    item,
                    name,
                    _("would overwrite %(value)s, which was entered here and not sent to Marketo yet.")
                    % {"value": value_parsing.quote_value(text)},
                )
        return len(item.problems) > before

    def _contest(self, item: ParsedRow, name: str, rule: str) -> None:
        self.add_problem(item, name, rule, level=ImportProblemLevel.CONFLICT.value)

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        """The columns, of those that a row changes, whose values here Marketo has not accepted, and these values."""
        for place in changed:
            name = self._accepted_names[place]
            text = record[self.base + place] or ""
            if name and accepted.get(name, "") != self.as_sent(place, text):
                yield self.written[place].name, text

    @cached_property
    def _accepted_names(self) -> list[str]:
        return [self.accepted_name(place) for place in range(self.width)]

    def as_sent(self, place: int, text: str) -> str:
        """A value of a record as it stands among what Marketo accepted."""
        if text and self.written[place].column.attribute.type is DataType.FLOAT and place not in self.custom:
            return format(Decimal(text).normalize(), "f")
        return text

    @cached_property
    def allowed(self) -> TagValueChecker:
        """Tags and channels that Marketo knows."""
        return TagValueChecker()

    @cached_property
    def key_fields(self) -> Any:
        """Names of the fields in which Marketo keeps our keys."""
        return key_fields()


def resolve_record(
    kind: RowValidator,
    item: ParsedRow,
    by_ids: Mapping[str, StoredRecord | None],
    by_key: StoredRecord | None,
    key: str,
    name: Callable[[StoredRecord], str],
) -> StoredRecord | None:
    """Decide which record a row means when its keys were looked up.

    Args:
        kind: gets a problem if the keys contradict each other.
        item: the row.
        by_ids: the records with what the row calls it in Marketo, by column; in the order of the further fields with
            which records begin.
        by_key: the record with the row's own key.
        key: what the own key is called.
        name: what a record is called.
    """
    if by_key is None and not any(by_ids.values()):
        return None
    found = [(column, record) for column, record in by_ids.items() if record is not None]
    meant = [*found, *([(key, by_key)] if by_key is not None else [])]
    column, record = meant[0]
    for other, another in meant[1:]:
        if another[0] != record[0]:
            rule = _("the %(column)s is “%(name)s”, but the %(other)s is “%(other_name)s”; correct one of them.") % {
                "column": column,
                "name": name(record),
                "other": other,
                "other_name": name(another),
            }
            kind.add_problem(item, column, rule)
    for place, (column, with_id) in enumerate(by_ids.items(), LEADING_VALUES):
        if with_id is None and record[place] and kind.get_value(item, column):
            rule = _("“%(name)s” has the %(column)s %(value)s already, which cannot be changed.") % {
                "name": name(record),
                "column": column,
                "value": record[place],
            }
            kind.add_problem(item, column, rule)
    return record


def _sorted(attributes: Mapping[str, FieldText]) -> dict[str, str]:
    """Custom attributes as records keep them."""
    return {name: text for name, text in sorted(attributes.items()) if text}
