"""What undoing an import would do, and "Undo"."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from mobjects.imports import service
from mobjects.imports.writing import undo
from mobjects.models import Import
from mobjects.presentation import import_text as words
from mobjects.views.base import paginate_rows, render_page
from mobjects.views.imports.base import about_import, import_crumbs, owner_of, try_transition, user_of
from mobjects.views.imports.detail import can_undo

PER_PAGE = 50
FIGURES = {
    "restored": gettext_lazy("Would be restored"),
    "removed": gettext_lazy("Would be removed"),
    "left": gettext_lazy("Would be left alone"),
}
"""What a preview counts, in words."""


class ForeseenUndoList:
    """The records that a figure of an undo's preview counts, to be paged through; only those of a page are read."""

    def __init__(self, preview: undo.UndoPreview, which: str) -> None:
        self.preview, self.which = preview, which

    def __len__(self) -> int:
        return int(getattr(self.preview, self.which))

    def __getitem__(self, part: slice) -> list[undo.ForeseenUndo]:
        return self.preview.list_records(self.which, part.start, part.stop - part.start)


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
    asked = request.GET.get("show", "")
    which = (
        asked
        if asked in undo.WHICH
        else next((name for name in reversed(undo.WHICH) if getattr(preview, name)), "left")
    )
    return render_page(
        request,
        "imports/undo.html",
        _("Undo import %(pk)s") % {"pk": imported.pk},
        crumbs=import_crumbs(imported),
        imported=imported,
        preview=preview,
        which=which,
        figures=[(name, words, getattr(preview, name)) for name, words in FIGURES.items()],
        records=paginate_rows(request, ForeseenUndoList(preview, which), PER_PAGE),
        owner_kind=owner_of(imported.kind).value,
    )
