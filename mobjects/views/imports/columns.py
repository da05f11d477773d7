"""The page on which a person says what each column of a file means, and how the file is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from openpyxl.utils import get_column_letter

from mobjects.forms.imports import LEFT_OUT, UNDECIDED, ColumnsForm, KindForm, ReadOptionsForm
from mobjects.forms.merging import fingerprint
from mobjects.imports import column_mapping, service
from mobjects.kept_text import translate_kept
from mobjects.models import Import, ImportState
from mobjects.presentation import import_text as words
from mobjects.presentation.vocabulary import join_each
from mobjects.spreadsheets.types import FileRefused
from mobjects.views.base import render_denied, render_page
from mobjects.views.imports import base
from mobjects.views.imports.detail import live_context, shown_same_file_imports

OPEN = (ImportState.MAPPING, ImportState.REVIEW, ImportState.REFUSED)
"""States in which columns, and how the file is read, can be changed."""
OTHER_FILE = gettext_lazy(
    "Nothing was kept: what the file holds, or how it is read, was changed since you opened the page, and its columns "
    "are others now. Look at them once more."
)


@require_http_methods(["GET", "POST"])
@base.about_import(rows=True)
def import_columns(request: HttpRequest, imported: Import) -> HttpResponse:
    """Show the columns; on "Check" keep what was said about them and check the file."""
    known = column_mapping.column_choices(imported.kind)
    if request.method == "GET":
        return _show(request, imported, ColumnsForm(imported, known), ReadOptionsForm(imported))
    if not base.may_change(request, imported):
        return render_denied(request, base.permission_name("import", imported.kind))
    if "change_kind" in request.POST:
        return _change_kind(request, imported)
    if "read" in request.POST:
        return _read_again(request, imported)
    return _keep_columns(request, imported, known)


def _keep_columns(request: HttpRequest, imported: Import, known: list[tuple[str, str, str]]) -> HttpResponse:
    if request.POST.get("seen", now := _shown_file(imported)) != now:
        messages.warning(request, OTHER_FILE)
        return redirect("mobjects:import-columns", imported.pk)
    form = ColumnsForm(imported, known, request.POST)
    if not form.is_valid():
        return _show(request, imported, form, ReadOptionsForm(imported))
    problems = column_mapping.find_mapping_problems(imported.kind, imported.headers, form.mapping, form.constants)
    if problems:
        return _show(request, imported, form, ReadOptionsForm(imported), problems)

    def save_and_check() -> None:
        service.set_columns(imported, form.mapping, form.constants, blank_clears=form.blank_clears)
        service.request_check(imported)

    base.try_transition(request, imported, save_and_check)
    return base.redirect_to_step(imported)


def _change_kind(request: HttpRequest, imported: Import) -> HttpResponse:
    form = KindForm(imported, base.importable_kinds(request), request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose what the file holds."))
    elif form.cleaned_data["kind"] != imported.kind:
        try:
            if base.try_transition(request, imported, partial(service.set_kind, imported, form.cleaned_data["kind"])):
                messages.success(
                    request,
                    _("It is read as %(kind)s now. Look at the columns once more.")
                    % {"kind": imported.get_kind_display().lower()},
                )
        except FileRefused as error:
            messages.error(request, _("It cannot be read any more: %(error)s") % {"error": translate_kept(str(error))})
    return redirect("mobjects:import-columns", imported.pk)


def _read_again(request: HttpRequest, imported: Import) -> HttpResponse:
    form = ReadOptionsForm(imported, request.POST)
    if not form.is_valid():
        return _show(request, imported, ColumnsForm(imported, column_mapping.column_choices(imported.kind)), form)
    now = imported.mapping, imported.constants
    try:
        ask = partial(service.set_columns, imported, *now, reading=form.read_options)
        if base.try_transition(request, imported, ask):
            messages.success(request, _("Read again. Look at the columns once more."))
    except FileRefused as error:
        messages.error(request, _("It cannot be read that way: %(error)s") % {"error": translate_kept(str(error))})
    return redirect("mobjects:import-columns", imported.pk)


def _show(
    request: HttpRequest,
    imported: Import,
    form: ColumnsForm,
    reading: ReadOptionsForm,
    problems: Sequence[str] | None = None,
) -> HttpResponse:
    open_to_change = base.may_change(request, imported) and imported.state in OPEN and not imported.committed_to
    if problems is None and open_to_change and imported.headers and not form.is_bound:
        problems = service.column_problems(imported)
    if not open_to_change:
        for field in form.fields.values():
            field.disabled = True
    notes = _column_notes(form)
    return render_page(
        request,
        "imports/columns.html",
        _("Columns of import %(pk)s") % {"pk": imported.pk},
        crumbs=base.import_crumbs(imported),
        status=400 if form.errors or reading.errors or (form.is_bound and problems) else 200,
        **live_context(imported),
        form=form,
        seen=_shown_file(imported),
        rows=[(*row, notes.get(index, "")) for index, row in enumerate(form.column_rows())],
        reading=reading,
        kind_form=KindForm(imported, base.importable_kinds(request)),
        kind_open=open_to_change and imported.state != ImportState.REFUSED,
        problems=problems or (),
        open_to_change=open_to_change,
        checked=imported.state == ImportState.REVIEW,
        steps=words.wizard_steps(imported),
        twins=shown_same_file_imports(imported),
    )


def _shown_file(imported: Import) -> str:
    """Stands for what the columns are about: a page that was opened before another choice says nothing about these."""
    return fingerprint(json.dumps([imported.kind, imported.header_row, imported.headers]))


def _column_notes(form: ColumnsForm) -> dict[int, str]:
    """For columns that are not decided, or mean the same as another, what to do about it."""
    chosen: dict[str, list[int]] = defaultdict(list)
    notes = {}
    for index in range(len(form.imported.headers)):
        value = form[f"column-{index}"].value() or UNDECIDED
        if value == UNDECIDED:
            notes[index] = _("Choose what it means, or leave it out.")
        elif value != LEFT_OUT:
            chosen[value].append(index)
    for same in chosen.values():
        if len(same) > 1:
            notes |= {
                index: _("Columns %(columns)s mean the same; keep one.")
                % {"columns": join_each([get_column_letter(each + 1) for each in same])}
                for index in same
            }
    return notes
