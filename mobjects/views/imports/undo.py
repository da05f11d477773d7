"""What undoing an import would do, and "Undo"."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from mobjects.imports import service
from mobjects.imports.writing import undo
from mobjects.models import Import
from mobjects.presentation import import_text as words
from mobjects.views.base import page, paged
from mobjects.views.imports.base import about_import, attempt, crumbs, owner_of, user_of
from mobjects.views.imports.detail import undoable

PER_PAGE = 50


class LeftAlone:
    """The records that an undo would leave alone, to be paged through; only those of a page are read."""

    def __init__(self, preview: undo.UndoPreview) -> None:
        self.preview = preview

    def __len__(self) -> int:
        return self.preview.left

    def __getitem__(self, part: slice) -> list[undo.LeftAlone]:
        return self.preview.left_alone(part.start, part.stop - part.start)


@require_http_methods(["GET", "POST"])
@about_import(change=True, rows=True)
def undo_page(request: HttpRequest, imported: Import) -> HttpResponse:
    """Show what would be restored, removed and left alone; on "Undo", do it."""
    if request.method == "POST":
        attempt(request, imported, lambda: service.request_undo(imported, user_of(request)))
        return redirect("mobjects:import", imported.pk)
    if not undoable(imported):
        messages.info(request, f"There is nothing to undo. {words.sentence(imported)}")
        return redirect("mobjects:import", imported.pk)
    preview = undo.preview(imported)
    left = paged(request, LeftAlone(preview), PER_PAGE)
    return page(
        request,
        "import/undo.html",
        f"Undo import {imported.pk}",
        crumbs=crumbs(imported),
        imported=imported,
        preview=preview,
        left=left,
        owner_kind=owner_of(imported.kind).value,
    )
