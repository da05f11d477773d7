"""deleteMObjects: opportunities and roles by id."""

from __future__ import annotations

from lxml import etree

from mobjects.sandbox.fields import OPPORTUNITY, ROLE
from mobjects.sandbox.soap.messages import MObject, StatusRow, read_objects, write_rows
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.soap.sync_call import NOT_APPLIED, ForcedRows, check_count
from mobjects.sandbox.state import SandboxStore


def delete_mobjects(store: SandboxStore, message: etree._Element, result: etree._Element, forced: ForcedRows) -> None:
    """Delete what is there. Roles of a deleted opportunity stay, as orphans."""
    objects = read_objects(message)
    check_count(objects)
    for mobject in objects:
        if mobject.type not in (OPPORTUNITY, ROLE):
            raise SoapFault("20110", f"deleteMObjects does not support objects of type {mobject.type!r}")
    write_rows(result, [_delete(store, mobject, forced.get(index)) for index, mobject in enumerate(objects)])


def _delete(store: SandboxStore, mobject: MObject, forced: StatusRow | None) -> StatusRow:
    if forced is not None and forced.status in NOT_APPLIED:
        return StatusRow(forced.status, mobject.id, error=forced.error)
    if mobject.id is None:
        return StatusRow("FAILED", error=f"id is required to delete {mobject.type}")
    status = "DELETED" if store.delete_object(mobject.type, mobject.id) else "UNCHANGED"
    return StatusRow(forced.status if forced else status, mobject.id, error=forced.error if forced else "")
