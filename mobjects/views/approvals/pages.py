"""The page of something that waits for approval: what it would do, and its buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from mobjects.bulk_edits.operations import EDITED_MODELS, target_of
from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.kept_text import translate_label
from mobjects.models import (
    RECORD_MODELS,
    Approval,
    ApprovalRecord,
    ApprovalState,
    BulkDeletion,
    BulkEdit,
    BulkEditOutcome,
    Kind,
    SyncedRecord,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.presentation.badges import render_badge
from mobjects.presentation.job_text import format_time
from mobjects.presentation.vocabulary import removed_text
from mobjects.views.approvals.sentences import hold_text, rule_text, what_text
from mobjects.views.base import (
    Crumb,
    may_see_kind,
    paginate_rows,
    press_only,
    render_page,
    require_permission,
    signed_in,
)
from mobjects.views.bulk_edits.pages import name_rows

ROWS = 50
DONE = (BulkEditOutcome.CHANGED, BulkEditOutcome.LEFT, BulkEditOutcome.KEPT)
"""What becomes of rows of a bulk edit that were to be changed when it was shown."""
UNDONE = (BulkEditOutcome.CHANGED, BulkEditOutcome.KEPT)
"""The same of its undo."""
REASON_KEPT = 500
TONES = {
    ApprovalState.PREPARING: "info",
    ApprovalState.WAITING: "warning",
    ApprovalState.APPROVED: "success",
    ApprovalState.REFUSED: "danger",
    ApprovalState.WITHDRAWN: "neutral",
    ApprovalState.EXPIRED: "neutral",
}
SAID = {
    Decision.OWN: gettext_lazy("You asked for it yourself, so another person has to approve it."),
    Decision.NOT_ALLOWED: gettext_lazy("You may not do that."),
    Decision.TOO_LATE: gettext_lazy("Too late: it was decided already, or its preview is not there yet."),
    Decision.CHANGED: gettext_lazy("It was withdrawn: records changed since. Nothing of it is done."),
    Decision.EXPIRED: gettext_lazy("Too late: it has expired. Nothing of it is done."),
}
"""What a press did not do, and why."""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A line of what is to be approved."""

    label: str
    address: str
    kind: str
    operation: str = ""
    result: SyncResult | None = None
    change: tuple[str, str] | None = None


@require_GET
@require_permission("mobjects.view_approval")
def approval_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What waits, or waited, for approval."""
    approval = get_object_or_404(
        Approval.objects.select_related("job", "user", "bulk_edit", "imported", "deletion"), pk=pk
    )
    person, waits = signed_in(request), approval.state == ApprovalState.WAITING
    rows = paginate_rows(request, _rows(approval), ROWS, count=_count(approval))
    return render_page(
        request,
        "approvals/page.html",
        _("Approval %(pk)s") % {"pk": approval.pk},
        crumbs=_crumbs(),
        approval=approval,
        badge=render_badge(approval.get_state_display(), TONES[ApprovalState(approval.state)]),
        sentence=hold_text(approval),
        rule_text=rule_text(approval),
        asked_at=format_time(approval.created_at),
        until=format_time(approval.expires_at),
        own=approval.is_open and service.is_own(approval, person),
        may_decide=waits and service.may_decide(approval, person),
        changed=_name_records([(Kind(kind), record) for kind, record in approval.changed]),
        changed_more=max(0, approval.changed_count - len(approval.changed)),
        rows=rows,
        items=_items(request, approval, rows),
        what=what_text(approval),
        what_address=_held_address(approval),
        asked_reason=approval.job.reason if approval.job else "",
        shows_changes=approval.preview_id or _shown_edit(approval),
        removed=_removed(approval),
        planned_anew=approval.bulk_edit is not None and _shown_edit(approval) is None and not _removed(approval),
    )


@press_only("mobjects:approval")
@require_permission(service.APPROVE_WORK)
def approval_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it be done."""
    approval = get_object_or_404(Approval, pk=pk)
    decision = service.approve(approval, signed_in(request))
    return _answer(request, approval, decision, _("Approved. It is done exactly as it is shown."))


@press_only("mobjects:approval")
@require_permission(service.APPROVE_WORK)
def approval_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse it, with a reason."""
    approval = get_object_or_404(Approval, pk=pk)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:REASON_KEPT]
    if not reason:
        messages.error(request, _("Say why not: whoever asked for it reads that."))
        return redirect("mobjects:approval", pk)
    decision = service.refuse(approval, signed_in(request), reason)
    return _answer(request, approval, decision, _("Refused. Nothing of it is done."))


@press_only("mobjects:approval")
@require_permission("mobjects.view_approval")
def approval_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw what one asked for oneself."""
    approval = get_object_or_404(Approval, pk=pk)
    decision = service.withdraw_own(approval, signed_in(request))
    return _answer(request, approval, decision, _("Withdrawn. Nothing of it is done."))


def _answer(request: HttpRequest, approval: Approval, decision: Decision, done: str) -> HttpResponse:
    if decision == Decision.DONE:
        messages.success(request, done)
    else:
        messages.warning(request, SAID[decision])
    return redirect("mobjects:approval", approval.pk)


def _crumbs() -> tuple[Crumb, ...]:
    return ((_("To approve"), reverse("admin:mobjects_approval_changelist")),)


