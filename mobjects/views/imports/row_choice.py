"""Which rows of an import the review shows: those of a tab, or exactly those behind a count of another page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.imports.writing import commit
from mobjects.kept_text import translate_rule
from mobjects.models import (
    Import,
    ImportChange,
    ImportGroup,
    ImportProblemLevel,
    ImportRow,
    ImportRowOutcome,
    UndoOutcome,
)
from mobjects.presentation.import_text import TABS
from mobjects.selectors import id_in
from mobjects.views.imports.base import model_of
from mobjects.views.imports.row_table import truncate_html

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROWS_PER_PAGE = 50
RULE_SHOWN = 400
"""Bytes of a rule as HTML, where its rows are shown."""

_UNDONE: Mapping[str, StrOrPromise] = {
    UndoOutcome.RESTORED: _("whose record the undo restored"),
    UndoOutcome.REMOVED: _("whose record the undo removed"),
    UndoOutcome.LEFT: _("whose record the undo left alone"),
}


@dataclass(frozen=True, slots=True)
class RowChoice:
    """Rows of an import.

    Args:
        tab: the outcome that all of them have; "" if they may have several.
        words: which they are, as the end of a sentence that begins with "Only rows"; "" for all rows of the tab.
        page: one page of them.
        rows: those on the page. A row that the check left out has no outcome and no record; most others say by
            ``is_there`` whether their record exists still.
    """

    tab: str
    words: str
    page: Page[Any]
    rows: Sequence[ImportRow]


def choose_rows(request: HttpRequest, imported: Import) -> RowChoice:
    """The rows that the address asks for.

    ``?tab=`` is an outcome, and with ``&cleared=1`` those of its rows that clear a value; ``?left=1`` what the writing
    left out; ``?undone=`` what became of the rows by the undo; ``?group=`` the rows with equal problems. What means
    nothing (a group of an earlier check) gives the tab.
    """
    number = id_in(request.GET.get("group"))
    group = imported.groups.filter(pk=number).first() if number else None
    if group is not None:
        return _choose_group(request, imported, group)
    if request.GET.get("left") == "1":
        left = commit.unwritten_rows(imported).filter(number__lte=imported.committed_to)
        return _choose(request, imported, left, gettext("that were left out when the others were written"))
    undone = request.GET.get("undone", "")
    if undone in _UNDONE:
        changed = ImportChange.objects.filter(imported=imported, undone=undone).order_by().values("number")
        return _choose(request, imported, imported.found.filter(number__in=changed), str(_UNDONE[undone]))
    tab = _tab(request, imported)
    found = imported.found.filter(outcome=tab)
    if request.GET.get("cleared") == "1":
        return _choose(
            request, imported, found.filter(cleared__gt=0), gettext("with blank cells that clear a value"), tab
        )
    # The check counted them; asking again takes long.
    return _choose(request, imported, found, "", tab, count=imported.counts.get(tab, 0))


def read_row(imported: Import, number: int) -> ImportRow | None:
    """One row, also one that the check left out with a note; ``None`` if there is no such row."""
    found = imported.found.filter(number=number).first()
    noted = found is None and imported.found_problems.filter(number=number).exists()
    return _without_outcome(imported, number) if noted else found


def _choose_group(request: HttpRequest, imported: Import, group: ImportGroup) -> RowChoice:
    same = {name: getattr(group, name) for name in ("level", "column", "position", "value", "rule")}
    equal = {f"{name}__isnull" if value is None else name: value is None or value for name, value in same.items()}
    numbers = imported.found_problems.filter(**equal).order_by("number").values_list("number", flat=True).distinct()
    page = Paginator(numbers, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    found = {row.number: row for row in imported.found.filter(number__in=list(page.object_list))}
    rows = [found.get(number) or _without_outcome(imported, number) for number in page.object_list]
    tab = ImportRowOutcome.ERROR.value if group.level == ImportProblemLevel.ERROR else ""
    return RowChoice(
        tab,
        gettext("of which is said: %(rule)s") % {"rule": truncate_html(translate_rule(group.rule), RULE_SHOWN)},
        page,
        rows,
    )


def _choose(
    request: HttpRequest, imported: Import, found: Any, words: str, tab: str = "", *, count: int | None = None
) -> RowChoice:
    records = model_of(imported.kind)._default_manager.filter(pk=OuterRef("record_id")).order_by()
    pages = Paginator(found.order_by("number").annotate(is_there=Exists(records)), ROWS_PER_PAGE)
    if count is not None:
        pages.count = count
    page = pages.get_page(request.GET.get("page"))
    return RowChoice(tab, words, page, list(page))


def _without_outcome(imported: Import, number: int) -> ImportRow:
    return ImportRow(imported=imported, number=number, outcome="")


def _tab(request: HttpRequest, imported: Import) -> str:
    asked = request.GET.get("tab", "")
    if asked in ImportRowOutcome.values:
        return asked
    return next((tab.value for tab in TABS if imported.counts.get(tab)), ImportRowOutcome.NEW.value)
