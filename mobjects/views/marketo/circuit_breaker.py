"""Letting sending go on after it was halted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from mobjects import selectors
from mobjects.jobs.control import find_earliest_reset, reset_circuit
from mobjects.models import Kind
from mobjects.presentation.job_text import KIND_WORDS, format_time
from mobjects.views.base import press_only, require_permission


@press_only("mobjects:connection")
@require_permission("mobjects.reset_circuit")
def circuit_reset(request: HttpRequest) -> HttpResponse:
    """Let sending go on, and say so: of the ``kind`` that was posted ("" is the halt of everything), else of all."""
    kind = request.POST.get("kind")
    earliest = None if kind else find_earliest_reset()
    if kind and kind not in tuple(Kind):
        messages.error(request, f"Nothing was reset: the kind “{kind}” is none of {', '.join(Kind)}.")
    elif earliest is not None:
        messages.warning(
            request,
            "Not yet: Marketo may still be working on what was sent before this database was restored. "
            f"Sending can be let go on from {format_time(earliest)} on.",
        )
    elif reset_circuit(request.user, kind):  # type: ignore[arg-type]
        messages.success(request, _describe_reset(kind))
    else:
        messages.info(request, f"Sending{f' of {_name_kind(kind)}' if kind else ''} is not halted.")
    return redirect("mobjects:connection" if request.user.has_perm("mobjects.test_connection") else "admin:index")


def _describe_reset(kind: str | None) -> str:
    """What goes on now, and what is halted still."""
    halted = [circuit.kind for circuit in selectors.open_circuits()]
    if kind and "" in halted:
        return f"{_name_kind(kind).capitalize()} are no longer halted by themselves, but all sending is still halted."
    if kind:
        return f"Sending of {_name_kind(kind)} goes on. Sync them again."
    names = " and ".join(map(_name_kind, halted))
    goes_on = f"Sending goes on, but not of {names}: they are still halted." if halted else "Sending goes on."
    return f"{goes_on} The jobs that waited for it are called by themselves."


def _name_kind(kind: str) -> str:
    return KIND_WORDS[kind][1]
