"""The first page of an import: a file, or text pasted from a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects.forms.imports import UploadForm, start_upload
from mobjects.kept_text import translate_kept
from mobjects.models import Import, ImportSource
from mobjects.resources import RESOURCES
from mobjects.spreadsheets.types import FileRefused
from mobjects.views.base import render_denied, render_page, require_permission
from mobjects.views.imports.base import (
    import_crumbs,
    importable_kinds,
    model_of,
    permission_name,
    redirect_to_step,
    user_of,
)
from mobjects.views.pressed_once import MadeBeforeError, lead_to_made, make_once
from mobjects.views.uploads import takes_upload


@takes_upload(*(permission_name("import", kind) for kind in RESOURCES))
@require_http_methods(["GET", "POST"])
@require_permission("mobjects.view_import")
def import_new(request: HttpRequest) -> HttpResponse:
    """Ask for a file; keep it and go to the page of its next step."""
    kinds = importable_kinds(request)
    asked = request.POST.get("kind") or request.GET.get("kind", "")
    if not kinds or (asked in RESOURCES and asked not in kinds):
        return render_denied(
            request, permission_name("import", asked) if asked in RESOURCES else "mobjects.import_records"
        )
    if request.method == "GET":
        return _show(request, UploadForm(kinds, initial={"kind": asked}), asked)
    form = UploadForm(kinds, request.POST, request.FILES)
    if form.is_valid():
        try:
            return redirect_to_step(
                start_upload(form, kinds, user_of(request), ImportSource.ADMIN, _keep_once(request))
            )
        except MadeBeforeError:
            return lead_to_made(request)
        except FileRefused as error:
            form.add_error("pasted" if not form.cleaned_data["file"] else "file", translate_kept(str(error)))
    return _show(request, form, asked)


def _keep_once(request: HttpRequest) -> Callable[[Callable[[], Import]], Import]:
    """Stores an import unless the same press has stored one; only that is done while other presses wait."""

    def keep(store: Callable[[], Import]) -> Import:
        imported = make_once(request, store, lambda made: reverse("mobjects:import", args=[made.pk]))
        if imported is None:
            raise MadeBeforeError
        return imported

    return keep


def _show(request: HttpRequest, form: UploadForm, kind: str) -> HttpResponse:
    cancel = "admin:mobjects_import_changelist"
    if kind in RESOURCES:
        cancel = f"admin:mobjects_{model_of(kind)._meta.model_name}_changelist"
    kinds = [(each, name) for each, name in form.fields["kind"].choices if each]  # type: ignore[attr-defined]
    return render_page(
        request,
        "imports/upload.html",
        _("Import a file"),
        crumbs=import_crumbs(),
        status=400 if form.errors else 200,
        form=form,
        kinds=kinds,
        columns=[(name, RESOURCES[each]().columns) for each, name in kinds],
        cancel=reverse(cancel),
    )
