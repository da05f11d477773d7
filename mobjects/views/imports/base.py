"""What the pages of imports share: who may see and change what, kinds, and where a step's page is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from mobjects.imports.lifecycle import InvalidState
from mobjects.kept_text import translate_kept
from mobjects.models import Import, ImportState, Kind, SyncedRecord
from mobjects.models.imports import FILE_KINDS
from mobjects.resources import RESOURCES
from mobjects.views.base import Crumb, render_denied, say_not_done

P = ParamSpec("P")
ImportView = Callable[Concatenate[HttpRequest, Import, P], HttpResponseBase]
PkView = Callable[Concatenate[HttpRequest, int, P], HttpResponseBase]


def model_of(kind: str) -> type[Model]:
    """The model whose records a kind of file holds."""
    model: type[Model] = RESOURCES[kind]._meta.model
    return model


def owner_of(kind: str) -> Kind:
    """The kind of the records that are synced because of such a file: of costs and tags their programs."""
    model = model_of(kind)
    return model.KIND if issubclass(model, SyncedRecord) else Kind.PROGRAM


def permission_name(action: str, kind: str) -> str:
    """The name of a permission on the records of a kind, such as ``mobjects.import_program``."""
    return f"mobjects.{action}_{model_of(kind)._meta.model_name}"


def about_import(*, change: bool = False, rows: bool = False) -> Callable[[ImportView[P]], PkView[P]]:
    """Give a view the import that its address names, if the user may see it; else say what is missing.

    Args:
        change: the view does something to the import, which takes the permission to import its kind.
        rows: the view shows what stands in the file, which takes the permission to see such records.
    """

    def decorate(view: ImportView[P]) -> PkView[P]:
        @wraps(view)
        def guarded(request: HttpRequest, pk: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.has_perm("mobjects.view_import"):
                return render_denied(request, "mobjects.view_import")
            # A number too large for the column is no import; PostgreSQL would refuse to look for it.
            imported = get_object_or_404(Import, pk=pk if pk < 2**63 else 0)
            for action, asked in (("view", rows), ("import", change)):
                name = permission_name(action, imported.kind)
                if asked and not request.user.has_perm(name):
                    return render_denied(request, name)
            return view(request, imported, *args, **kwargs)

        return guarded  # type: ignore[return-value]  # Django gives parts of an address by name

    return decorate


def may_change(request: HttpRequest, imported: Import) -> bool:
    """Whether the user may import files of this kind."""
    return request.user.has_perm(permission_name("import", imported.kind))


def importable_kinds(request: HttpRequest) -> list[str]:
    """The kinds of files that the user may import, in the order of lists."""
    return [kind for kind, _ in FILE_KINDS if request.user.has_perm(permission_name("import", kind))]


def may_see_rows(request: HttpRequest, imported: Import) -> bool:
    """Whether the user may see what stands in files of this kind."""
    return request.user.has_perm(permission_name("view", imported.kind))


def may_export(request: HttpRequest, imported: Import) -> bool:
    """Whether the user may take records of this kind out: their values stand in uploaded files, too."""
    return request.user.has_perm(permission_name("export", imported.kind))


def user_of(request: HttpRequest) -> User | None:
    """Who asks, to be kept in the history."""
    return request.user if isinstance(request.user, User) else None


def import_crumbs(imported: Import | None = None) -> list[Crumb]:
    """The links back: to all imports, and to one of them."""
    above = [(_("Import history"), reverse("admin:mobjects_import_changelist"))]
    if imported is not None:
        above.append((_("Import %(pk)s") % {"pk": imported.pk}, reverse("mobjects:import", args=[imported.pk])))
    return above


STEP_PAGES = {
    ImportState.MAPPING: "import-columns",
    ImportState.CHECKING: "import-review",
    ImportState.REVIEW: "import-review",
}


def redirect_to_step(imported: Import) -> HttpResponse:
    """Lead to the page of the step at which an import is."""
    return redirect(f"mobjects:{STEP_PAGES.get(ImportState(imported.state), 'import')}", imported.pk)


def try_transition(request: HttpRequest, imported: Import, ask: Callable[[], Any]) -> bool:
    """Ask for a step; if the import's state does not allow it (a double click, somebody else), say why.

    Args:
        ask: does it, or raises :class:`InvalidState`.

    Returns:
        Whether it was done.
    """
    try:
        ask()
    except InvalidState as error:
        say_not_done(request, translate_kept(str(error)), imported)
        return False
    return True
