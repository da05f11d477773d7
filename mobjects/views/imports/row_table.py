"""Rows of an import as pages show them: values and problems, cut so that a page of fifty rows stays small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from django.db.models import ForeignKey, Model
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from mobjects.imports.writing.target_tables import sets_channel
from mobjects.kept_text import translate_label, translate_rule
from mobjects.models import Import, ImportProblem, ImportProblemLevel, ImportRow, ImportRowOutcome, Program
from mobjects.resources import RESOURCES
from mobjects.resources.columns import MonthColumn
from mobjects.views.imports.base import model_of

ROW_BYTES = 2000
"""What the values and problems of one row may take in a list, as HTML; its own page shows all of them."""
SHOWN_BYTES = 120
"""Bytes of a value that are shown where there is room."""
SHORTEST = 18
EDITABLE = 100
"""Longest cell that can be corrected in a list; longer ones on the row's own page."""

_CELL, _PROBLEM, _EDIT = 60, 180, 200
"""About what the HTML around a value, a problem and an input takes."""

CUSTOM = "custom_attributes"


@dataclass(slots=True)
class ShortenedText:
    """A value as it is shown: cut, and all of it for the title if there is room."""

    shown: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A value of a record, and the one before it; ``None`` if there was none."""

    name: str
    new: ShortenedText
    old: ShortenedText | None = None


@dataclass(frozen=True, slots=True)
class DisplayProblem:
    """What is wrong with a cell, or with a row. ``edit`` is the text to correct; ``None`` if it cannot be here."""

    pk: int
    level: str
    place: str
    value: ShortenedText
    rule: ShortenedText
    suggestion: ShortenedText
    edit: str | None

    @property
    def is_long(self) -> bool:
        """Whether its text needs more than a line."""
        return self.edit is not None and (len(self.edit) > EDITABLE or len(self.edit.splitlines()) > 1)


@dataclass(slots=True)
class DisplayRow:
    """One row of the file, as it is shown."""

    number: int
    label: str
    outcome: str
    url: str = ""
    cells: list[FieldChange] = field(default_factory=list)
    complaints: list[DisplayProblem] = field(default_factory=list)
    more: int = 0

    @property
    def outcome_label(self) -> str:
        """The outcome in words; a row that the check left out has none."""
        return str(ImportRowOutcome(self.outcome).label) if self.outcome else _("Left out")


def html_size(text: str) -> int:
    """Bytes that a text takes as HTML."""
    return len(escape(text).encode())


def truncate_html(text: str, most: int) -> str:
    """A text of at most so many bytes of HTML; an ellipsis stands for the rest."""
    if html_size(text) <= most:
        return text
    kept, used = [], 3
    for char in text[:most]:
        used += html_size(char)
        if used > most:
            break
        kept.append(char)
    return f"{''.join(kept)}…"


def changed_values(row: ImportRow) -> list[tuple[str, str | None, str | None]]:
    """The values of a row as field (or name of a custom field), before, after."""
    found: list[tuple[str, str | None, str | None]] = []
    for name, new in row.data.items():
        old = row.old.get(name)
        if name != CUSTOM:
            found.append((name, old, new))
            continue
        before, after = old or {}, new or {}
        names = sorted({*before, *after})
        found += [(each, before.get(each), after.get(each)) for each in names if before.get(each) != after.get(each)]
    return found


class FieldLabels:
    """What the fields of a kind are called in files, and what the ids in links stand for."""

    def __init__(self, kind: str, rows: Iterable[ImportRow]) -> None:
        self.kind = kind
        self.rows = list(rows)
        # A row of tags may set the channel of its program.
        kinds = ["programs", kind] if kind == "program-tags" else [kind]
        self.columns = {column.field: column for each in kinds for column in RESOURCES[each]().columns}

    @cached_property
    def linked_records(self) -> dict[str, tuple[str, dict[str, str]]]:
        """For each link to other records its name, and the records by id as text; one query each."""
        found = {}
        for each in model_of(self.kind)._meta.concrete_fields:
            if isinstance(each, ForeignKey):
                model = cast("type[Model]", each.related_model)
                ids = {side.get(each.attname) for row in self.rows for side in (row.data, row.old)}
                records = model._default_manager.in_bulk([int(pk) for pk in ids if pk]) if any(ids) else {}
                name = str(model._meta.verbose_name).capitalize()
                found[each.attname] = name, {str(pk): str(record) for pk, record in records.items()}
        return found

    def field_label(self, key: str) -> str:
        """The name of a field."""
        if key in self.linked_records:
            return self.linked_records[key][0]
        return self.columns[key].name if key in self.columns else key

    def value_text(self, key: str, value: Any) -> str:
        """A value as it is shown."""
        if value is None or value == "":
            return ""
        if key in self.linked_records:
            return self.linked_records[key][1].get(str(value), _("number %(value)s") % {"value": value})
        return str(value)[:7] if isinstance(self.columns.get(key), MonthColumn) else str(value)


def build_display_rows(imported: Import, rows: Sequence[ImportRow], *, whole: bool = False) -> list[DisplayRow]:
    """Make rows ready for a page; a fixed number of queries.

    Args:
        rows: of the import.
        whole: show everything, for a page of one row.
    """
    names = FieldLabels(imported.kind, rows)
    problems: dict[int, list[ImportProblem]] = defaultdict(list)
    for problem in imported.found_problems.filter(number__in=[row.number for row in rows]):
        problems[problem.number].append(problem)
    urls = _record_urls(imported, rows)
    found = []
    for row in rows:
        each = DisplayRow(row.number, _row_label(imported.kind, row), row.outcome, urls.get(row.number, ""))
        left = _fill_problems(each, problems[row.number], whole=whole)
        _fill_cells(each, row, names, left, whole=whole)
        found.append(each)
    return found


def display_rows_of_kind(kind: str, rows: Sequence[ImportRow]) -> dict[tuple[int, int], DisplayRow]:
    """The values of rows of several imports of a kind, by import and number."""
    names, found = FieldLabels(kind, rows), {}
    for row in rows:
        found[row.pk] = DisplayRow(row.number, _row_label(kind, row), row.outcome)
        _fill_cells(found[row.pk], row, names, ROW_BYTES, whole=False)
    return found


def reversed_row(row: DisplayRow) -> DisplayRow:
    """A row with its values the other way round: what an undo made of the record."""
    cells = [cell if cell.old is None else FieldChange(cell.name, cell.old, cell.new) for cell in row.cells]
    return replace(row, cells=cells)


def _row_label(kind: str, row: ImportRow) -> str:
    return truncate_html(translate_label(row.label, kind), 200)


def _record_urls(imported: Import, rows: Sequence[ImportRow]) -> Mapping[int, str]:
    """By the rows' numbers the addresses of the records that exist still: of a row that sets a channel its program."""
    programs = {row.number: int(row.data["program_id"]) for row in rows if sets_channel(imported.kind, row)}
    records = {row.number: row.record_id for row in rows if row.record_id}
    there = {row.record_id for row in rows if getattr(row, "is_there", False)}
    is_known = all(hasattr(row, "is_there") for row in rows)
    found: dict[int, str] = {}
    for model, ids, known in (
        (model_of(imported.kind), records, there if is_known else None),
        (Program, programs, None),
    ):
        existing = known if known is not None else _existing(model, ids.values())
        name = f"admin:mobjects_{model._meta.model_name}_change"
        found |= {number: reverse(name, args=[pk]) for number, pk in ids.items() if pk in existing}
    return found


