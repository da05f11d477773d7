"""The page of one import, the part of it that renews itself, and discarding it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects import selectors
from mobjects.audit.events import record_event
from mobjects.forms.imports import DELIMITERS
from mobjects.imports import service
from mobjects.imports.writing import commit
from mobjects.models import (
    RECORD_MODELS,
    Approval,
    EventKind,
    Import,
    ImportChange,
    ImportSource,
    ImportState,
    SyncJob,
    SyncResult,
)
from mobjects.presentation import import_text as words
from mobjects.presentation.count_links import import_undone, import_written
from mobjects.presentation.vocabulary import records_text
from mobjects.processes import status as queue_status
from mobjects.views.approvals.sentences import hold_text
from mobjects.views.base import press_only, render_page
from mobjects.views.imports import base
from mobjects.views.sync.job_detail import STOP_POLLING

DISCARDABLE = (ImportState.MAPPING, ImportState.REVIEW, ImportState.REFUSED, ImportState.CHECKING)
JOBS = 20
TWINS = 5
"""Most links to jobs, and to other imports, that the page shows."""


@require_GET
@base.about_import()
def import_page(request: HttpRequest, imported: Import) -> HttpResponse:
    """Everything about one import."""
    changing = base.may_change(request, imported)
    return render_page(
        request,
        "imports/page.html",
        _("Import %(pk)s: %(file_name)s") % {"pk": imported.pk, "file_name": imported.file_name},
        crumbs=base.import_crumbs(),
        **live_context(imported),
        steps=words.wizard_steps(imported),
        next=_next(request, imported),
        twins=shown_same_file_imports(imported),
        corrections=imported.corrections.order_by("pk")[:TWINS],
        columns=columns_text(imported),
        events=selectors.events_on("import", imported.pk),
        approvals=_approvals(imported),
        sees_rows=base.may_see_rows(request, imported),
        may_export=base.may_see_rows(request, imported) and base.may_export(request, imported),
        has_rows=words.has_rows(imported),
        outcomes=outcome_tabs(imported),
        **_synced(request, imported),
        **_facts(imported),
        may_undo=changing and can_undo(imported),
        may_discard=changing and imported.state in DISCARDABLE and not imported.committed_to,
    )


@require_GET
def import_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that renews itself, on each page of an import; once it is done it asks for the whole page instead.

    Not behind the admin's redirect to the login page, which would end up inside the page.
    """
    if not admin.site.has_permission(request) or not request.user.has_perm("mobjects.view_import"):
        return HttpResponse(_("You are logged out; load the page again to log in."), status=STOP_POLLING)
    imported = get_object_or_404(Import, pk=pk if pk < 2**63 else 0)
    response = render(request, "mobjects/imports/_live.html", live_context(imported))
    if not imported.is_working:
        response.status_code = STOP_POLLING
        response["HX-Refresh"] = "true"
    return response


@press_only("mobjects:import")
@base.about_import(change=True)
def import_discard(request: HttpRequest, imported: Import) -> HttpResponse:
    """Put an import aside before anything of it is written; its file and its rows stay to be looked at."""
    if base.try_transition(request, imported, lambda: service.discard_import(imported)):
        messages.success(request, _("Discarded. Nothing of the file was written."))
    return redirect("mobjects:import", imported.pk)


@press_only("mobjects:import")
@base.about_import(change=True)
def import_check(request: HttpRequest, imported: Import) -> HttpResponse:
    """Check the file once more: what is here may have changed since."""
    if base.try_transition(request, imported, lambda: service.request_check(imported)):
        record_event(EventKind.CHECKED_AGAIN, on=imported)
    return base.redirect_to_step(imported)


def live_context(imported: Import) -> dict[str, Any]:
    """What the part that renews itself shows."""
    # An import of the command line runs without any worker.
    asks = imported.is_working and imported.source != ImportSource.COMMAND
    alive = queue_status.worker_alive() if asks else None
    return {
        "imported": imported,
        "badge": words.import_state_badge(imported),
        "sentence": words.describe_import(imported, worker_alive=alive),
        "progress": words.import_progress(imported),
        "reloads": reverse("mobjects:import-live", args=[imported.pk]),
    }


def shown_same_file_imports(imported: Import) -> list[Import]:
    """Earlier imports of the same bytes, the newest first, as far as they are shown."""
    return list(service.same_file_imports(imported)[:TWINS])


