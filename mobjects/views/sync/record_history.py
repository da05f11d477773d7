"""The sync history of one record, whether it still exists or not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from mobjects import selectors
from mobjects.models import RECORD_MODELS, ImportChange, ImportRow, Kind, RecordEdit, UndoOutcome
from mobjects.views.base import paginate_rows, render_page, require_permission
from mobjects.views.imports.base import permission_name
from mobjects.views.imports.row_table import DisplayRow, display_rows_of_kind, reversed_row

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class ImportEvent:
    """An import that changed the record, or the undoing of one.

    ``row`` has the values before and after; ``None`` where there are none to show.
    """

    at: datetime
    by: str
    change: ImportChange
    row: DisplayRow | None
    is_undo: bool = False


@require_GET
@require_permission("mobjects.view_syncresult")
def record_history(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Every job that dealt with one record, newest first.

    Args:
        kind: Marketo's name of the kind, in any case.
        pk: our own id of the record.

    Raises:
        Http404: no such kind, or neither a record nor any history under this id.
    """
    by_name = {member.value.lower(): member for member in Kind}
    if kind.lower() not in by_name or pk >= 2**63:
        raise Http404
    chosen = by_name[kind.lower()]
    model = RECORD_MODELS[chosen]
    record = model.objects.filter(pk=pk).first()
    rows = paginate_rows(request, selectors.history_of_record(chosen, pk), PER_PAGE)
    imports = _imports(request, chosen, pk)
    edits = _edits(request, chosen, pk)
    if record is None and not rows and not imports and not edits:
        raise Http404
    name = f"admin:mobjects_{model._meta.model_name}"
    above = [(str(model._meta.verbose_name_plural).capitalize(), reverse(f"{name}_changelist"))]
    named = (*rows[:1], *(edits or ())[:1])
    label = str(record) if record else named[0].label if named else f"number {pk}"
    if record:
        above.append((label, reverse(f"{name}_change", args=[pk])))
    return render_page(
        request,
        "sync/record/history.html",
        f"Sync history of {label}",
        crumbs=above,
        record=record,
        label=label,
        rows=rows,
        decisions=selectors.decisions_about(chosen, pk),
        conflicts=selectors.open_conflicts(rows),
        edits=edits,
        imports=imports,
        import_events=_import_events(request, imports),
    )


def _edits(request: HttpRequest, kind: Kind, pk: int) -> Page[RecordEdit] | None:
    """What people changed about the record; ``None`` if nothing, or if the user may not see such records."""
    if not request.user.has_perm(f"mobjects.view_{RECORD_MODELS[kind]._meta.model_name}"):
        return None
    found = paginate_rows(request, selectors.edits_of(kind, pk), PER_PAGE, "edits")
    return found if found.paginator.count else None


def _imports(request: HttpRequest, kind: Kind, pk: int) -> Page[ImportChange] | None:
    """What imports did to the record; ``None`` if nothing, or if the user may not see imports."""
    if not request.user.has_perm("mobjects.view_import"):
        return None
    found = paginate_rows(request, selectors.imports_about(kind, pk), PER_PAGE, "imports")
    return found if found.paginator.count else None


def _import_events(request: HttpRequest, changes: Page[ImportChange] | None) -> list[ImportEvent]:
    """The changes and their undoings, newest first, with the values of the rows if the user may see such records."""
    rows = selectors.rows_of_changes(changes or ())
    by_kind: dict[str, list[ImportRow]] = defaultdict(list)
    for change in changes or ():
        row = rows.get((change.imported_id, change.number))
        if row is not None and request.user.has_perm(permission_name("view", change.imported.kind)):
            by_kind[change.imported.kind].append(row)
    shown = {pk: row for kind, found in by_kind.items() for pk, row in display_rows_of_kind(kind, found).items()}
    events = []
    for change in changes or ():
        values, imported = shown.get((change.imported_id, change.number)), change.imported
        events.append(ImportEvent(imported.committed_at or imported.created_at, imported.committed_by, change, values))
        if change.undone:
            back = values and reversed_row(values) if change.undone == UndoOutcome.RESTORED else None
            at = imported.undone_at or imported.step_at or imported.created_at
            events.append(ImportEvent(at, imported.undone_by, change, back, is_undo=True))
    return sorted(events, key=lambda event: event.at, reverse=True)
