"""The history of one record, whether it still exists or not: all that became of it, and bringing old values back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db.models import Exists, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from mobjects import selectors
from mobjects.kept_text import translate_kept
from mobjects.models import RECORD_MODELS, ApprovalRecord, Conflict, Kind, PurgeKind, SyncResult
from mobjects.presentation.history.opportunity_names import link_opportunities
from mobjects.presentation.vocabulary import removed_text
from mobjects.retention.service import removed_before
from mobjects.sync.content.loading import load_records
from mobjects.timeline.entries import EntryKind, TimelineEntry, TimelineFilter
from mobjects.timeline.reading import TimelinePage, narrowing_choices, read_timeline
from mobjects.timeline.restoring import (
    RestoredValue,
    RestoreRefused,
    find_removal,
    find_restored,
    preview_restore,
    restore_values,
)
from mobjects.timeline.streams import edits_of
from mobjects.views.base import Crumb, may_see_kind, missing_right, render_denied, render_page

AFTER = "after"
"""The parameter that says where older entries begin."""
NARROWING = ("what", "person", "field")
_SALT = "mobjects.restore"


@require_GET
def record_history(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """All that became of one record, newest first.

    Args:
        kind: Marketo's name of the kind, in any case.
        pk: our own id of the record.

    Raises:
        Http404: no such kind, or neither a record nor any history under this id.
    """
    chosen = _kind(kind, pk)
    sees_values, sees_jobs = may_see_kind(request, chosen), request.user.has_perm("mobjects.view_syncresult")
    if not sees_values and not sees_jobs:
        return render_denied(request, "mobjects.view_syncresult")
    narrowed = TimelineFilter(**{name: request.GET.get(name, "")[:255] for name in NARROWING})
    hidden = [*(("edit", "import", "undo") if not sees_values else ()), *(("result",) if not sees_jobs else ())]
    record = _with_conflict(chosen, pk).first()
    # Of most records there is neither; then nothing more is asked about them.
    if (record and not record.had_conflicts) or not request.user.has_perm("mobjects.view_conflict"):
        hidden += ["found", "decided"]
    if (record and not record.was_held) or not request.user.has_perm("mobjects.view_approval"):
        hidden += ["held", "approval"]
    page = read_timeline(chosen, pk, narrowed, hidden=hidden, after=request.GET.get(AFTER, ""))
    if not sees_values:
        page = replace(page, entries=[replace(each, changes=[], restores="") for each in page.entries])
    people, fields = narrowing_choices(chosen, pk)
    is_narrowed = any((narrowed.what, narrowed.person, narrowed.field, request.GET.get(AFTER)))
    if record is None and not page.entries and not is_narrowed:
        raise Http404
    label = str(record) if record else _label(chosen, pk, page)
    return render_page(
        request,
        "sync/record/history.html",
        _("History of %(record)s") % {"record": label},
        crumbs=_crumbs(chosen, record, label),
        record=record,
        kind=chosen,
        record_id=pk,
        label=label,
        page=page,
        older=_address(request, page.older) if page.older else "",
        newest=_address(request, "") if request.GET.get(AFTER) else "",
        conflicts=_conflicts(record, page),
        value_names=link_opportunities(
            (change for entry in page.entries for change in entry.changes),
            linked=_may(request, "view", Kind.OPPORTUNITY),
        ),
        narrowed=narrowed,
        is_narrowed=any((narrowed.what, narrowed.person, narrowed.field)),
        purged=removed_before(PurgeKind.EDITS) if sees_values and not page.older else None,
        kinds=EntryKind.choices,
        people=people,
        fields=fields,
        may_restore=record is not None and sees_values and _may(request, "change", chosen),
        log=f"admin:mobjects_{RECORD_MODELS[chosen]._meta.model_name}_history" if record and sees_values else "",
    )


@require_http_methods(["GET", "POST"])
def record_restore(request: HttpRequest, kind: str, pk: int, entry: str) -> HttpResponse:
    """Show what bringing back the values of an entry would change; with a press, do it.

    Args:
        kind: Marketo's name of the kind, in any case.
        pk: our own id of the record.
        entry: as :func:`~mobjects.timeline.restoring.find_restored` takes it.

    Raises:
        Http404: no such kind, record or entry.
    """
    chosen = _kind(kind, pk)
    if not _may(request, "change", chosen):
        return render_denied(request, f"mobjects.change_{RECORD_MODELS[chosen]._meta.model_name}")
    if lacking := missing_right(request, chosen):
        return render_denied(request, lacking)
    history = reverse("mobjects:record-history", args=[chosen.value, pk])
    records, changes = load_records(chosen, [pk]), find_restored(chosen, pk, entry)
    removed = "" if changes else removed_text(*find_removal(chosen, pk, entry))
    if not records or (changes is None and not removed):
        raise Http404
    changes = changes or []
    if request.method == "POST" and _restored(request, chosen, pk, entry):
        return redirect(history)
    lines = preview_restore(records[0], changes)
    label = str(records[0])
    return render_page(
        request,
        "sync/record/restore.html",
        _("Restore values of %(record)s") % {"record": label},
        crumbs=[*_crumbs(chosen, records[0], label), (_("History"), history)],
        lines=lines,
        same=len(changes) - len(lines),
        seen=signing.dumps([[line.name, line.now, line.restored] for line in lines], salt=_SALT, compress=True),
        history=history,
        removed=removed,
        is_sent=entry.startswith("result-"),
    )


def _restored(request: HttpRequest, kind: Kind, pk: int, entry: str) -> bool:
    """Bring the chosen values back; whether the page is done with. What was refused is said."""
    names = request.POST.getlist("name")
    try:
        seen = [RestoredValue(*line) for line in signing.loads(request.POST.get("seen", ""), salt=_SALT)]
        if not names:
            raise RestoreRefused(_("Choose at least one value."))
        done = restore_values(kind, pk, entry, seen=seen, names=names, user=request.user)
    except signing.BadSignature:
        messages.warning(request, _("The page was not complete. Nothing was written; look again."))
        return False
    except RestoreRefused as error:
        messages.warning(request, translate_kept(str(error)))
        return False
    said = ngettext("%(count)s value was restored.", "%(count)s values were restored.", len(done))
    what_next = _("Sync the record to send it.")
    messages.success(request, f"{said % {'count': len(done)}} {what_next}")
    return True


def _kind(kind: str, pk: int) -> Kind:
    by_name = {member.value.lower(): member for member in Kind}
    if kind.lower() not in by_name or pk >= 2**63:
        raise Http404
    return by_name[kind.lower()]


def _with_conflict(kind: Kind, pk: int) -> QuerySet[Any]:
    """A record, with the id of what there is to decide about it, and whether anything ever was to be decided about it
    or held for approval, read in the same query.
    """
    conflicts = Conflict.objects.filter(kind=kind.value, record_id=pk).order_by()
    to_decide = conflicts.filter(decided_at__isnull=True).order_by("-created_at", "-pk").values("pk")[:1]
    held = ApprovalRecord.objects.filter(kind=kind.value, record_id=pk)
    more = {"to_decide": Subquery(to_decide), "had_conflicts": Exists(conflicts), "was_held": Exists(held)}
    found: QuerySet[Any] = RECORD_MODELS[kind]._default_manager.filter(pk=pk).annotate(**more)
    return found


def _conflicts(record: Any, page: TimelinePage) -> dict[tuple[str, int], int]:
    """What there is to decide, as :func:`mobjects.selectors.open_conflicts` gives it."""
    if record is None:
        return selectors.open_conflicts([entry.result for entry in page.entries if entry.result])
    return {(record.KIND.value, record.pk): record.to_decide} if record.to_decide else {}


def _may(request: HttpRequest, action: str, kind: Kind) -> bool:
    return request.user.has_perm(f"mobjects.{action}_{RECORD_MODELS[kind]._meta.model_name}")


def _crumbs(kind: Kind, record: Any, label: str) -> list[Crumb]:
    options = RECORD_MODELS[kind]._meta
    name = f"admin:mobjects_{options.model_name}"
    above = [(str(options.verbose_name_plural).capitalize(), reverse(f"{name}_changelist"))]
    return [*above, (label, reverse(f"{name}_change", args=[record.pk]))] if record else above


def _label(kind: Kind, pk: int, page: TimelinePage) -> str:
    """What a record that is gone was called."""
    results = (entry.result.shown_label for entry in page.entries if isinstance(entry.result, SyncResult))
    names = (name for entry in page.entries if (name := _old_name(entry)))
    return next(results, "") or next(names, "") or _last_name(kind, pk) or _("number %(id)s") % {"id": pk}


def _last_name(kind: Kind, pk: int) -> str:
    newest = edits_of(kind, pk).first()
    return next((old or new for name, old, new in newest.changes if name == "Name"), "") if newest else ""


def _old_name(entry: TimelineEntry) -> str:
    return next((old or new for name, old, new in entry.changes if name == "Name"), "")


def _address(request: HttpRequest, after: str) -> str:
    query: QueryDict = request.GET.copy()
    query.pop(AFTER, None)
    if after:
        query[AFTER] = after
    return f"?{query.urlencode()}"
