"""Letting sending go on after it was halted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from mobjects.jobs.control import reset_circuit
from mobjects.views.base import press_only, require_permission


@press_only("mobjects:connection")
@require_permission("mobjects.reset_circuit")
def circuit_reset(request: HttpRequest) -> HttpResponse:
    """Let sending go on, and say so."""
    if reset_circuit(request.user):  # type: ignore[arg-type]
        messages.success(request, "Sending goes on. The jobs that waited for it are called by themselves.")
    else:
        messages.info(request, "Sending is not halted.")
    return redirect("mobjects:connection" if request.user.has_perm("mobjects.test_connection") else "admin:index")
