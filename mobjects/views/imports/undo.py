"""What undoing an import would do, and "Undo"."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects.imports import service
from mobjects.imports.writing import undo
from mobjects.models import Import
from mobjects.presentation import import_text as words
from mobjects.views.base import paginate_rows, render_page
from mobjects.views.imports.base import about_import, import_crumbs, owner_of, try_transition, user_of
from mobjects.views.imports.detail import can_undo

PER_PAGE = 50


class SkippedRecordList:
    """The records that an undo would leave alone, to be paged through; only those of a page are read."""

    def __init__(self, preview: undo.UndoPreview) -> None:
        self.preview = preview

    def __len__(self) -> int:
        return self.preview.left

    def __getitem__(self, part: slice) -> list[undo.SkippedRecord]:
        return self.preview.skipped_records(part.start, part.stop - part.start)


@require_http_methods(["GET", "POST"])
@about_import(change=True, rows=True)
def import_undo(request: HttpRequest, imported: Import) -> HttpResponse:
    """Show what would be restored, removed and left alone; on "Undo", do it."""
    if request.method == "POST":
        try_transition(request, imported, lambda: service.request_undo(imported, user_of(request)))
        return redirect("mobjects:import", imported.pk)
    if not can_undo(imported):
        messages.info(request, _("There is nothing to undo. %(state)s") % {"state": words.describe_import(imported)})
        return redirect("mobjects:import", imported.pk)
    preview = undo.preview_undo(imported)
    left = paginate_rows(request, SkippedRecordList(preview), PER_PAGE)
    return render_page(
        request,
        "imports/undo.html",
        _("Undo import %(pk)s") % {"pk": imported.pk},
        crumbs=import_crumbs(imported),
        imported=imported,
        preview=preview,
        left=left,
        owner_kind=owner_of(imported.kind).value,
    )
