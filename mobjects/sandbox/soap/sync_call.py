"""syncMObjects: what happens to each object, in order, each one wholly or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from mobjects.sandbox.fields import OPPORTUNITY, PROGRAM, ROLE, SYNCABLE
from mobjects.sandbox.soap.envelope import text_of
from mobjects.sandbox.soap.messages import MObject, ObjectRefused, StatusRow, read_objects, write_rows
from mobjects.sandbox.soap.programs import update_program
from mobjects.sandbox.soap.records import new_values
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.state import SandboxStore, StoredObject

MAX_OBJECTS = 100

ForcedRows = Mapping[int, StatusRow]
"""Rows that a script puts in the place of what would have been answered, by index."""

NOT_APPLIED = frozenset({"FAILED", "SKIPPED"})


def sync_mobjects(store: SandboxStore, message: etree._Element, result: etree._Element, forced: ForcedRows) -> None:
    """Apply a syncMObjects call and write its status rows."""
    objects = read_objects(message)
    check_count(objects)
    for mobject in objects:
        if mobject.type not in SYNCABLE:
            raise SoapFault("20110", f"syncMObjects does not support objects of type {mobject.type!r}")
    operation = text_of(message, "operation")
    rows = [_with_forced(store, operation, mobject, forced.get(index)) for index, mobject in enumerate(objects)]
    write_rows(result, rows)


def check_count(objects: list[MObject]) -> None:
    """Refuse an empty call and one of more than 100 objects."""
    if not objects:
        raise SoapFault("20109", "mObjectList is empty")
    if len(objects) > MAX_OBJECTS:
        raise SoapFault("20110", f"At most {MAX_OBJECTS} objects are allowed in one call, got {len(objects)}")


def _with_forced(store: SandboxStore, operation: str, mobject: MObject, forced: StatusRow | None) -> StatusRow:
    if forced is None:
        return _apply(store, operation, mobject)
    if forced.status in NOT_APPLIED:
        return StatusRow(forced.status, mobject.id, _echo(mobject), forced.error)
    real = _apply(store, operation, mobject)
    return StatusRow(forced.status, real.id, real.key, forced.error)


def _apply(store: SandboxStore, operation: str, mobject: MObject) -> StatusRow:
    try:
        if mobject.stamped:
            raise ObjectRefused("createdAt and updatedAt are read-only")
        if mobject.type == PROGRAM:
            return update_program(store, operation, mobject)
        return _apply_record(store, operation, mobject)
    except ObjectRefused as failed:
        return StatusRow("FAILED", _find(store, mobject), _echo(mobject), str(failed))


def _apply_record(store: SandboxStore, operation: str, mobject: MObject) -> StatusRow:
    if mobject.type == ROLE and mobject.key is not None:
        raise ObjectRefused("OpportunityPersonRole has no external key")
    found = _find(store, mobject)
    reason = _skip_reason(operation, mobject, found)
    if reason:
        return StatusRow("SKIPPED", found, _echo(mobject), reason)
    if found is None:
        created = store.create_object(mobject.type, new_values(store, mobject, {}))
        return StatusRow("CREATED", created.id, _echo(mobject))
    return StatusRow(_update(store, mobject, store.objects[mobject.type][found]), found, _echo(mobject))


def _update(store: SandboxStore, mobject: MObject, stored: StoredObject) -> str:
    values = new_values(store, mobject, stored.values)
    if values == stored.values:
        return "UNCHANGED"
    store.replace_values(stored, values)
    return "UPDATED"


def _skip_reason(operation: str, mobject: MObject, found: int | None) -> str:
    if found is not None:
        return f"{mobject.type} {found} already exists" if operation == "INSERT" else ""
    if mobject.id is not None:
        return f"There is no {mobject.type} with id {mobject.id}; ids are given by Marketo"
    if operation != "UPDATE":
        return ""
    if mobject.key is None:
        return f"{mobject.type} without id cannot be updated"
    return f"There is no {mobject.type} with {mobject.key[0]} = {mobject.key[1]}"


def _find(store: SandboxStore, mobject: MObject) -> int | None:
    """The object meant: by id, or else (opportunities) by external key."""
    if mobject.id is not None:
        return mobject.id if store.exists(mobject.type, mobject.id) else None
    if mobject.type == OPPORTUNITY and mobject.key is not None:
        return store.newest_by_key(OPPORTUNITY, mobject.key)
    return None


def _echo(mobject: MObject) -> tuple[str, str] | None:
    return mobject.key if mobject.type == OPPORTUNITY else None
