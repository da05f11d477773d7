"""syncMObjects on programs: period costs and tags, UPDATE only."""

from __future__ import annotations

from dataclasses import replace

from mobjects.sandbox.soap.messages import MObject, ObjectRefused, Pairs, StatusRow, pairs_to_dict
from mobjects.sandbox.state import SandboxStore, StoredCost, StoredProgram
from mobjects.sandbox.values import InvalidValue, read_currency, read_integer, read_month

CHANNEL = "Channel"
_COST_NAMES = {"Month", "Amount", "Id", "Note"}
_TAG_NAMES = {"Type", "Value"}


def update_program(store: SandboxStore, operation: str, mobject: MObject) -> StatusRow:
    """Apply costs and tags to one program.

    Raises:
        ObjectRefused: for the first thing wrong with it; nothing is applied then.
    """
    if operation != "UPDATE":
        raise ObjectRefused(f"Program supports UPDATE only, not {operation}")
    _refuse_foreign_parts(mobject)
    program = store.programs.get(mobject.id or 0)
    if program is None:
        return StatusRow("SKIPPED", error=f"There is no Program with id {mobject.id}")
    draft = replace(program, costs=dict(program.costs), tags=dict(program.tags))
    added = _draft(store, draft, mobject)
    if not added and (draft.costs, draft.tags, draft.channel) == (program.costs, program.tags, program.channel):
        return StatusRow("UNCHANGED", program.id)
    for cost in added:
        # Only now, so that a refused object uses up no id.
        kept = replace(cost, id=store.new_id("Cost"))
        draft.costs[kept.id] = kept
    store.programs[program.id] = replace(draft, updated_at=store.clock.now())
    return StatusRow("UPDATED", program.id)


def _refuse_foreign_parts(mobject: MObject) -> None:
    if mobject.id is None:
        raise ObjectRefused("id is required on Program")
    for part, name in (
        (mobject.key, "externalKey"),
        (mobject.attribs, "attribList"),
        (mobject.associations, "associationList"),
    ):
        if part:
            raise ObjectRefused(f"Program is updated through typeAttribList only; {name} is not allowed")


def _draft(store: SandboxStore, draft: StoredProgram, mobject: MObject) -> list[StoredCost]:
    """Change the draft; the costs to be added come back, still without id."""
    added = []
    tags_seen: set[str] = set()
    for kind, pairs in mobject.type_attribs:
        if kind == "Cost":
            cost, cost_id = _read_cost(pairs)
            if cost_id is None:
                added.append(cost)
            else:
                _change_cost(draft, cost, cost_id, keep_note="Note" not in dict(pairs))
        elif kind == "Tag":
            _set_tag(store, draft, pairs, tags_seen)
        else:
            raise ObjectRefused(f"attrType {kind} is not one of Cost, Tag")
    return added


def _read_cost(pairs: Pairs) -> tuple[StoredCost, int | None]:
    given = _named("Cost", pairs, _COST_NAMES, required=("Month", "Amount"))
    reading = ""
    try:
        reading = "Month"
        month = read_month(given["Month"])
        reading = "Amount"
        read_currency(given["Amount"])
        reading = "Id"
        cost_id = int(read_integer(given["Id"])) if "Id" in given else None
    except InvalidValue as bad:
        raise ObjectRefused(f"Cost {reading}: {given[reading]!r} is not valid, wanted {bad}") from bad
    return StoredCost(0, month, given["Amount"], given.get("Note", "")), cost_id


def _change_cost(draft: StoredProgram, cost: StoredCost, cost_id: int, *, keep_note: bool) -> None:
    old = draft.costs.get(cost_id)
    if old is None:
        raise ObjectRefused(f"Cost Id: Program {draft.id} has no cost {cost_id}")
    new = replace(cost, id=cost_id, note=old.note if keep_note else cost.note)
    if not new.means_same_as(old):
        draft.costs[cost_id] = new


def _set_tag(store: SandboxStore, draft: StoredProgram, pairs: Pairs, seen: set[str]) -> None:
    given = _named("Tag", pairs, _TAG_NAMES, required=("Type", "Value"))
    kind, value = given["Type"], given["Value"]
    if kind in seen:
        raise ObjectRefused(f"Tag {kind} is given twice")
    seen.add(kind)
    if kind == CHANNEL:
        if value not in store.channels:
            raise ObjectRefused(f"Tag {CHANNEL}: there is no channel {value!r}")
        draft.channel = value
    elif kind not in store.tags:
        raise ObjectRefused(f"Tag: there is no tag type {kind!r}")
    elif value not in store.tags[kind]:
        raise ObjectRefused(f"Tag {kind}: {value!r} is not one of its values")
    else:
        draft.tags[kind] = value


def _named(what: str, pairs: Pairs, allowed: set[str], *, required: tuple[str, ...]) -> dict[str, str]:
    given = pairs_to_dict(pairs)
    for name in given:
        if name not in allowed:
            raise ObjectRefused(f"{what} has no attribute {name}")
    for name in required:
        if not given.get(name):
            raise ObjectRefused(f"{what} {name} is required")
    return given