def _existing(model: type[Model], ids: Collection[Any]) -> set[Any]:
    return set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _fill_problems(row: DisplayRow, problems: Sequence[ImportProblem], *, whole: bool) -> int:
    """Add what is wrong, as far as there is room.

    Returns:
        The room that is left.
    """
    left, edited = ROW_BYTES, set()
    for problem in problems:
        # One input for each cell, however much is wrong with it.
        first = problem.position is not None and problem.position not in edited
        complaint = _complaint(problem, editable=first, whole=whole)
        cost = _PROBLEM + sum(html_size(part.shown) for part in (complaint.value, complaint.rule, complaint.suggestion))
        cost += html_size(complaint.place) + (_EDIT + html_size(complaint.edit) if complaint.edit is not None else 0)
        if cost > left and not whole:
            row.more += 1
            continue
        left -= cost
        edited.add(problem.position)
        row.complaints.append(complaint)
    return left


def _complaint(problem: ImportProblem, *, editable: bool, whole: bool) -> DisplayProblem:
    place = truncate_html(problem.column, 120)
    if problem.position is not None:
        place = f"{get_column_letter(problem.position)} {place}"
    editable = editable and problem.level == ImportProblemLevel.ERROR
    # An input of one line would drop line breaks, and so change the value by itself.
    short = html_size(problem.value) <= EDITABLE and len(problem.value.splitlines()) < 2
    editable = editable and (whole or short)
    limits = (10**9, 10**9, 10**9) if whole else (EDITABLE, 400, EDITABLE)
    # Most rules say the value themselves.
    value_said = "" if problem.value in problem.rule else problem.value
    texts = (value_said, translate_rule(problem.rule), problem.suggestion)
    value, rule, suggestion = (
        ShortenedText(truncate_html(text, most)) for text, most in zip(texts, limits, strict=True)
    )
    edit = problem.value if editable else None
    return DisplayProblem(problem.pk, problem.level, place.strip(), value, rule, suggestion, edit)


def _fill_cells(row: DisplayRow, found: ImportRow, names: FieldLabels, room: int, *, whole: bool) -> None:
    """Add the values, as far as there is room: each gets the same share, and what is over goes to titles."""
    is_new = found.record_id is None and not found.old
    values = [
        (
            truncate_html(names.field_label(key), 10**9 if whole else 60),
            # The same on both sides says only what the row is about.
            None if is_new or old == new else names.value_text(key, old),
            names.value_text(key, new),
        )
        for key, old, new in changed_values(found)
        # A new record's empty fields say nothing.
        if not (is_new and new in (None, ""))
    ]
    if whole:
        row.cells = [
            FieldChange(name, ShortenedText(new), None if old is None else ShortenedText(old))
            for name, old, new in values
        ]
        return
    sides = 1 if is_new else 2
    around = sum(_CELL + html_size(name) for name, _, _ in values)
    share = (room - around) // max(len(values) * sides, 1)
    most = min(max(share, SHORTEST), SHOWN_BYTES)
    for name, old, new in values:
        cost = _CELL + html_size(name) + min(html_size(new), most) + (0 if old is None else min(html_size(old), most))
        if cost > room:
            row.more += 1
            continue
        room -= cost
        row.cells.append(
            FieldChange(
                name,
                ShortenedText(truncate_html(new, most), new),
                None if old is None else ShortenedText(truncate_html(old, most), old),
            )
        )
    _add_titles(row, room)


def _add_titles(row: DisplayRow, room: int) -> None:
    """Keep the whole of what was cut as a title, as far as there is room."""
    for text in (side for cell in row.cells for side in (cell.new, cell.old) if side is not None):
        if text.shown == text.title or html_size(text.title) > room:
            text.title = ""
        else:
            room -= html_size(text.title)
