"""Deciding many conflicts at once: groups that are alike, the question, the preview, what was done, the undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.decisions import service
from mobjects.models import Conflict, ConflictDecision, ConflictDecisionState, Kind
from mobjects.presentation.vocabulary import KIND_WORDS
from mobjects.processes import status as queue_status
from mobjects.sync.conflicts import alike
from mobjects.sync.conflicts.both_changed import ConflictSide
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import record_content
from mobjects.sync.transport_factory import key_fields
from mobjects.views.base import (
    may_see_kind,
    missing_right,
    paginate_rows,
    press_only,
    render_denied,
    render_page,
    require_permission,
)

PER_PAGE = 50
SHOWN_DECISIONS = 20


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One field of one record: both sides, what it becomes, and why the record would be left alone, if so."""

    conflict: Conflict
    name: str
    here: str
    there: str
    side: str
    left: str


def conflict_list() -> tuple[str, str]:
    """The page above these, as a crumb."""
    return _("To decide"), reverse("admin:mobjects_conflict_changelist")


@require_GET
@require_permission("mobjects.view_conflict")
def conflict_groups(request: HttpRequest) -> HttpResponse:
    """What can be decided together, the largest group first, and what was."""
    alike.fill_missing_keys()
    made = ConflictDecision.objects.exclude(state=ConflictDecisionState.ASKED).defer("asked", "left", "kept")
    return render_page(
        request,
        "decisions/groups.html",
        _("Decide many at once"),
        crumbs=(conflict_list(),),
        groups=[
            (group, KIND_WORDS[Kind(group.kind)]) for group in alike.list_groups() if may_see_kind(request, group.kind)
        ],
        decisions=made[:SHOWN_DECISIONS],
        may_decide=request.user.has_perm("mobjects.decide_conflict"),
    )


@require_permission("mobjects.decide_conflict")
def conflict_group(request: HttpRequest, kind: str, fields_key: str) -> HttpResponse:
    """Ask which side is right in each field of a group; the answer leads to a preview."""
    if kind in tuple(Kind) and (lacking := missing_right(request, kind)):
        return render_denied(request, lacking)
    values_key = request.GET.get("values", "")
    found = alike.conflicts_of_group(kind, fields_key, values_key)
    first = found.first()
    if first is None:
        messages.info(request, _("None of these is left to decide."))
        return redirect("mobjects:conflict-groups")
    fields = sorted(alike.disputed_fields(first))
    problem = ""
    if request.method == "POST":
        choices = _choices(request, [name for name, *_values in fields])
        if len(choices) == len(fields):
            decision = service.ask_decision(kind, found, choices, cast(User, request.user))
            return redirect("mobjects:conflict-decision", decision.pk)
        problem = _("Choose a side for every field.")
    return render_page(
        request,
        "decisions/group.html",
        _("Decide many at once"),
        status=400 if problem else 200,
        crumbs=(conflict_list(), (_("Decide many at once"), reverse("mobjects:conflict-groups"))),
        problem=problem,
        count=found.count(),
        plural=KIND_WORDS[Kind(kind)],
        fields=[(number, *field) for number, field in enumerate(fields)],
        same=bool(values_key),
        rows=paginate_rows(request, found, PER_PAGE),
    )


@require_GET
@require_permission("mobjects.view_conflict")
def decision_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What a decision would do, does, or did."""
    decision = get_object_or_404(ConflictDecision, pk=pk)
    if lacking := missing_right(request, decision.kind):
        return render_denied(request, lacking)
    asked = decision.state == ConflictDecisionState.ASKED
    if asked and decision.user_id != request.user.pk:
        raise Http404
    page = paginate_rows(request, [key for key, _seen in decision.asked], PER_PAGE)
    return render_page(
        request,
        "decisions/page.html",
        _("Decide many at once") if asked else str(decision),
        crumbs=(conflict_list(), (_("Decide many at once"), reverse("mobjects:conflict-groups"))),
        decision=decision,
        asked=asked,
        total=len(decision.asked),
        decided=decision.position - len(decision.left),
        plural=KIND_WORDS[Kind(decision.kind)],
        from_marketo=_chosen(decision, "marketo"),
        from_here=_chosen(decision, "here"),
        rows=page,
        previewed=list(_preview(decision, list(page))) if asked else (),
        may_decide=request.user.has_perm("mobjects.decide_conflict"),
        worker_alive=queue_status.worker_alive() if decision.is_working else True,
    )


@press_only("mobjects:conflict-decision")
@require_permission("mobjects.decide_conflict")
def decision_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry out what the page showed."""
    decision = get_object_or_404(ConflictDecision, pk=pk, user=cast(User, request.user))
    if not service.confirm_decision(decision):
        messages.info(request, _("That was confirmed already."))
    return redirect("mobjects:conflict-decision", pk)


@press_only("mobjects:conflict-decision")
@require_permission("mobjects.decide_conflict")
def decision_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the records back what they held, and open their conflicts again."""
    decision = get_object_or_404(ConflictDecision, pk=pk)
    if not service.undo_decision(decision, cast(User, request.user)):
        messages.info(request, _("That was asked for already."))
    return redirect("mobjects:conflict-decision", pk)


def _choices(request: HttpRequest, names: Sequence[str]) -> dict[str, ConflictSide]:
    """For each field the side that was chosen; a button for all of them goes before the single choices."""
    sides: dict[str, ConflictSide] = {"here": "here", "marketo": "marketo"}
    given = [request.POST.get("all") or request.POST.get(f"field-{number}", "") for number in range(len(names))]
    return {name: sides[side] for name, side in zip(names, given, strict=True) if side in sides}


def _chosen(decision: ConflictDecision, side: str) -> list[str]:
    return [name for name, chosen in decision.choices.items() if chosen == side]


def _preview(decision: ConflictDecision, pks: Sequence[int]) -> Iterator[PreviewRow]:
    """Each field of some of the conflicts, with what would become of it."""
    found = Conflict.objects.in_bulk(list(pks))
    shown: dict[int, Any] = dict(decision.asked)
    keys = key_fields()
    records = {
        record.pk: record for record in load_records(Kind(decision.kind), [each.record_id for each in found.values()])
    }
    for pk in pks:
        conflict = found.get(pk)
        if conflict is None:
            continue
        fields, record, left = alike.disputed_fields(conflict), records.get(conflict.record_id), ""
        if conflict.decided_at is not None or alike.digest_fields(fields) != shown[pk]:
            left = _("decided about, or read again, since; it is left alone")
        elif record is None or record_content(record, keys) != conflict.here or record.accepted != conflict.base:
            left = _("changed here since; it is left alone")
        for name, _base, here, there in fields:
            yield PreviewRow(conflict, name, here, there, decision.choices.get(name, ""), left)
