"""The period costs of programs as a grid: programs down, months across."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET
from unfold.widgets import UnfoldAdminTextInputWidget

from mobjects import timeline
from mobjects.db.edit_context import edit
from mobjects.forms.merging import fingerprint
from mobjects.forms.records.fields import MonthField
from mobjects.forms.records.grid_cells import EditedCell, GridColumn, build_cell_form, describe_errors
from mobjects.forms.records.programs import AMOUNT
from mobjects.marketo.value_parsing import parse_month, parse_value, quote_value
from mobjects.marketo.value_text import to_text
from mobjects.models import EditSource, Kind, Program, ProgramCost
from mobjects.views.base import press_only, render_denied, render_page
from mobjects.views.changelist_filters import read_filtered_page
from mobjects.views.grid.saving import ROWS, Answer, page_address, read_edits
from mobjects.views.lists.columns import kept_inputs

MONTHS = 24
"""So many stand side by side at most."""
NEEDED = ("mobjects.view_program", "mobjects.change_programcost")
"""Permissions, to see the page and to save."""
YEAR = 12

Costs = dict[date, list[ProgramCost]]


class MonthsForm(forms.Form):
    """From which month to which; without them the year that it is."""

    since = MonthField(label=gettext_lazy("From month"), widget=UnfoldAdminTextInputWidget(attrs={"size": 8}))
    until = MonthField(label=gettext_lazy("To month"), widget=UnfoldAdminTextInputWidget(attrs={"size": 8}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"since", "until"} <= set(cleaned) and not 1 <= _distance(cleaned["since"], cleaned["until"]) <= MONTHS:
            said = _("Give a month that is not before the first one, and at most %(months)s months in all.")
            self.add_error("until", said % {"months": MONTHS})
        return cleaned

    @property
    def months(self) -> list[date]:
        """The months that were chosen; the year that it is if they make no sense."""
        year = timezone.localdate().year
        first, last = date(year, 1, 1), date(year, YEAR, 1)
        if self.is_valid():
            first, last = self.cleaned_data["since"], self.cleaned_data["until"]
        return [_later(first, number) for number in range(_distance(first, last))]


def _distance(first: date, last: date) -> int:
    """How many months there are from one to another, both counted."""
    return (last.year - first.year) * YEAR + last.month - first.month + 1


def _later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, YEAR)
    return date(first.year + years, month + 1, 1)


@require_GET
def months_page(request: HttpRequest) -> HttpResponse:
    """The costs of the programs that a list shows, by month."""
    if lacking := find_lacking(request):
        return render_denied(request, lacking)
    query, kept = request.GET.copy(), kept_inputs(request, *MonthsForm.base_fields)
    given = {name: query.pop(name)[-1] for name in MonthsForm.base_fields if name in query}
    chosen = MonthsForm(given or None)
    months = chosen.months
    if not chosen.is_bound:
        chosen = MonthsForm(initial={"since": months[0], "until": months[-1]})
    address = request.GET
    request.GET = query  # type: ignore[assignment]  # what follows reads it, and nothing writes it
    found = read_filtered_page(request, Program, ROWS)
    page = found.page
    costs = _costs_of([program.pk for program in page.rows], months)
    columns = [GridColumn(f"{month:%Y-%m}", f"{month:%Y-%m}", forms.CharField(), (), "") for month in months]
    changelist = reverse("admin:mobjects_program_changelist")
    return render_page(
        request,
        "grid/page.html",
        _("Period costs by month"),
        crumbs=((_("Programs"), f"{changelist}?{found.query}" if found.query else changelist),),
        plural=str(Program._meta.verbose_name_plural),
        narrowed=found.description,
        page=page,
        places={name: page_address(address, where) for name, where in page.places.items()},
        columns=columns,
        rows=[_row(program, costs[program.pk], months, columns) for program in page.rows],
        save=reverse("mobjects:grid-months-save"),
        limit=ROWS,
        months=chosen,
        kept=kept,
    )


def _costs_of(programs: list[int], months: list[date]) -> defaultdict[int, Costs]:
    found: defaultdict[int, Costs] = defaultdict(dict)
    for cost in ProgramCost.objects.filter(program__in=programs, month__in=months).order_by("pk"):
        found[cost.program_id].setdefault(cost.month, []).append(cost)
    return found


def _row(program: Program, costs: Costs, months: list[date], columns: list[GridColumn]) -> dict[str, Any]:
    return {
        "pk": program.pk,
        "label": str(program),
        "marketo_id": program.marketo_id,
        "address": reverse("admin:mobjects_program_change", args=[program.pk]),
        "cells": [
            (column, _text(found), _lock(found), _hold(found))
            for column, found in zip(columns, (costs.get(month, []) for month in months), strict=True)
        ],
    }


def _text(costs: list[ProgramCost]) -> str:
    return to_text(sum(cost.amount for cost in costs)) if costs else ""


def _lock(costs: list[ProgramCost]) -> str:
    """Why a cell cannot be edited here; "" if it can."""
    if len(costs) < 2:  # a month with several
        return ""
    return ngettext("%(count)s cost", "%(count)s costs", len(costs)) % {"count": len(costs)}


def _more_than_amount(costs: list[ProgramCost]) -> list[tuple[str, Any]]:
    """What a cell's cost holds that a grid does not show, with what that is called."""
    fields: list[Any] = [ProgramCost._meta.get_field(name) for name in ("note", "marketo_cost_id")]
    held = [(field.verbose_name, getattr(cost, field.attname)) for cost in costs for field in fields]
    return [(name, value) for name, value in held if value]


