"""Letting sending go on after it was halted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mobjects import selectors
from mobjects.jobs.control import find_earliest_reset, reset_circuit
from mobjects.models import Kind
from mobjects.presentation.job_text import format_time
from mobjects.presentation.vocabulary import KIND_WORDS, join_each
from mobjects.views.base import press_only, require_permission


@press_only("mobjects:connection")
@require_permission("mobjects.reset_circuit")
def circuit_reset(request: HttpRequest) -> HttpResponse:
    """Let sending go on, and say so: of the ``kind`` that was posted ("" is the halt of everything), else of all."""
    kind = request.POST.get("kind")
    earliest = None if kind else find_earliest_reset()
    if kind and kind not in tuple(Kind):
        messages.error(
            request,
            _("Nothing was reset: the kind “%(kind)s” is none of %(kinds)s.")
            % {"kind": kind, "kinds": ", ".join(Kind)},
        )
    elif earliest is not None:
        messages.warning(
            request,
            _(
                "Not yet: Marketo may still be working on what was sent before this database was restored. "
                "Sending can be let go on from %(time)s on."
            )
            % {"time": format_time(earliest)},
        )
    elif reset_circuit(request.user, kind):  # type: ignore[arg-type]
        messages.success(request, _describe_reset(kind))
    else:
        messages.info(
            request,
            _("Sending of %(kind)s is not halted.") % {"kind": _name_kind(kind)}
            if kind
            else _("Sending is not halted."),
        )
    return redirect("mobjects:connection" if request.user.has_perm("mobjects.test_connection") else "admin:index")


def _describe_reset(kind: str | None) -> str:
    """What goes on now, and what is halted still."""
    halted = [circuit.kind for circuit in selectors.open_circuits()]
    if kind and "" in halted:
        return _("%(kinds)s are no longer halted by themselves, but all sending is still halted.") % {
            "kinds": _name_kind(kind).capitalize()
        }
    if kind:
        return _("Sending of %(kinds)s goes on. Sync them again.") % {"kinds": _name_kind(kind)}
    names = join_each(list(map(_name_kind, halted)))
    goes_on = (
        _("Sending goes on, but not of %(names)s: they are still halted.") % {"names": names}
        if halted
        else _("Sending goes on.")
    )
    return goes_on + " " + _("The jobs that waited for it are called by themselves.")


def _name_kind(kind: str) -> str:
    return str(KIND_WORDS[kind])
