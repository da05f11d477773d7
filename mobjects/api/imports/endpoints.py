"""The addresses of imports."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Body, File, Form, Path, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from mobjects.api.answers import describe_answers, require_right
from mobjects.api.bodies import require_valid
from mobjects.api.imports import schemas
from mobjects.api.paging import Id, next_address, read_page
from mobjects.api.problems import FieldProblem, Problem
from mobjects.api.repeats import OnceKey, make_once
from mobjects.audit.events import record_event
from mobjects.forms.imports import UploadForm, start_upload
from mobjects.imports import column_mapping, error_file, service
from mobjects.imports.lifecycle import InvalidState
from mobjects.kept_text import translate_kept
from mobjects.models import EventKind, Import, ImportSource, ImportState
from mobjects.resources import RESOURCES
from mobjects.spreadsheets.types import FileRefused, ReadOptions
from mobjects.views import exports
from mobjects.views.imports.base import importable_kinds, permission_name, user_of
from mobjects.views.imports.corrections import check_stamp

router = Router(tags=["imports"])

PROBLEMS = 1000
"""So many of the problems of a file, at most, are given."""
FILE = {
    "responses": {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
}


class UploadIn(Schema):
    """What is said with a file."""

    kind: Annotated[str, Field(description="What it holds; empty: its headers tell.")] = ""
    encoding: Annotated[str, Field(description="Of a CSV file; empty: find it out.")] = ""
    reason: Annotated[str, Field(description="Kept in the history.")] = ""


@router.get(
    "/imports", response=describe_answers(schemas.ImportListOut), summary="List imports", url_name="imports-list"
)
def list_imports(request: HttpRequest, query: Query[schemas.ImportQuery]) -> Any:
    require_right(request, "mobjects.view_import")
    found = Import.objects.all()
    found = found.filter(kind=query.kind) if query.kind else found
    found = found.filter(state=query.state) if query.state else found
    rows, after = read_page(found, query)
    return {"items": [schemas.show_import(each) for each in rows], "next": next_address(request, after)}


@router.post(
    "/imports",
    response=describe_answers(schemas.ImportOut, 413, status=201),
    summary="Upload a file; it is checked at once if its columns are clear",
    url_name="imports-new",
)
def start_import(
    request: HttpRequest,
    response: HttpResponse,
    file: File[UploadedFile],
    given: Form[UploadIn],
    idempotency_key: OnceKey = "",
) -> Any:
    require_right(request, "mobjects.view_import")
    kinds = importable_kinds(request)
    if given.kind in RESOURCES:
        require_right(request, permission_name("import", given.kind))
    elif not kinds:
        require_right(request, permission_name("import", next(iter(RESOURCES))))
    form = UploadForm(kinds, given.model_dump(), {"file": file})
    require_valid(form, given.model_dump())
    sent = [given.model_dump(), file.name, _digest(file) if idempotency_key else ""]

    def keep(store: Callable[[], Import]) -> Import:
        made, pk = make_once(request, response, idempotency_key, sent, store)
        return made or get_object_or_404(Import, pk=pk)

    try:
        imported = start_upload(form, kinds, user_of(request), ImportSource.API, keep)
    except FileRefused as error:
        raise _refuse_file(error, "/file") from error
    return Status(201, schemas.show_import(imported))


def _digest(file: UploadedFile) -> str:
    digest = sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest.hexdigest()


@router.get(
    "/imports/{pk}", response=describe_answers(schemas.ImportOut, 404), summary="Read an import", url_name="imports-one"
)
def read_import(request: HttpRequest, pk: Path[Id]) -> Any:
    return schemas.show_import(_find_import(request, pk))


@router.get(
    "/imports/{pk}/columns",
    response=describe_answers(schemas.ColumnsOut, 404),
    summary="Read what the columns mean",
    url_name="imports-columns",
)
def read_columns(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "view")
    return schemas.show_columns(imported, _column_names(imported))


@router.put(
    "/imports/{pk}/columns",
    response=describe_answers(schemas.ColumnsOut, 404, 409),
    summary="Say what the columns mean, and how the file is read",
    url_name="imports-columns-set",
)
def set_columns(request: HttpRequest, pk: Path[Id], sent: Body[schemas.ColumnsIn]) -> Any:
    imported = _find_import(request, pk, "view", "import")
    reading = None
    if sent.reading is not None:
        reading = ReadOptions(imported.format, **sent.reading.model_dump())
    elif len(sent.mapping) != len(imported.headers):
        said = _("The file has %(count)s columns; say for each what it means.") % {"count": len(imported.headers)}
        raise Problem(422, said, [FieldProblem("/mapping", said, sent.mapping)])
    _check_names(imported, sent)
    try:
        _ask(lambda: service.set_columns(imported, sent.mapping, sent.constants, reading, sent.blank_clears))
    except FileRefused as error:
        raise _refuse_file(error, "/reading") from error
    return schemas.show_columns(imported, _column_names(imported))


@router.post(
    "/imports/{pk}/check",
    response=describe_answers(schemas.ImportOut, 404, 409),
    summary="Have the file checked",
    url_name="imports-check",
)
def check_import(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "import")
    _ask(lambda: service.request_check(imported))
    record_event(EventKind.CHECKED_AGAIN, on=imported)
    return schemas.show_import(imported)


@router.get(
    "/imports/{pk}/problems",
    response=describe_answers(schemas.ImportProblemsOut, 404),
    summary="Read what the check found to be wrong",
    url_name="imports-problems",
)
def list_problems(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "view")
    items = [schemas.show_group(each) for each in imported.groups.all()[:PROBLEMS]]
    return {"items": items, "items_missing": schemas.explain_removal(imported)}


@router.post(
    "/imports/{pk}/write",
    response=describe_answers(schemas.ImportOut, 404, 409),
    summary="Have the rows written",
    url_name="imports-write",
)
def write_import(request: HttpRequest, pk: Path[Id], sent: Body[schemas.WriteIn]) -> Any:
    imported = _find_import(request, pk, "import")
    if imported.state == ImportState.REVIEW and sent.checked != check_stamp(imported):
        raise Problem(409, _("The file was checked again since. Look at the counts once more, and send what is new."))
    _ask(lambda: service.request_commit(imported, sent.mode, sent.overwrite, user_of(request)))
    _record_beginning(imported, "write")
    return schemas.show_import(imported)


@router.post(
    "/imports/{pk}/undo",
    response=describe_answers(schemas.ImportOut, 404, 409),
    summary="Have taken back what was written",
    url_name="imports-undo",
)
def undo_import(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "view", "import")
    _ask(lambda: service.request_undo(imported, user_of(request)))
    _record_beginning(imported, "undo")
    return schemas.show_import(imported)


@router.post(
    "/imports/{pk}/discard",
    response=describe_answers(schemas.ImportOut, 404, 409),
    summary="Put the import aside before anything is written",
    url_name="imports-discard",
)
def discard_import(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "import")
    _ask(lambda: service.discard_import(imported))
    return schemas.show_import(imported)


@router.get(
    "/imports/{pk}/errors",
    response=describe_answers(None, 404),
    openapi_extra=FILE,
    summary="Take out the rows that were not written, as a file to correct",
    url_name="imports-errors",
)
def read_error_file(request: HttpRequest, pk: Path[Id]) -> Any:
    imported = _find_import(request, pk, "view", "export")
    if imported.file_removed_at is not None or imported.rows_removed_at is not None:
        raise Problem(404, schemas.explain_removal(imported) or _("The file is not kept any more."))
    if not error_file.has_error_rows(imported):
        raise Http404
    return exports.import_errors(request, pk)


def _find_import(request: HttpRequest, pk: int, *actions: str) -> Import:
    """An import, for whoever may see it and do something with its kind. Raises Problem, Http404."""
    require_right(request, "mobjects.view_import")
    imported = Import.objects.filter(pk=pk).first()
    if imported is None:
        raise Http404
    for action in actions:
        require_right(request, permission_name(action, imported.kind))
    return imported


def _refuse_file(error: FileRefused, pointer: str) -> Problem:
    said = translate_kept(str(error))
    return Problem(422, said, [FieldProblem(pointer, said)])


def _ask(step: Callable[[], Any]) -> None:
    """Ask for a step. Raises Problem where the state does not allow it."""
    try:
        step()
    except InvalidState as error:
        raise Problem(409, translate_kept(str(error))) from error


def _record_beginning(imported: Import, what: str) -> None:
    """Keep that a step was asked for; that a rule holds it is an event already."""
    if imported.state != ImportState.HELD:
        record_event(EventKind.CHANGED, on=imported, detail={"what": what})


def _column_names(imported: Import) -> list[str]:
    return [name for name, _label, _group in column_mapping.column_choices(imported.kind) if name]


def _check_names(imported: Import, sent: schemas.ColumnsIn) -> None:
    known = {*_column_names(imported), "", None}
    said = _("There is no column “%(name)s” here.")
    wrong = [
        FieldProblem(f"/mapping/{place}", said % {"name": name}, name)
        for place, name in enumerate(sent.mapping)
        if name not in known
    ]
    wrong += [FieldProblem(f"/constants/{n}", said % {"name": n}, n) for n in sent.constants if n not in known]
    if wrong:
        raise Problem(422, _("What was sent cannot be done."), wrong)
