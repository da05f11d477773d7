"""Files to take out: exports, error files, uploaded files and blank templates."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, closing
from datetime import tzinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from mobjects.audit.events import current_token
from mobjects.exports import service
from mobjects.exports.blank_templates import build_template
from mobjects.exports.formats import BY_EXTENSION, FORMATS, ExportFormat, XlsxFormat
from mobjects.forms.records.custom_fields import CUSTOM
from mobjects.imports import error_file, file_storage
from mobjects.kept_text import translate_kept
from mobjects.models import DownloadContent, Import, ImportSource
from mobjects.resources import RESOURCES
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import CustomColumn, FileColumn
from mobjects.spreadsheets.xlsx_writer import MAX_SHEET_ROWS
from mobjects.views.base import render_denied, render_page
from mobjects.views.changelist_filters import FilteredList, get_filtered_list
from mobjects.views.imports.base import about_import, may_export, model_of, permission_name
from mobjects.views.keyset import COLUMNS
from mobjects.views.lists.chips import without
from mobjects.views.lists.columns import column_name

UNFRAMED = ("HTTP/0.9", "HTTP/1.0")
"""Here the end of the connection is the end of an answer without a length: one that breaks off would look whole."""


TICK = "tick"
"""The parameter of an address: which columns are ticked, ``all`` or those ``shown`` in the list."""


class ExportForm(forms.Form):
    """Format and columns of an export. The key columns are always in it and are not asked for.

    Args:
        ticked: names of columns; ``None`` means all.
    """

    format = forms.ChoiceField(
        choices=[(each.extension, each.title) for each in FORMATS],
        initial=FORMATS[0].extension,
        widget=forms.RadioSelect,
    )
    columns = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, resource: TransferResource, ticked: Collection[str] | None, *args: Any) -> None:
        super().__init__(*args)
        names = [column.name for column in resource.export_columns() if column.name not in resource.key_names]
        field = self.fields["columns"]
        field.choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # of this class
        field.initial = names if ticked is None else [name for name in names if name in ticked]


@require_http_methods(["GET", "POST"])
def export_page(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Ask for format and columns; give what the list with the same query shows."""
    if kind not in RESOURCES:
        raise Http404
    if not request.user.has_perm(permission_name("export", kind)):
        return render_denied(request, permission_name("export", kind))
    resource, address = RESOURCES[kind](), request.GET
    tick = address.get(TICK, "shown" if COLUMNS in address else "all")
    request.GET = without(address, TICK)  # type: ignore[assignment]  # what follows reads it, and nothing writes it
    ticked = _shown_columns(request, kind, resource) if tick == "shown" else None
    found = get_filtered_list(request, model_of(kind))
    form = ExportForm(resource, ticked, request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        file_format = BY_EXTENSION[given["format"]]()
        try:
            return send_export(
                request, kind, found.queryset, file_format, chosen=given["columns"], filters=found.description
            )
        except ValueError as error:
            form.add_error("format", translate_kept(str(error)))
    other = without(address, TICK)
    other[TICK] = "shown" if ticked is None else "all"
    return _render_export(request, kind, form, found, resource, other)


def _shown_columns(request: HttpRequest, kind: str, resource: TransferResource) -> list[str]:
    """Names of the columns of a file that the list shows under the request's address."""
    model_admin = admin.site.get_model_admin(model_of(kind))
    shown = {column_name(each).removesuffix("_text") for each in model_admin.get_list_display(request)}
    return [column.name for column in resource.columns if _list_name(column) in shown]


def _list_name(column: FileColumn) -> str:
    return f"{CUSTOM}{column.name}" if isinstance(column, CustomColumn) else column.field


def _render_export(
    request: HttpRequest, kind: str, form: ExportForm, found: FilteredList, resource: TransferResource, other: QueryDict
) -> HttpResponse:
    options = model_of(kind)._meta
    plural = str(options.verbose_name_plural)
    listing = reverse(f"admin:mobjects_{options.model_name}_changelist")
    query = f"?{found.query}" if found.query else ""
    return render_page(
        request,
        "exports/page.html",
        _("Export %(plural)s") % {"plural": plural},
        crumbs=((plural.capitalize(), listing + query),),
        status=400 if form.errors else 200,
        form=form,
        kind=kind,
        found=found,
        keys=[column.name for column in resource.columns if column.name in resource.key_names],
        plural=plural,
        address=reverse("mobjects:export", args=[kind]) + query,
        cancel=listing + query,
        other=f"?{other.urlencode()}",
        ticks=other[TICK],
        sheets=found.count >= MAX_SHEET_ROWS,
    )


def send_export(
    request: HttpRequest,
    kind: str,
    queryset: QuerySet[Any],
    file_format: ExportFormat,
    *,
    chosen: Collection[str] | None = None,
    filters: str = "",
) -> HttpResponseBase:
    """The answer that streams an export.

    Raises:
        ValueError: see :func:`mobjects.exports.service.export_records`.
    """
    made = service.export_records(
        kind, queryset, file_format, _get_download_user(request), chosen=chosen, filters=filters
    )
    name = f"{kind}-{timezone.localdate():%Y-%m-%d}.{file_format.extension}"
    return _attachment(_stream(request, made.pieces), name, file_format.content_type)


def send_selected(
    request: HttpRequest, model: type[Model], queryset: QuerySet[Any], file_format: ExportFormat
) -> HttpResponseBase:
    """The answer to an action of a list. Raises ValueError as :func:`send_export`."""
    kind = next(kind for kind in RESOURCES if model_of(kind) is model)
    if request.POST.get("select_across") == "1":
        words = get_filtered_list(request, model).description
    else:
        words = _("%(count)s selected") % {"count": len(request.POST.getlist("_selected_action"))}
    return send_export(request, kind, queryset, file_format, filters=words)


@require_GET
@about_import(rows=True)
def import_original(request: HttpRequest, imported: Import) -> HttpResponseBase:
    """The file as it was uploaded, byte for byte."""
    if not may_export(request, imported):
        return render_denied(request, permission_name("export", imported.kind))
    if imported.file_removed_at is not None:
        return _say_not_kept(request, imported)
    rows = service.CountedRows[None](())
    rows.count = imported.rows
    pieces = service.download_import_file(
        DownloadContent.ORIGINAL, imported, _get_download_user(request), file_storage.iter_file_pieces(imported), rows
    )
    response = _attachment(StreamingHttpResponse(pieces), imported.file_name, "application/octet-stream")
    response["Content-Length"] = str(imported.size)
    return response


def _say_not_kept(request: HttpRequest, imported: Import) -> HttpResponse:
    messages.warning(request, _("The file is not kept any more."))
    return redirect("mobjects:import", imported.pk)


@require_GET
@about_import(rows=True)
def import_errors(request: HttpRequest, imported: Import) -> HttpResponseBase:
    """The uploaded file with the rows that were not imported, and why."""
    if not may_export(request, imported):
        return render_denied(request, permission_name("export", imported.kind))
    if imported.file_removed_at is not None or imported.rows_removed_at is not None:
        return _say_not_kept(request, imported)
    if not error_file.has_error_rows(imported):
        raise Http404
    rows = service.CountedRows(error_file.iter_error_rows(imported))
    file = error_file.iter_error_file(imported, rows)
    pieces = service.download_import_file(DownloadContent.ERRORS, imported, _get_download_user(request), file, rows)
    stem = re.sub(r"\.[A-Za-z]{1,5}\Z", "", imported.file_name)
    name = f"{stem} - problems of import {imported.pk}.{error_file.error_file_extension(imported)}"
    return _attachment(_stream(request, pieces), name, "application/octet-stream")


@require_GET
def import_template(request: HttpRequest, kind: str, extension: str) -> HttpResponseBase:
    """A file with the headers and no rows."""
    if kind not in RESOURCES or extension not in ("csv", XlsxFormat.extension):
        raise Http404
    if not request.user.has_perm(permission_name("import", kind)):
        return render_denied(request, permission_name("import", kind))
    file_format = BY_EXTENSION[extension]()
    data = build_template(RESOURCES[kind](), extension)
    return FileResponse(
        data, as_attachment=True, filename=f"{kind}-template.{extension}", content_type=file_format.content_type
    )


def send_file(
    request: HttpRequest,
    pieces_for: Callable[[service.DownloadUser], Generator[bytes, None, None]],
    name: str,
    content_type: str,
) -> HttpResponseBase:
    """The answer that streams a file.

    Args:
        pieces_for: writes down who takes the file, and gives it piece by piece.
        name: of the file.
        content_type: of HTTP.
    """
    return _attachment(_stream(request, pieces_for(_get_download_user(request))), name, content_type)


def _get_download_user(request: HttpRequest) -> service.DownloadUser:
    source = ImportSource.API if current_token() else ImportSource.ADMIN
    return service.DownloadUser(request.user.get_username(), request.user, source)  # type: ignore[arg-type]


def _attachment(response: StreamingHttpResponse, name: str, content_type: str) -> StreamingHttpResponse:
    response["Content-Type"] = content_type
    safe = re.sub(r'[\x00-\x1f\x7f"/\\]', "_", name)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=safe) or "attachment"
    # A proxy that collects the answer would keep the reader waiting, and the file in its memory.
    response["X-Accel-Buffering"] = "no"
    return response


def _stream(request: HttpRequest, pieces: Generator[bytes, None, None]) -> StreamingHttpResponse:
    """An answer of unknown length that cannot break off unnoticed."""
    if request.META.get("SERVER_PROTOCOL") in UNFRAMED:
        return _with_length(pieces)
    return StreamingHttpResponse(_as_reader(pieces, translation.get_language(), timezone.get_current_timezone()))


def _as_reader(
    pieces: Generator[bytes, None, None], language: str | None, zone: tzinfo
) -> Generator[bytes, None, None]:
    """Make each piece in the language and the zone of the reader, which the request has left when it is sent."""
    with closing(pieces):
        while True:
            with translation.override(language), timezone.override(zone):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece


def _with_length(pieces: Generator[bytes, None, None]) -> FileResponse:
    """An answer that says its length: the file is made as a whole before its first byte is sent."""
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        with closing(pieces):
            file.writelines(pieces)
        file.seek(0)
        stack.pop_all()  # The answer closes it.
        return FileResponse(file)
