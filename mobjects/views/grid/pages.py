"""The grid: a page of a list's records as cells, and the address that saves what was typed into them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.forms.merging import MergingForm
from mobjects.forms.records.grid_cells import list_columns, show_cells
from mobjects.models import RECORD_MODELS, AllowedValues, Kind, SyncedRecord
from mobjects.views.base import press_only, render_denied, render_page
from mobjects.views.changelist_filters import read_filtered_page
from mobjects.views.grid.months import find_lacking
from mobjects.views.grid.saving import ROWS, CellSaver, page_address, read_edits

MODELS: dict[str, type[SyncedRecord]] = {str(model._meta.model_name): model for model in RECORD_MODELS.values()}
"""What can be edited in a grid, by the names of models as addresses have them."""


@require_GET
def grid_page(request: HttpRequest, model_name: str) -> HttpResponse:
    """The records of a list under its search, filters and order, as cells."""
    model = _model_or_404(model_name)
    if not request.user.has_perm(_change(model)):
        return render_denied(request, _change(model))
    address = request.GET
    found = read_filtered_page(request, model, ROWS)
    page = found.page
    form_class = _form_class(request, model)
    columns = list_columns(form_class)
    changelist = reverse(f"admin:mobjects_{model_name}_changelist")
    plural = str(model._meta.verbose_name_plural)
    return render_page(
        request,
        "grid/page.html",
        _("Edit in a grid: %(plural)s") % {"plural": plural},
        crumbs=((plural.capitalize(), f"{changelist}?{found.query}" if found.query else changelist),),
        plural=plural,
        narrowed=found.description,
        page=page,
        places={name: page_address(address, where) for name, where in page.places.items()},
        columns=columns,
        rows=[_row(model_name, form_class, columns, record) for record in page.rows],
        save=reverse("mobjects:grid-save", args=[model_name]),
        allowed=AllowedValues() if model.KIND is Kind.PROGRAM else None,
        limit=ROWS,
        months_address=_months_address(request, model, found.query),
    )


def _months_address(request: HttpRequest, model: type[SyncedRecord], query: str) -> str:
    """Where the costs of these programs stand by month; "" where there are none, or for who may not edit them."""
    if model.KIND is not Kind.PROGRAM or find_lacking(request):
        return ""
    return f"{reverse('mobjects:grid-months')}?{query}"


def _row(model_name: str, form_class: type[MergingForm], columns: Any, record: Any) -> dict[str, Any]:
    texts = show_cells(form_class, record)
    return {
        "pk": record.pk,
        "label": str(record),
        "marketo_id": record.marketo_id or "",
        "address": reverse(f"admin:mobjects_{model_name}_change", args=[record.pk]),
        "cells": [(column, texts[column.name], "", "") for column in columns],
    }


@press_only("mobjects:grid")
def grid_save(request: HttpRequest, model_name: str) -> HttpResponse:
    """Save the cells that were sent; the answer says of each record what became of it."""
    model = _model_or_404(model_name)
    if not request.user.has_perm(_change(model)):
        return JsonResponse({"problem": _("You may not edit these records.")}, status=403)
    try:
        edits = read_edits(request.body)
    except ValueError as error:
        return JsonResponse({"problem": str(error)}, status=400)
    saver = CellSaver(request, model, _form_class(request, model))
    return JsonResponse({"records": saver.save_all(edits)})


def _form_class(request: HttpRequest, model: type[SyncedRecord]) -> type[MergingForm]:
    """The form of an existing record, as the person has it."""
    model_admin: Any = admin.site.get_model_admin(model)
    made: type[MergingForm] = model_admin.get_form(request, model(), change=True)
    return made


def _model_or_404(name: str) -> type[SyncedRecord]:
    if name not in MODELS:
        raise Http404
    return MODELS[name]


def _change(model: type[SyncedRecord]) -> str:
    """The permission to edit records of a model."""
    return f"mobjects.change_{model._meta.model_name}"
