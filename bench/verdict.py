"""Both sides compared: what is lost, what is doubled, what is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from mobjects.models import Opportunity, OpportunityPersonRole, Program, RecordStatus
from mobjects.sandbox import SandboxServer
from tests.support import invariants


def both_sides(sandbox: SandboxServer) -> dict[str, Any]:
    """Count what is wrong.

    ``lost`` differs between here and Marketo though it counts as synced; ``doubled`` is in Marketo twice; ``changed``,
    ``unknown`` and ``claimed`` are what :func:`left` says; ``history`` is what the history does not tell.
    """
    everything = invariants.everything()
    counts_as_synced = [each for each in everything if not (each.is_dirty or each.last_status == RecordStatus.UNKNOWN)]
    history = ""
    try:
        invariants.history_tells(sandbox)
    except AssertionError as error:
        history = str(error)
    return {
        "records": len(everything),
        "lost": sum(bool(invariants.differences(sandbox, record)) for record in counts_as_synced),
        "doubled": _doubled(sandbox),
        "history": history,
        **left(),
    }


def left() -> dict[str, int]:
    """What is still to be sent, still in doubt, still in a batch; all zero once everything has arrived."""
    models = (Program, Opportunity, OpportunityPersonRole)
    return {
        "changed": sum(model.objects.dirty().exclude(last_status=RecordStatus.UNKNOWN).count() for model in models),
        "unknown": sum(model.objects.filter(last_status=RecordStatus.UNKNOWN).count() for model in models),
        "claimed": sum(model.objects.filter(claimed_by__isnull=False).count() for model in models),
    }


def _doubled(sandbox: SandboxServer) -> int:
    store = sandbox.store
    with store.lock:
        ours = [stored.values.get("Description") for stored in store.opportunities.values()]
        roles = [(stored.values["OpportunityId"], stored.values["PersonId"]) for stored in store.roles.values()]
        costs = [cost.note for program in store.programs.values() for cost in program.costs.values()]
    notes = [note for note in costs if note.startswith(invariants.OURS)]
    return _extra(ours) + _extra(roles) + _extra(notes)


def _extra(found: Iterable[Any]) -> int:
    return sum(times - 1 for times in Counter(found).values())
