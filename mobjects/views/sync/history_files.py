"""The lists of the sync history as files: exactly what a list shows under its address, all pages of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects import result_queries
from mobjects.exports.formats import BY_EXTENSION
from mobjects.exports.results import ReportColumn, job_columns, result_columns, write_report
from mobjects.models import Kind, SyncJob, SyncResultStatus
from mobjects.presentation import job_text
from mobjects.presentation.follow_up_text import operation_text
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import field_text
from mobjects.result_queries import ResultFilter, find_results, iter_results
from mobjects.selectors import STEPS
from mobjects.views.base import may_see_kind, render_denied
from mobjects.views.changelist_filters import get_filtered_list
from mobjects.views.exports import send_file
from mobjects.views.sync.result_list import read_filter

_JOBS_AT_ONCE = 500


@require_GET
def results_file(request: HttpRequest, extension: str, pk: UUID | None = None) -> HttpResponseBase:
    """The results of a job, or of all of them, as the list with the same query shows them."""
    if not request.user.has_perm("mobjects.view_syncresult"):
        return render_denied(request, "mobjects.view_syncresult")
    job = get_object_or_404(SyncJob, pk=pk) if pk else None
    asked = read_filter(request, job)
    name = f"results-{job.created_at:%Y-%m-%d-%H%M}" if job else f"results-{timezone.localdate():%Y-%m-%d}"
    words = "; ".join(filter(None, [job_title(job) if job else "", describe_filter(asked)]))
    columns = result_columns(job_title, field_text, [kind for kind in Kind if may_see_kind(request, kind)])
    return _send(request, extension, name, columns, iter_results(find_results(asked)), words)


@require_GET
def jobs_file(request: HttpRequest, extension: str) -> HttpResponseBase:
    """The jobs that the list with the same query shows."""
    if not request.user.has_perm("mobjects.view_syncjob"):
        return render_denied(request, "mobjects.view_syncjob")
    found = get_filtered_list(request, SyncJob)
    name = f"jobs-{timezone.localdate():%Y-%m-%d}"
    columns = job_columns(job_title, job_text.outcome_text, operation_text)
    return _send(request, extension, name, columns, _iter_jobs(found.queryset), found.description)


def describe_filter(asked: ResultFilter) -> str:
    """What a list of results is narrowed to, in words; "" if it is not."""
    statuses = {**dict(SyncResultStatus.choices), result_queries.PROBLEMS: _("Not accepted"), STEPS: _("Steps")}
    parts = [
        (_("status"), statuses.get(asked.status, "")),
        (_("search"), asked.search),
        (_("reason like that of result"), asked.same_as),
        (_("kind"), asked.kind),
        (_("record"), asked.record),
        (_("from"), asked.since and asked.since.isoformat()),
        (_("before"), asked.until and asked.until.isoformat()),
    ]
    return "; ".join(f"{name}: {value}" for name, value in parts if value)


def _send(
    request: HttpRequest,
    extension: str,
    name: str,
    columns: list[ReportColumn],
    rows: Iterable[Any],
    filters: str,
) -> HttpResponseBase:
    if extension not in BY_EXTENSION:
        raise Http404
    file_format = BY_EXTENSION[extension]()
    return send_file(
        request,
        lambda taker: write_report(columns, rows, file_format, taker, filters),
        f"{name}.{extension}",
        file_format.content_type,
    )


def _iter_jobs(found: Any) -> Iterator[SyncJob]:
    """The jobs of a list in its order, some hundred at a time: no cursor stays open meanwhile."""
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), _JOBS_AT_ONCE):
        part = ids[start : start + _JOBS_AT_ONCE]
        jobs = SyncJob.objects.defer("selection", "progress").in_bulk(part)
        yield from (jobs[pk] for pk in part if pk in jobs)
