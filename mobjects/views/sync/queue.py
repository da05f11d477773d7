"""The queue page: is Redis there, is somebody working, on what. Nothing can be changed here."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.models import SyncJob
from mobjects.presentation.job_titles import job_title
from mobjects.processes import status as queue_status
from mobjects.processes.status import QueuedWork
from mobjects.views.base import paginate_rows, render_page, require_permission

PER_PAGE = 50


@require_GET
@require_permission("mobjects.view_queue")
def queue_page(request: HttpRequest) -> HttpResponse:
    """The queue's state now, and with ``?list=`` what one of its counts is about."""
    asked = request.GET.get("list", "")
    known = asked in queue_status.LISTS
    now = queue_status.read()
    rows = paginate_rows(request, queue_status.list_work(asked), PER_PAGE) if known else None
    return render_page(
        request,
        "sync/queue.html",
        _("Queue"),
        status_now=now,
        list_title=queue_status.LISTS.get(asked, ""),
        rows=rows,
        titles=_titles([*(rows or ()), *(worker.work for worker in now.workers if worker.work)]),
    )


def _titles(works: Sequence[QueuedWork]) -> dict[str, str]:
    """The titles of the sync jobs among some work, by id."""
    ids = [work.sync_job for work in works if work.sync_job]
    return {str(pk): job_title(job) for pk, job in SyncJob.objects.defer("progress").in_bulk(ids).items()}
