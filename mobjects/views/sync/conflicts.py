"""What a person has to decide about a record: both sides next to each other, and the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.kept_text import translate_kept
from mobjects.marketo.types import MarketoId
from mobjects.models import RECORD_MODELS, Conflict, ConflictAnswer, ConflictReason, Kind, records_of_kind
from mobjects.sync.conflicts import ambiguous
from mobjects.sync.conflicts.alike import disputed_fields
from mobjects.sync.conflicts.both_changed import RENEWED, ConflictSide, resolve_both_changed
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import record_content
from mobjects.sync.transport_factory import key_fields
from mobjects.views.base import missing_right, press_only, render_denied, render_page, require_permission

Reason, Answer = ConflictReason, ConflictAnswer

LONGEST_ID = 36
"""Of a GUID."""

SIDES: dict[str, ConflictSide] = {"here": "here", "marketo": "marketo"}


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field of which one side is right: its place in the form and three values; ``chosen`` is a side or ""."""

    number: int
    name: str
    base: str
    here: str
    there: str
    chosen: str


@require_GET
@require_permission("mobjects.view_conflict")
def conflict_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One conflict with both its sides."""
    conflict = get_object_or_404(Conflict, pk=pk)
    if lacking := missing_right(request, conflict.kind):
        return render_denied(request, lacking)
    return _show(request, conflict)


@press_only("admin:mobjects_conflict_change")
@require_permission("mobjects.decide_conflict")
def conflict_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry out a decision, or say why not."""
    conflict = get_object_or_404(Conflict, pk=pk)
    if lacking := missing_right(request, conflict.kind):
        return render_denied(request, lacking)
    given, user = request.POST, cast(User, request.user)
    try:
        if conflict.decided_at is not None:
            raise ValueError(ambiguous.describe_first_decision(conflict))
        if "close" in given:
            _close(conflict, user)
        elif conflict.reason == Reason.BOTH_CHANGED:
            _merge(conflict, given, user)
        else:
            answer, candidate_id = _answer(given, conflict.candidates)
            _check_seen(given, conflict.candidates)
            ambiguous.resolve_ambiguous(conflict, answer, user, candidate_id, seen=conflict.candidates)
    except ValueError as error:
        # Of two people who decide at once the second is told who was first.
        conflict.refresh_from_db()
        problem = ambiguous.describe_first_decision(conflict) if conflict.decided_at else str(error)
        problem = translate_kept(problem)
        return _show(request, conflict, problem=problem, given=given)
    conflict.refresh_from_db()
    messages.success(request, f"“{conflict.shown_label}”: {translate_kept(conflict.answer_text.splitlines()[-1])}")
    return redirect("admin:mobjects_conflict_changelist")


def _close(conflict: Conflict, user: User) -> None:
    ambiguous.close_orphaned_conflicts(user)
    conflict.refresh_from_db()
    if conflict.decided_at is None:
        raise ValueError(_("“%(label)s” is still here; decide about it.") % {"label": conflict.shown_label})


def _merge(conflict: Conflict, given: QueryDict, user: User) -> None:
    fields = disputed_fields(conflict)
    _check_seen(given, fields)
    choices = {name: SIDES[side] for name, side in _chosen(fields, given).items() if side}
    resolve_both_changed(conflict, choices, user, seen=fields)


def _check_seen(given: QueryDict, shown: Sequence[Any]) -> None:
    """Refuse what was decided about other values; those of now are compared once more under the lock."""
    if given.get("seen") != _hash_shown(shown):
        raise ValueError(RENEWED)


def _chosen(fields: Sequence[tuple[str, ...]], given: Mapping[str, str]) -> dict[str, str]:
    """For each field the side that was chosen; a button for all of them goes before the single choices."""
    sides = [given.get("all") or given.get(f"field-{number}", "") for number in range(len(fields))]
    return {name: side if side in SIDES else "" for (name, *_), side in zip(fields, sides, strict=True)}


def _answer(given: QueryDict, candidates: Sequence[Mapping[str, Any]]) -> tuple[ConflictAnswer, MarketoId | None]:
    text, _colon, called = given.get("answer", "").partition(":")
    # As the conflict has it: a number, or a GUID.
    known: dict[str, MarketoId] = {str(each["id"]): each["id"] for each in candidates}
    if text not in Answer.values or not called.isascii() or len(called) > LONGEST_ID:
        raise ValueError(_("Nothing was chosen; choose one of the buttons."))
    return Answer(text), known.get(called, called) if called else None


def _hash_shown(shown: Sequence[Any]) -> str:
    """Stands for what the page showed: an open conflict is brought up to date when Marketo is read again."""
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def _show(
    request: HttpRequest, conflict: Conflict, *, problem: str = "", given: Mapping[str, str] | None = None
) -> HttpResponse:
    kind = Kind(conflict.kind)
    record = next(iter(load_records(kind, [conflict.record_id])), None)
    fields = disputed_fields(conflict) if conflict.reason == Reason.BOTH_CHANGED else []
    chosen = _chosen(fields, given or {})
    model_name = RECORD_MODELS[kind]._meta.model_name
    return render_page(
        request,
        "sync/conflicts/page.html",
        conflict.shown_label,
        status=409 if problem else 200,
        crumbs=((_("To decide"), reverse("admin:mobjects_conflict_changelist")),),
        conflict=conflict,
        problem=problem,
        record=record,
        record_url=reverse(f"admin:mobjects_{model_name}_change", args=[conflict.record_id]),
        changed_since=record is not None and conflict.decided_at is None and _has_changed(conflict, record),
        choices=[
            FieldChoice(number, name, base, here, there, chosen[name])
            for number, (name, base, here, there) in enumerate(fields)
        ],
        seen=_hash_shown(fields if conflict.reason == Reason.BOTH_CHANGED else conflict.candidates),
        sides=_sides(conflict) if conflict.reason == Reason.AMBIGUOUS else {},
        may_decide=conflict.decided_at is None and request.user.has_perm("mobjects.decide_conflict"),
        may_pull=request.user.has_perm("mobjects.pull_records"),
    )


def _has_changed(conflict: Conflict, record: Any) -> bool:
    merging = conflict.reason == Reason.BOTH_CHANGED
    return record_content(record, key_fields()) != conflict.here or (merging and record.accepted != conflict.base)


def _sides(conflict: Conflict) -> dict[str, Any]:
    """What was sent, next to what the candidates hold; of each candidate the record it belongs to by now, if any."""
    sent, found = conflict.base, conflict.candidates
    names = dict.fromkeys([*sent, *(name for each in found for name in each["values"])])
    ids = [each["id"] for each in found]
    others = records_of_kind(Kind(conflict.kind)).exclude(pk=conflict.record_id)
    keys = key_fields()
    owners = {keys.id_of(each): each for each in others.filter(**{f"{keys.id_column(Kind(conflict.kind))}__in": ids})}
    times = ("created_at", "updated_at")
    return {
        "candidates": [
            {"id": each["id"], "owner": owners.get(each["id"])} | {name: _time(each, name) for name in times}
            for each in found
        ],
        "rows": [(name, sent.get(name, ""), [_cell(sent, each["values"], name) for each in found]) for name in names],
    }


def _cell(sent: Mapping[str, str], held: Mapping[str, str], name: str) -> tuple[str, str]:
    """What a candidate holds in a field, and in words how that compares with what was sent."""
    text = held.get(name, "")
    if name not in sent:
        return text, _("not sent") if text else ""
    return text, "same" if text == sent[name] else "differs"


def _time(candidate: Mapping[str, Any], name: str) -> str:
    return str(candidate.get(name) or "").replace("T", " ")[:16]
