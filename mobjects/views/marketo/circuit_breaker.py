"""Letting sending go on after it was halted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from mobjects.jobs.control import find_earliest_reset, reset_circuit
from mobjects.presentation.job_text import format_time
from mobjects.views.base import press_only, require_permission


@press_only("mobjects:connection")
@require_permission("mobjects.reset_circuit")
def circuit_reset(request: HttpRequest) -> HttpResponse:
    """Let sending go on, and say so."""
    earliest = find_earliest_reset()
    if earliest is not None:
        messages.warning(
            request,
            "Not yet: Marketo may still be working on what was sent before this database was restored. "
            f"Sending can be let go on from {format_time(earliest)} on.",
        )
    elif reset_circuit(request.user):  # type: ignore[arg-type]
        messages.success(request, "Sending goes on. The jobs that waited for it are called by themselves.")
    else:
        messages.info(request, "Sending is not halted.")
    return redirect("mobjects:connection" if request.user.has_perm("mobjects.test_connection") else "admin:index")
