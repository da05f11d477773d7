"""/_control: scripting faults, moving the clock, and looking inside, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from mobjects.sandbox.fault_injection import ScriptedFault
from mobjects.sandbox.http_answer import HttpAnswer
from mobjects.sandbox.state import SandboxStore, StoredObject, StoredProgram

if TYPE_CHECKING:
    from mobjects.sandbox.app import Sandbox

PREFIX = "/_control/"


class BadRequest(ValueError):
    """The body of a control call makes no sense; the message says why."""


def answer_control(sandbox: Sandbox, method: str, name: str, body: bytes) -> HttpAnswer:
    """Answer one control call.

    Args:
        name: what comes after ``/_control/``.
        body: JSON, or nothing.
    """
    action = _ACTIONS.get((method, name))
    if action is None:
        known = [f"{verb} {PREFIX}{path}" for verb, path in _ACTIONS]
        return _json(404, {"error": f"no {method} {PREFIX}{name}", "there_are": known})
    try:
        return _json(200, action(sandbox, _read(body)))
    except BadRequest as error:
        return _json(400, {"error": str(error)})


def _read(body: bytes) -> object:
    try:
        return json.loads(body) if body.strip() else None
    except ValueError as error:
        raise BadRequest(f"not JSON: {error}") from error


def _json(status: int, value: object) -> HttpAnswer:
    text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    return HttpAnswer(status, "application/json; charset=utf-8", text.encode())


def _add_faults(sandbox: Sandbox, given: object) -> object:
    entries = given if isinstance(given, list) else [given]
    if not all(isinstance(entry, dict) for entry in entries):
        raise BadRequest('each fault must be an object such as {"kind": "cut_after"}')
    try:
        sandbox.faults.extend([ScriptedFault.from_options(entry) for entry in entries])
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return _list_faults(sandbox, None)


def _list_faults(sandbox: Sandbox, given: object) -> object:
    return [{**asdict(fault), "left": left} for fault, left in sandbox.faults.list_pending()]


def _release(sandbox: Sandbox, given: object) -> object:
    sandbox.faults.release_calls()
    return {"released": True}


def _reset(sandbox: Sandbox, given: object) -> object:
    sandbox.reset()
    return count_objects(sandbox.store)


def _set_clock(sandbox: Sandbox, given: object) -> object:
    offset = given.get("offset_seconds") if isinstance(given, dict) else None
    if isinstance(offset, bool) or not isinstance(offset, int | float):
        raise BadRequest('wanted {"offset_seconds": number}')
    sandbox.store.clock.offset_seconds = float(offset)
    return {"offset_seconds": offset, "now": sandbox.store.clock.now().isoformat()}


def _show_instance(sandbox: Sandbox, given: object) -> object:
    return {**asdict(sandbox.rest.instance), "required_tags": sorted(sandbox.store.required_tags)}


def _set_instance(sandbox: Sandbox, given: object) -> object:
    if not isinstance(given, dict):
        raise BadRequest('wanted switches such as {"native_crm_sync": true}')
    options = dict(given)
    required = options.pop("required_tags", sorted(sandbox.store.required_tags))
    if not isinstance(required, list) or not set(map(str, required)) <= set(sandbox.store.tags):
        raise BadRequest(f"required_tags must be a list of {', '.join(sandbox.store.tags)}; got {required!r}")
    try:
        sandbox.rest.instance.set_options(options)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    sandbox.store.required_tags = set(required)
    return _show_instance(sandbox, None)


def _set_token(sandbox: Sandbox, given: object) -> object:
    """Let the current token end after ``expires_in`` seconds, or be ``refused`` with 601 or 602 until it ends."""
    options = given if isinstance(given, dict) else {}
    seconds, code = options.get("expires_in"), options.get("refused")
    numeric = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if set(options) - {"expires_in", "refused"} or not (numeric or seconds is None) or code not in (None, "601", "602"):
        raise BadRequest('wanted {"expires_in": seconds} or {"refused": "601"} or "602", or both')
    if not options:
        raise BadRequest("nothing to do: give expires_in or refused")
    now = sandbox.store.clock.now()
    if seconds is not None:
        sandbox.rest.tokens.expire_in(seconds, now)
    if code is not None:
        sandbox.rest.tokens.refuse_current(code, now)
    return {"expires_in": seconds, "refused": code}


def _list_calls(sandbox: Sandbox, given: object) -> object:
    return [call.as_json() for call in sandbox.journal.list_calls()]


def _state(sandbox: Sandbox, given: object) -> object:
    store = sandbox.store
    with store.lock:
        return {
            "now": store.clock.now().isoformat(),
            "counts": count_objects(store),
            "load": asdict(sandbox.journal.load),
            "programs": [_program(program) for program in store.programs.values()],
            "opportunities": [_object(stored) for stored in store.opportunities.values()],
            "roles": [_object(stored) for stored in store.roles.values()],
            "persons": [asdict(party) for party in store.persons.values()],
            "companies": [asdict(party) for party in store.companies.values()],
            "tags": {name: list(values) for name, values in store.tags.items()},
            "channels": list(store.channels),
        }


def count_objects(store: SandboxStore) -> dict[str, int]:
    """How many of each the store holds."""
    with store.lock:
        return {
            "programs": len(store.programs),
            "period costs": sum(len(program.costs) for program in store.programs.values()),
            "opportunities": len(store.opportunities),
            "roles": len(store.roles),
            "persons": len(store.persons),
            "companies": len(store.companies),
        }


def _program(program: StoredProgram) -> dict[str, object]:
    return {
        "id": program.id,
        "name": program.name,
        "description": program.description,
        "type": program.type,
        "workspace": program.workspace_name,
        "channel": program.channel,
        "is_archived": program.is_archived,
        "tags": dict(program.tags),
        "costs": [asdict(cost) for cost in program.costs.values()],
        "updated_at": program.updated_at.isoformat(),
    }


def _object(stored: StoredObject) -> dict[str, object]:
    return {
        "id": stored.id,
        "guid": stored.guid,
        "values": dict(stored.values),
        "created_at": stored.created_at.isoformat(),
        "updated_at": stored.updated_at.isoformat(),
    }


_ACTIONS: dict[tuple[str, str], Callable[[Sandbox, object], object]] = {
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("POST", "release"): _release,
    ("POST", "reset"): _reset,
    ("POST", "clock"): _set_clock,
    ("GET", "instance"): _show_instance,
    ("POST", "instance"): _set_instance,
    ("POST", "token"): _set_token,
    ("GET", "state"): _state,
    ("GET", "calls"): _list_calls,
}
