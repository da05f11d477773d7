"""Writing records: under their lock, against what the writer has seen, and with who it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects.api.answers import log_in_admin, require_right
from mobjects.api.problems import FieldProblem, Problem
from mobjects.api.records.forms import build_form, find_problems, find_unknown
from mobjects.api.records.kinds import RecordKind, id_fields
from mobjects.api.records.reading import find_record, show_content, show_record
from mobjects.api.versions import build_etag, require_version
from mobjects.db.edit_context import edit
from mobjects.forms.records.custom_fields import CUSTOM as CUSTOM_PREFIX
from mobjects.marketo.value_text import to_text
from mobjects.models import EditSource, Program, ProgramCost, ProgramTag

PARTS: dict[str, type[Model]] = {"costs": ProgramCost, "tags": ProgramTag}
WRONG = gettext_lazy("What was sent cannot be saved. Nothing was changed.")


def create_record(request: HttpRequest, kind: RecordKind, sent: Mapping[str, Any]) -> Any:
    """Make a record, for whoever may; gives it. Raises Problem for what cannot be saved."""
    with _edited_by(request):
        record = kind.model()
        # The form fills in what was not sent, such as a key.
        empty = dict.fromkeys((*kind.field_names, *id_fields(kind.model)))
        changed = _save(request, record, {**empty, **sent})
        log_in_admin(request, record, ADDITION, changed)
        return record


def change_record(request: HttpRequest, kind: RecordKind, pk: int, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Change a record that is as ``If-Match`` says; gives it as it is shown. Raises Problem where it cannot be."""
    require_right(request, kind.permission("change"))
    with _edited_by(request):
        held = kind.model._base_manager.select_for_update(of=("self",)).filter(pk=pk)
        if not held.values_list("pk", flat=True):
            raise Http404
        record = find_record(kind, pk)
        require_version(request, build_etag(show_content(kind, record)))
        if changed := _save(request, record, sent):
            log_in_admin(request, record, CHANGE, changed)
        return show_record(kind, find_record(kind, pk), request.user)


def _edited_by(request: HttpRequest) -> Any:
    """An edit of the token's person, by the token."""
    token = vars(request)["api_token"]
    return edit(EditSource.API, request.user, reference=token.pk, by_itself=True)


def _save(request: HttpRequest, record: Any, sent: Mapping[str, Any]) -> list[str]:
    """Save what was sent about a record and its rows; gives the names of what changed. Raises Problem."""
    custom = sent.get("custom") or {}
    own = {name: value for name, value in sent.items() if name not in (*PARTS, "custom")}
    own |= {f"{CUSTOM_PREFIX}{name}": value for name, value in custom.items()}
    if unknown := find_unknown(type(record), custom):
        raise Problem(422, str(WRONG), unknown)
    form = build_form(record, own)
    if problems := find_problems(form, own):
        raise Problem(422, str(WRONG), problems)
    changed = list(form.changed_data)
    if changed or record._state.adding:
        form.save()
    for name, model in PARTS.items():
        for place, row in enumerate(sent.get(name) or ()):
            changed += _save_row(request, record, model, row, f"/{name}/{place}")
    return changed


def _save_row(
    request: HttpRequest, program: Program, model: type[Model], sent: Mapping[str, Any], above: str
) -> list[str]:
    """Add, change or remove a cost or tag; gives what it is called, if anything changed. Raises Problem."""
    row: Any = model(program=program)
    if pk := sent.get("id"):
        row = model._default_manager.filter(pk=pk, program=program).first()
        if row is None:
            raise Problem(422, str(WRONG), [FieldProblem(f"{above}/id", _("The program has no row with this id."), pk)])
        row.program = program
    elif sent.get("remove"):
        raise Problem(422, str(WRONG), [FieldProblem(f"{above}/id", _("Say by its id which row is removed."))])
    action = "delete" if sent.get("remove") else "change" if pk else "add"
    require_right(request, f"mobjects.{action}_{model._meta.model_name}")
    if action == "delete":
        words = str(row)
        row.delete()
        return [words]
    given = {**_texts(row), **{name: value for name, value in sent.items() if name not in ("id", "remove")}}
    form = build_form(row, given)
    if problems := find_problems(form, given, above):
        raise Problem(422, str(WRONG), problems)
    if not form.has_changed():
        return []
    form.save()
    return [str(row)]


def _texts(row: Any) -> dict[str, Any]:
    """What a row holds, as it would be sent; of a new one nothing."""
    if isinstance(row, ProgramTag):
        return {"type": row.type, "value": row.value}
    month = f"{row.month:%Y-%m}" if row.month else ""
    amount = "" if row.amount is None else to_text(row.amount)
    return {"month": month, "amount": amount, "note": row.note, "marketo_cost_id": row.marketo_cost_id}
