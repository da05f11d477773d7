"""Deleting many records here: what would go, the deletion as it goes on, and taking it back."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from mobjects.kept_text import translate_kept
from mobjects.models import BulkDeletion, BulkDeletionState, DeletedRecord
from mobjects.presentation.count_links import linked_count
from mobjects.processes import status as queue_status
from mobjects.removals import service
from mobjects.removals.chunks import PARTS, REASONS, model_of_deletion
from mobjects.views.approvals.sentences import hold_text
from mobjects.views.base import paginate_rows, press_only, render_page, say_not_done, signed_in
from mobjects.views.changelist_filters import get_filtered_list

PER_PAGE = 50
LISTED = 5000
"""Ids in one query."""
LISTS = {
    "records": _("Records to be deleted here"),
    "in_marketo": _("Records that are in Marketo and stay there"),
    "unsent": _("Records with changes that were not sent"),
    "busy": _("Records that are left alone"),
}
NOW = {"restored": True, "left": False}
"""What became of deleted rows in an undo: came back or not."""
LEFT = "left"
"""Those that were left alone, once it was confirmed."""


def ask_and_show(request: HttpRequest, model: type[Model], records: QuerySet[Any]) -> HttpResponse:
    """Write down which records are to be deleted, and lead to the page that asks."""
    filters = get_filtered_list(request, model).description if request.POST.get("select_across") == "1" else ""
    chosen = model._default_manager.filter(pk__in=records.values("pk"))
    deletion = service.ask_deletion(chosen, filters, signed_in(request))
    return redirect("mobjects:deletion", deletion.pk)


@require_GET
def deletion_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What a deletion would do, does, or did."""
    deletion = get_object_or_404(BulkDeletion, pk=pk)
    if not _may(request, deletion, "view"):
        return _denied(request)
    model = model_of_deletion(deletion)
    preview = service.preview_deletion(deletion) if deletion.state == BulkDeletionState.ASKED else None
    return render_page(
        request,
        "deletions/page.html",
        gettext("Delete records here") if preview else str(deletion),
        crumbs=((str(model._meta.verbose_name_plural).capitalize(), _list(deletion)),),
        deletion=deletion,
        total=len(deletion.records),
        what=service.count_words(model, preview["records"]) if preview else "",
        plural=model._meta.verbose_name_plural,
        opts=model._meta,
        preview=preview,
        left=_left(deletion),
        approvals=[(each, hold_text(each)) for each in deletion.approvals.order_by("-pk")],
        linked=_linked_counts(deletion),
        rows=paginate_rows(request, _rows(request, deletion), PER_PAGE),
        may=_may(request, deletion, "delete"),
        may_undo=can_be_undone(deletion),
        worker_alive=queue_status.worker_alive() if deletion.is_working else True,
        cancel=_list(deletion),
    )


def _left(deletion: BulkDeletion) -> list[tuple[str, int, str]]:
    """Why records were left alone, how many for each reason, and the list of exactly these; "" where it is not kept."""
    kept = deletion.left or {}
    rows = [(name, why, deletion.counts.get(why, 0)) for name, why in REASONS.items()]
    return [
        (translate_kept(why), count, name if len(kept.get(name, ())) == count else "")
        for name, why, count in rows
        if count
    ]


def _rows(request: HttpRequest, deletion: BulkDeletion) -> QuerySet[DeletedRecord]:
    """What was deleted; with ``now`` in the address what came back of it, or what did not."""
    rows = deletion.deleted.defer("values")
    return rows.filter(restored=NOW[now]) if (now := request.GET.get("now", "")) in NOW else rows


def _linked_counts(deletion: BulkDeletion) -> dict[str, SafeString | str]:
    """What the undo has brought back and what not, each as a link to exactly these, of which the values are kept."""
    counts = {name: deletion.undone.get(name, 0) for name in NOW}
    listed = deletion.values_removed_at is None
    return {
        name: linked_count(number, f"?now={name}#deleted" if number and listed else "")
        for name, number in counts.items()
    }


def can_be_undone(deletion: BulkDeletion) -> bool:
    """Whether a deletion is over, has deleted something, and the values are still kept."""
    over = deletion.state == BulkDeletionState.DELETED and deletion.values_removed_at is None
    return over and bool(deletion.counts.get("deleted"))


@require_GET
def deletion_records(request: HttpRequest, pk: int, which: str) -> HttpResponse:
    """Exactly the records that a figure of the page counts."""
    deletion = get_object_or_404(BulkDeletion, pk=pk)
    if not _may(request, deletion, "view"):
        return _denied(request)
    rows = paginate_rows(request, _counted_ids(deletion, which), 100)
    model = model_of_deletion(deletion)
    found = model.objects.in_bulk(list(rows.object_list))
    return render_page(
        request,
        "deletions/records.html",
        str(LISTS["busy" if which in (LEFT, *REASONS) else which]),
        crumbs=((str(deletion), reverse("mobjects:deletion", args=[pk])),),
        rows=rows,
        records=[
            (reverse(f"admin:mobjects_{deletion.model}_change", args=[row_id]), found[row_id])
            if row_id in found
            else ("", gettext("No. %(number)s, deleted here since") % {"number": row_id})
            for row_id in rows.object_list
        ],
    )


def _counted_ids(deletion: BulkDeletion, which: str) -> list[int]:
    """Our own ids of the records that a figure counts; of those left for one reason also where they are gone since.

    Raises:
        Http404: there is no such figure.
    """
    if which in REASONS:
        return list((deletion.left or {}).get(which, ()))
    if which == LEFT:
        # While it goes on, those behind the position are not dealt with yet.
        dealt_with = deletion.records[: deletion.position]
        gone = set(deletion.deleted.filter(model=deletion.model).values_list("record_id", flat=True))
        ids, name = [row_id for row_id, _ in dealt_with if row_id not in gone], "records"
    else:
        ids, name = [row_id for row_id, _ in deletion.records], which
    parts = [service.records_by_count(deletion, ids[at : at + LISTED]) for at in range(0, len(ids), LISTED)]
    if which not in (*LISTS, LEFT) or any(name not in part for part in parts):
        raise Http404
    return [each for part in parts for each in part[name].order_by("pk").values_list("pk", flat=True)]


@press_only("mobjects:deletion")
def deletion_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete what the page showed."""
    deletion = get_object_or_404(BulkDeletion, pk=pk)
    if not _may(request, deletion, "delete"):
        return _denied(request)
    if not service.confirm_deletion(deletion, signed_in(request)):
        say_not_done(request, gettext("That was confirmed already."), deletion)
    return redirect("mobjects:deletion", pk)


@press_only("mobjects:deletion")
def deletion_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back what was deleted."""
    deletion = get_object_or_404(BulkDeletion, pk=pk)
    if not _may(request, deletion, "delete"):
        return _denied(request)
    if not service.undo_deletion(deletion, signed_in(request)):
        say_not_done(request, gettext("That was asked for already."), deletion)
    return redirect("mobjects:deletion", pk)


def _may(request: HttpRequest, deletion: BulkDeletion, action: str) -> bool:
    model = model_of_deletion(deletion)
    touched = [model, *(part for part, _ in PARTS.get(model, ()))]
    return all(request.user.has_perm(f"mobjects.{action}_{each._meta.model_name}") for each in touched)


def _denied(request: HttpRequest) -> HttpResponse:
    return render_page(request, "denied.html", gettext("Not allowed"), status=403, what=gettext("delete these records"))


def _list(deletion: BulkDeletion) -> str:
    return reverse(f"admin:mobjects_{deletion.model}_changelist")
