"""The sync history of one record, whether it still exists or not."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from mobjects import queries
from mobjects.models import RECORDS, Kind
from mobjects.views.pages import needs, page, paged

PER_PAGE = 25


@require_GET
@needs("mobjects.view_syncresult")
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
    model = RECORDS[chosen]
    record = model.objects.filter(pk=pk).first()
    rows = paged(request, queries.record_history(chosen, pk), PER_PAGE)
    if record is None and not rows:
        raise Http404
    name = f"admin:mobjects_{model._meta.model_name}"
    above = [(str(model._meta.verbose_name_plural).capitalize(), reverse(f"{name}_changelist"))]
    label = str(record) if record else rows[0].label
    if record:
        above.append((label, reverse(f"{name}_change", args=[pk])))
    return page(
        request,
        "record/history.html",
        f"Sync history of {label}",
        crumbs=above,
        record=record,
        label=label,
        rows=rows,
        decisions=queries.decisions_about(chosen, pk),
        conflicts=queries.open_conflicts(rows),
    )
