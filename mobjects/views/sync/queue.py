"""The queue page: is Redis there, is somebody working, on what. Nothing can be changed here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from mobjects.processes import status as queue_status
from mobjects.views.base import paginate_rows, render_page, require_permission

PER_PAGE = 50


@require_GET
@require_permission("mobjects.view_queue")
def queue_page(request: HttpRequest) -> HttpResponse:
    """The queue's state now, and with ``?list=`` what one of its counts is about."""
    asked = request.GET.get("list", "")
    known = asked in queue_status.LISTS
    return render_page(
        request,
        "sync/queue.html",
        "Queue",
        status_now=queue_status.read(),
        list_title=queue_status.LISTS.get(asked, ""),
        rows=paginate_rows(request, queue_status.list_work(asked), PER_PAGE) if known else None,
    )
