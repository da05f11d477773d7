"""Files to take out: exports, error files, uploaded files and blank templates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from mobjects.exports import service
from mobjects.exports.blank_templates import template
from mobjects.imports import error_file, file_storage
from mobjects.models import DownloadContent, Import, ImportSource
from mobjects.resources import BY_EXTENSION, FORMATS, RESOURCES, TableFormat, TransferResource, XlsxFormat
from mobjects.spreadsheets.xlsx_writer import MOST_ROWS
from mobjects.views.base import denied, page
from mobjects.views.changelist_filters import Narrowed, narrowed
from mobjects.views.imports.base import about_import, model_of, permission


class ExportForm(forms.Form):
    """Format and columns of an export. The key columns are always in it and are not asked for."""

    format = forms.ChoiceField(
        choices=[(each.extension, each.title) for each in FORMATS],
        initial=FORMATS[0].extension,
        widget=forms.RadioSelect,
    )
    columns = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, resource: TransferResource, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [column.name for column in resource.export_columns() if column.name not in resource.key_names]
        field = self.fields["columns"]
        field.choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # of this class
        field.initial = names


@require_http_methods(["GET", "POST"])
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Ask for format and columns; give what the list with the same query shows."""
    if kind not in RESOURCES:
        raise Http404
    if not request.user.has_perm(permission("export", kind)):
        return denied(request, permission("export", kind))
    found, resource = narrowed(request, model_of(kind)), RESOURCES[kind]()
    form = ExportForm(resource, request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        file_format = BY_EXTENSION[given["format"]]()
        try:
            return send(request, kind, found.queryset, file_format, chosen=given["columns"], filters=found.words)
        except ValueError as error:
            form.add_error("format", str(error))
    return _ask(request, kind, form, found, resource)


def _ask(
    request: HttpRequest, kind: str, form: ExportForm, found: Narrowed, resource: TransferResource
) -> HttpResponse:
    options = model_of(kind)._meta
    plural = str(options.verbose_name_plural)
    listing = reverse(f"admin:mobjects_{options.model_name}_changelist")
    query = f"?{found.query}" if found.query else ""
    return page(
        request,
        "export/page.html",
        f"Export {plural}",
        crumbs=((plural.capitalize(), listing + query),),
        status=400 if form.errors else 200,
        form=form,
        kind=kind,
        found=found,
        keys=[column.name for column in resource.columns if column.name in resource.key_names],
        plural=plural,
        address=reverse("mobjects:export", args=[kind]) + query,
        cancel=listing + query,
        sheets=found.count >= MOST_ROWS,
    )


def send(
    request: HttpRequest,
    kind: str,
    queryset: QuerySet[Any],
    file_format: TableFormat,
    *,
    chosen: Collection[str] | None = None,
    filters: str = "",
) -> HttpResponseBase:
    """The answer that streams an export.

    Raises:
        ValueError: see :func:`mobjects.exports.service.export`.
    """
    made = service.export(kind, queryset, file_format, _taker(request), chosen=chosen, filters=filters)
    name = f"{kind}-{timezone.localdate():%Y-%m-%d}.{file_format.extension}"
    return _attachment(made.pieces, name, file_format.content_type)


def send_selected(
    request: HttpRequest, model: type[Model], queryset: QuerySet[Any], file_format: TableFormat
) -> HttpResponseBase:
    """The answer to an action of a list. Raises ValueError as :func:`send`."""
    kind = next(kind for kind in RESOURCES if model_of(kind) is model)
    if request.POST.get("select_across") == "1":
        words = narrowed(request, model).words
    else:
        words = f"{len(request.POST.getlist('_selected_action')):,} selected"
    return send(request, kind, queryset, file_format, filters=words)


@require_GET
@about_import(rows=True)
def original(request: HttpRequest, imported: Import) -> HttpResponseBase:
    """The file as it was uploaded, byte for byte."""
    rows = service.Counted[None](())
    rows.count = imported.rows
    pieces = service.of_import(DownloadContent.ORIGINAL, imported, _taker(request), file_storage.pieces(imported), rows)
    response = _attachment(pieces, imported.file_name, "application/octet-stream")
    response["Content-Length"] = str(imported.size)
    return response


@require_GET
@about_import(rows=True)
def import_errors(request: HttpRequest, imported: Import) -> HttpResponseBase:
    """The uploaded file with the rows that were not imported, and why."""
    if not error_file.is_there(imported):
        raise Http404
    rows = service.Counted(error_file.rows(imported))
    file = error_file.pieces(imported, rows)
    pieces = service.of_import(DownloadContent.ERRORS, imported, _taker(request), file, rows)
    stem = re.sub(r"\.[A-Za-z]{1,5}\Z", "", imported.file_name)
    name = f"{stem} - problems of import {imported.pk}.{error_file.extension(imported)}"
    return _attachment(pieces, name, "application/octet-stream")


@require_GET
def import_template(request: HttpRequest, kind: str, extension: str) -> HttpResponseBase:
    """A file with the headers and no rows."""
    if kind not in RESOURCES or extension not in ("csv", XlsxFormat.extension):
        raise Http404
    if not request.user.has_perm(permission("import", kind)):
        return denied(request, permission("import", kind))
    file_format = BY_EXTENSION[extension]()
    data = template(RESOURCES[kind](), extension)
    return FileResponse(
        data, as_attachment=True, filename=f"{kind}-template.{extension}", content_type=file_format.content_type
    )


def _taker(request: HttpRequest) -> service.Taker:
    return service.Taker(request.user.get_username(), request.user, ImportSource.ADMIN)  # type: ignore[arg-type]


def _attachment(pieces: Iterable[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=content_type)
    safe = re.sub(r'[\x00-\x1f\x7f"/\\]', "_", name)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=safe) or "attachment"
    # A proxy that collects the answer would keep the reader waiting, and the file in its memory.
    response["X-Accel-Buffering"] = "no"
    return response