def _hold(costs: list[ProgramCost]) -> str:
    """Stands for what goes with a cell's cost when that is removed; "" if nothing does."""
    held = _more_than_amount(costs)
    return fingerprint("\n".join(str(value) for _name, value in held)) if held else ""


def find_lacking(request: HttpRequest) -> str:
    """A permission without which nobody edits the costs of programs, and that somebody lacks; "" if none."""
    return next((name for name in NEEDED if not request.user.has_perm(name)), "")


@press_only("mobjects:grid-months")
def months_save(request: HttpRequest) -> HttpResponse:
    """Save the amounts that were sent; the answer says of each program what became of it."""
    if find_lacking(request):
        return JsonResponse({"problem": _("You may not edit these records.")}, status=403)
    try:
        edits = read_edits(request.body)
        by_month = {pk: {parse_month(name): cell for name, cell in cells.items()} for pk, cells in edits.items()}
    except ValueError as error:
        return JsonResponse({"problem": str(error)}, status=400)
    return JsonResponse({"records": [_save_program(request, pk, by_month[pk]) for pk in sorted(by_month)]})


def _save_program(request: HttpRequest, pk: int, cells: Mapping[date, EditedCell]) -> Answer:
    """Save the costs of a program, all or none of them."""
    errors: dict[str, str] = {}
    clashes: list[Answer] = []
    with edit(EditSource.GRID, request.user):
        program = Program._base_manager.select_for_update(of=("self",)).filter(pk=pk).first()
        if program is None:
            return {"id": pk, "outcome": "gone", "errors": {"": _("This record is not here any more.")}}
        kept = _costs_of([pk], list(cells))[pk]
        before = transaction.savepoint()
        for month, cell in cells.items():
            name, costs = f"{month:%Y-%m}", kept.get(month, [])
            if _is_clash(cell, costs):
                clashes.append(_describe_clash(pk, name, costs))
            elif problem := _write(request, program, month, costs, cell.typed):
                errors[name] = problem
        if not errors and not clashes:
            transaction.savepoint_commit(before)
            after = _costs_of([pk], list(cells))[pk]
            shown = {f"{month:%Y-%m}": _text(after.get(month, [])) for month in cells}
            return {"id": pk, "outcome": "saved", "cells": shown}
        transaction.savepoint_rollback(before)
    return {"id": pk, "outcome": "conflict" if clashes else "refused", "errors": errors, "clashes": clashes}


def _is_clash(cell: EditedCell, costs: list[ProgramCost]) -> bool:
    """Whether a cost is another one than the person saw, and would be lost."""
    if _lock(costs):
        return False
    opened, now, typed = map(_read_amount, (cell.opened, _text(costs), cell.typed))
    removed_unseen = bool(costs) and typed is None and _hold(costs) not in ("", cell.held)
    return removed_unseen or opened != now != typed


def _read_amount(text: str) -> Any:
    """What an amount is compared as: ``10`` is ``10.00``; what is no amount as it is."""
    try:
        return parse_value(text, AMOUNT)
    except ValueError:
        return text


def _describe_clash(pk: int, name: str, costs: list[ProgramCost]) -> Answer:
    author = timeline.last_author(Kind.PROGRAM, pk, costs[0].content_key) if costs else ""
    now, held = _text(costs), _more_than_amount(costs)
    more = ", ".join(f"{name} {quote_value(value)}" for name, value in held)
    words = f"{now} ({more})" if more else now
    return {"name": name, "label": name, "now": now, "words": words, "held": _hold(costs), "author": author}


def _write(request: HttpRequest, program: Program, month: date, costs: list[ProgramCost], typed: str) -> str:
    """Make a month's cost what was typed; gives what is wrong, in words."""
    typed = typed.strip()
    if _lock(costs):
        return _("This month has several costs; edit them on the program's page.")
    if not costs and not typed:
        return ""
    action = "change" if costs and typed else "delete" if costs else "add"
    if not request.user.has_perm(f"mobjects.{action}_programcost"):
        return _("You may not add or remove costs.")
    model_admin: Any = admin.site.get_model_admin(ProgramCost)
    cost = costs[0] if costs else ProgramCost(program=program, month=month)
    if not typed:
        model_admin.log_deletions(request, [cost])
        cost.delete()
        return ""
    form_class = model_admin.get_form(request, cost, change=bool(costs))
    form, problems = build_cell_form(form_class, cost, {"amount": EditedCell(_text(costs), typed)})
    if not form.is_valid() or problems:
        return " ".join(describe_errors(form, problems).values())
    if form.changed_data:
        saved = form.save()
        said = model_admin.construct_change_message(request, form, [])
        (model_admin.log_change if costs else model_admin.log_addition)(request, saved, said)
    return ""
