"""The queue page: is Redis there, is somebody working, on what. Nothing can be changed here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from mobjects.processes import status as queue_status
from mobjects.views.base import render_page, require_permission


@require_GET
@require_permission("mobjects.view_queue")
def queue_page(request: HttpRequest) -> HttpResponse:
    """The queue's state now."""
    return render_page(request, "sync/queue.html", "Queue", status_now=queue_status.read())
