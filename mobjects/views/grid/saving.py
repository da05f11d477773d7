"""Saving what was typed into a grid: each record by itself, under its lock, by its own form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import IntegrityError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from mobjects import timeline
from mobjects.db.edit_context import edit
from mobjects.forms.merging import MergingForm
from mobjects.forms.records.custom_fields import CUSTOM
from mobjects.forms.records.grid_cells import (
    EditedCell,
    build_cell_form,
    describe_errors,
    list_columns,
    show_cells,
)
from mobjects.marketo.attributes import entry_name
from mobjects.models import EditSource, SyncedRecord

ROWS = 100
"""Records on a page of the grid, and so many at most are saved at once."""
LARGEST_PK = 2**63 - 1

Answer = dict[str, Any]
Edits = Mapping[int, Mapping[str, EditedCell]]
"""By our ids of records and names of fields."""


def read_edits(body: bytes) -> Edits:
    """What a page sent: ``{"records": {"7": {"stage": ["New", "Won"]}}}``, each cell as it was opened and as typed.

    Raises:
        ValueError: it is nothing of that sort; in words.
    """
    try:
        sent = json.loads(body)["records"]
        edits = {
            int(pk): {str(name): EditedCell(*map(_require_text, pair)) for name, pair in cells.items()}
            for pk, cells in sent.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(_("What was sent is not what the grid sends; load the page again.")) from error
    if len(edits) > ROWS or any(not 0 < pk <= LARGEST_PK for pk in edits):
        raise ValueError(_("At most %(rows)s records can be saved at once.") % {"rows": ROWS})
    return edits


def _require_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def page_address(query: QueryDict, where: Any) -> str:
    """The page's own address at another place of the list."""
    query = query.copy()
    for name, value in where.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


@dataclass(frozen=True, slots=True)
class CellSaver:
    """Saves edits of one kind for one person.

    Args:
        request: of the person, who may change such records.
        model: of the records.
        form_class: their form, as the person has it.
    """

    request: HttpRequest
    model: type[SyncedRecord]
    form_class: type[MergingForm]

    def save_all(self, edits: Edits) -> list[Answer]:
        """Save or refuse each record by itself, in the order of ids; gives what became of each."""
        return [self._save_or_say(pk, edits[pk]) for pk in sorted(edits)]

    def _save_or_say(self, pk: int, cells: Mapping[str, EditedCell]) -> Answer:
        try:
            with edit(EditSource.GRID, self.request.user):
                return self._save(pk, cells)
        except IntegrityError:
            said = _("Something else was saved at the same moment and stands in the way; save again.")
            return {"id": pk, "outcome": "refused", "errors": {"": said}}

    def _save(self, pk: int, cells: Mapping[str, EditedCell]) -> Answer:
        record = self._hold(pk)
        if record is None:
            return {"id": pk, "outcome": "gone", "errors": {"": _("This record is not here any more.")}}
        columns = {column.name: column.label for column in list_columns(self.form_class)}
        now = show_cells(self.form_class, record)
        if unknown := sorted(set(cells) - set(columns)):
            said = _("There is no such column, or it cannot be edited: %(names)s.") % {"names": ", ".join(unknown)}
            return {"id": pk, "outcome": "refused", "errors": {"": said}}
        form, problems = build_cell_form(self.form_class, record, cells)
        if form.is_valid() and not problems:
            if form.changed_data:
                self._write(form)
            shown = show_cells(self.form_class, self.model._default_manager.get(pk=pk))
            return {"id": pk, "outcome": "saved", "cells": shown}
        errors = describe_errors(form, problems)
        if not form.clashes:
            return {"id": pk, "outcome": "refused", "errors": errors}
        errors.pop("", None)  # Which asks to choose above.
        clashes = [self._describe_clash(pk, clash.entry, columns, now) for clash in form.clashes]
        return {"id": pk, "outcome": "conflict", "errors": errors, "clashes": clashes}

    def _hold(self, pk: int) -> Any:
        """The record, locked until the transaction ends; None if there is none."""
        held = self.model._base_manager.select_for_update(of=("self",)).filter(pk=pk)
        if not list(held.values_list("pk")):
            return None
        return admin.site.get_model_admin(self.model).get_queryset(self.request).get(pk=pk)

    def _write(self, form: MergingForm) -> None:
        model_admin: Any = admin.site.get_model_admin(self.model)  # takes any form
        record = form.save(commit=False)
        model_admin.save_model(self.request, record, form, change=True)
        said = model_admin.construct_change_message(self.request, form, [])
        model_admin.log_change(self.request, record, said)

    def _describe_clash(self, pk: int, name: str, columns: Mapping[str, str], now: Mapping[str, str]) -> Answer:
        kind = self.model.KIND
        author = timeline.last_author(kind, pk, entry_name(kind, name.removeprefix(CUSTOM)))
        return {"name": name, "label": columns[name], "now": now[name], "author": author}