def outcome_tabs(imported: Import) -> list[tuple[str, str, int]]:
    """For each tab of the review: outcome, label, rows."""
    return [(tab.value, str(tab.label), imported.counts.get(tab, 0)) for tab in words.TABS]


def columns_text(imported: Import) -> list[tuple[str, str]]:
    """For each column of the file its header and what it means, as far as that is decided."""
    said = []
    for index, header in enumerate(imported.headers):
        means = imported.mapping[index] if index < len(imported.mapping) else None
        said.append((header or _("(no name)"), _("not decided") if means is None else means or _("left out")))
    return said


def can_undo(imported: Import) -> bool:
    """Whether the import wrote anything that could be taken back; also if writing was broken off."""
    if imported.rows_removed_at is not None:
        return False
    broken_off = imported.state == ImportState.REVIEW and imported.committed_to > 0
    wrote = bool(imported.written.get("created") or imported.written.get("changed"))
    return broken_off or (imported.state == ImportState.COMMITTED and wrote)


def _approvals(imported: Import) -> list[tuple[Approval, str]]:
    """What held it, newest first; without a query before anybody wanted it written."""
    return [(each, hold_text(each)) for each in imported.approvals.order_by("-pk")] if imported.mode else []


def _facts(imported: Import) -> dict[str, Any]:
    left_out = imported.counts.get("error", 0) + imported.counts.get("conflict", 0)
    return {
        "delimiter": DELIMITERS.get(imported.delimiter, imported.delimiter),
        "written": import_written(imported),
        "undone": import_undone(imported),
        "blanks": _blanks_text(imported),
        "has_left_out": left_out > 0 or any(imported.written.get(name) for name in ("left", "left_out")),
    }


def _blanks_text(imported: Import) -> str:
    """What blank cells did; before the commit the page's first sentence says what they would do."""
    if imported.committed_at is None or not imported.blanks:
        return ""
    cleared = selectors.values_cleared(imported)
    return _("Blank cells cleared %(values)s.") % {"values": words.values_text(cleared)} if cleared else ""


def _next(request: HttpRequest, imported: Import) -> tuple[str, str] | None:
    """Address and words of what a person has to do next; ``None`` if there is nothing, or it is not theirs to do."""
    if imported.state == ImportState.REFUSED and base.may_change(request, imported):
        return reverse("mobjects:import-columns", args=[imported.pk]), _("Read it in another way…")
    if imported.state == ImportState.MAPPING and base.may_change(request, imported):
        return reverse("mobjects:import-columns", args=[imported.pk]), _("Next: say what the columns mean")
    if imported.state == ImportState.REVIEW and base.may_see_rows(request, imported):
        return reverse("mobjects:import-review", args=[imported.pk]), _("Next: review the rows")
    return None


def _synced(request: HttpRequest, imported: Import) -> dict[str, Any]:
    """Which jobs the import's records went out with, and how many still have something to send."""
    if imported.committed_at is None and not imported.committed_to:
        return {}
    kind, ids = commit.owner_ids(imported)
    stands = imported.state in (ImportState.COMMITTED, ImportState.HELD)
    to_sync = RECORD_MODELS[kind].objects.filter(pk__in=ids).dirty().count() if stands else 0
    found: dict[str, Any] = {
        "to_sync": to_sync if request.user.has_perm("mobjects.sync_records") else 0,
        "records": records_text(to_sync),
        "sync_url": f"{reverse('mobjects:sync')}?kind={kind.value}&of_import={imported.pk}",
    }
    if request.user.has_perm("mobjects.view_syncjob"):
        found["jobs"] = list(_jobs(imported)[:JOBS])
        found["shows_jobs"] = True
    return found


def _jobs(imported: Import) -> QuerySet[SyncJob]:
    """The jobs since that dealt with a record of the import, newest first."""
    # What was undone went out all the same.
    kind, _ = commit.owner_ids(imported)
    ids = ImportChange.objects.filter(imported=imported).order_by().values("owner_id")
    results = SyncResult.objects.filter(job=OuterRef("pk"), kind=kind.value, record_id__in=ids)
    since = imported.committed_at or imported.created_at
    asked = SyncJob.objects.filter(created_at__gte=since, selection__of_import=imported.pk)
    dealt = SyncJob.objects.filter(Exists(results), created_at__gte=imported.begun_at or since)
    return (asked | dealt).order_by("-created_at", "-pk")