def _rows(approval: Approval) -> QuerySet[Any]:
    """What was frozen: of a sending the dry run's results, of a bulk edit its rows, else the records."""
    edited = _shown_edit(approval)
    if edited is not None:
        return edited.rows.filter(outcome__in=UNDONE if approval.is_undo else DONE).order_by("number")
    if approval.preview is None:
        return approval.records.order_by("pk")
    planned = approval.preview.results.filter(status=SyncResultStatus.PLANNED)
    return planned.select_related("job", "batch").defer("batch__request", "batch__response").order_by("pk")


def _shown_edit(approval: Approval) -> BulkEdit | None:
    """The bulk edit that is held, while it has the rows that were shown: it may have been planned anew since, or they
    may have been removed after their period.
    """
    edited = approval.bulk_edit
    is_shown = (
        edited and not edited.values_removed_at and edited.plan == approval.asked_selection.get("plan", edited.plan)
    )
    return edited if is_shown else None


def _removed(approval: Approval) -> str:
    """That the rows which were shown are not kept any more, in words; "" while they are."""
    edited = approval.bulk_edit
    return removed_text(edited.values_removed_at, edited.ended_at or edited.created_at) if edited else ""


def _count(approval: Approval) -> int | None:
    """How many rows there are, where that is known: of costs there are more than of the programs that were frozen."""
    return approval.count if _shown_edit(approval) is None and approval.records.exists() else None


def _items(request: HttpRequest, approval: Approval, rows: Page[Any]) -> list[ShownRecord]:
    edited = _shown_edit(approval)
    if edited is not None:
        return _edited(request, edited, rows, undoes=approval.is_undo)
    return _results(request, rows) if approval.preview_id else _records(request, rows, approval.deletion)


def _held_address(approval: Approval) -> str:
    if approval.bulk_edit_id is not None:
        return reverse("mobjects:bulk-edit", args=[approval.bulk_edit_id])
    if approval.imported_id is not None:
        page = "mobjects:import" if approval.is_undo else "mobjects:import-review"
        return reverse(page, args=[approval.imported_id])
    if approval.deletion_id is not None:
        return reverse("mobjects:deletion", args=[approval.deletion_id])
    return reverse("admin:mobjects_syncjob_change", args=[approval.job_id])


def _edited(request: HttpRequest, edited: BulkEdit, rows: Page[Any], *, undoes: bool) -> list[ShownRecord]:
    now, then = ("new", "old") if undoes else ("old", "new")
    sees = request.user.has_perm(f"mobjects.view_{edited.model}")
    kind = str(EDITED_MODELS[target_of(edited)]._meta.verbose_name)
    return [
        ShownRecord(item["label"], item["address"], kind, change=(item[now], item[then]) if sees else None)
        for item in name_rows(edited, rows)
    ]


def _results(request: HttpRequest, rows: Page[Any]) -> list[ShownRecord]:
    return [
        ShownRecord(
            row.shown_label,
            _address(Kind(row.kind), row.record_id),
            row.get_kind_display(),
            row.batch.operation if row.batch else "",
            row if may_see_kind(request, row.kind) else None,
        )
        for row in rows
    ]


def _records(request: HttpRequest, rows: Page[Any], deletion: BulkDeletion | None) -> list[ShownRecord]:
    found: list[ApprovalRecord] = list(rows)
    keys = [(Kind(row.kind), row.record_id) for row in found]
    # The names of deleted records stand only where a deletion kept them.
    gone = _deleted_names([key for key in keys if may_see_kind(request, key[0])], deletion)
    named = _name_records(keys, gone)
    return [
        ShownRecord(label, address, row.get_kind_display()) for row, (label, address) in zip(found, named, strict=True)
    ]


def _name_records(
    keys: Sequence[tuple[Kind, int]], gone: Mapping[tuple[Kind, int], str] | None = None
) -> list[tuple[str, str]]:
    """Labels of records, each with where it is; of one that is gone, that it is, and ""."""
    known: dict[tuple[Kind, int], SyncedRecord] = {}
    for kind in dict.fromkeys(kind for kind, _pk in keys):
        ids = [pk for other, pk in keys if other is kind]
        known |= {(kind, record.pk): record for record in records_of_kind(kind).filter(pk__in=ids)}
    return [
        (str(known[key]), _address(*key))
        if key in known
        else ((gone or {}).get(key) or _("Record %(pk)s, deleted") % {"pk": key[1]}, "")
        for key in keys
    ]


def _deleted_names(keys: Sequence[tuple[Kind, int]], deletion: BulkDeletion | None) -> dict[tuple[Kind, int], str]:
    """What records were called that a deletion here deleted."""
    if deletion is None or not keys:
        return {}
    kinds = {RECORD_MODELS[kind]._meta.model_name: kind for kind, _pk in keys}
    rows = deletion.deleted.filter(model__in=kinds, record_id__in=[pk for _kind, pk in keys])
    found = rows.values_list("model", "record_id", "label")
    words = _("%(record)s, deleted")
    return {(kinds[model], pk): words % {"record": translate_label(label, model)} for model, pk, label in found}


def _address(kind: Kind, pk: int) -> str:
    return reverse(f"admin:mobjects_{RECORD_MODELS[kind]._meta.model_name}_change", args=[pk])
