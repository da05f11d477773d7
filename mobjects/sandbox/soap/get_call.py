"""getMObjects: finding, paging by stream position, and writing objects out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice

from lxml import etree

from mobjects.sandbox.fields import OPPORTUNITY, PROGRAM, SYNCABLE
from mobjects.sandbox.soap.criteria import SandboxObject, compile_tests, read_criteria
from mobjects.sandbox.soap.envelope import add_attrib, add_child, text_of
from mobjects.sandbox.soap.messages import MObjectAssociation, ObjectRefused, read_associations, read_int, read_key
from mobjects.sandbox.soap.programs import CHANNEL
from mobjects.sandbox.soap.records import LINKS, resolve_association
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.state import SandboxStore, StoredObject, StoredProgram

PAGE_SIZE = 100

# Real positions are kilobytes long, on the last page too; a client that assumes less should find out here.
_FILLER = "." * 3000


def get_mobjects(store: SandboxStore, message: etree._Element, result: etree._Element) -> None:
    """Answer a getMObjects call with one page of at most 100 objects, by rising id."""
    kind = text_of(message, "type")
    if kind not in SYNCABLE:
        raise SoapFault("20110", f"getMObjects does not support objects of type {kind!r}")
    filters = _fingerprint(message)
    after = _read_position(text_of(message, "streamPosition"), filters)
    found = _find(store, kind, message, after)
    page, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    add_child(result, "returnCount", str(len(page)))
    add_child(result, "hasMore", "true" if more else "false")
    add_child(result, "newStreamPosition", _write_position(page[-1].id if more else None, filters))
    listing = add_child(result, "mObjectList")
    details = text_of(message, "includeDetails").strip() in ("true", "1")
    for item in page:
        _write_object(listing, item, details=details)


def _find(store: SandboxStore, kind: str, message: etree._Element, after: int) -> list[SandboxObject]:
    """The first of what is asked for behind an id, one more than a page has; objects behind them are not looked at."""
    wanted_id, key = read_int(message, "id"), read_key(message)
    if wanted_id is not None and key is not None:
        raise SoapFault("20110", "Give id or externalKey, not both")
    if key is not None:
        if kind != OPPORTUNITY:
            raise SoapFault("20110", f"{kind} has no external key")
        wanted_id = store.newest_by_key(kind, key) or 0
    tests = compile_tests(kind, read_criteria(message), by_id=wanted_id is not None)
    links = _resolve_links(store, kind, read_associations(message, "mObjAssociationList"))
    if links is None:
        return []
    pool: Mapping[int, SandboxObject] = store.programs if kind == PROGRAM else store.objects[kind]
    ids = sorted(pool if wanted_id is None else pool.keys() & {wanted_id})
    later = (pool[id_] for id_ in ids[bisect_right(ids, after) :])
    fits = (item for item in later if all(test(item) for test in tests) and _has_links(item, links))
    return list(islice(fits, PAGE_SIZE + 1))


def _resolve_links(store: SandboxStore, kind: str, associations: Iterable[MObjectAssociation]) -> dict[str, str] | None:
    """Attribute to id wanted; ``None`` if an association leads nowhere, so that nothing can match."""
    links: dict[str, str] = {}
    for association in associations:
        attribute = LINKS.get(kind, {}).get(association.type)
        if attribute is None:
            raise SoapFault("20110", f"{kind} cannot be found by an association with {association.type}")
        if association.id is not None:
            # Not resolved: roles of a deleted opportunity can still be found by its id.
            links[attribute] = str(association.id)
            continue
        try:
            links[attribute] = str(resolve_association(store, association))
        except ObjectRefused:
            return None
    return links


def _has_links(item: SandboxObject, links: dict[str, str]) -> bool:
    return not links or (
        isinstance(item, StoredObject) and all(item.values.get(name) == id_ for name, id_ in links.items())
    )


def _fingerprint(message: etree._Element) -> str:
    """What is asked for, apart from the position: a position belongs to one set of filters."""
    parts = [etree.tostring(child, method="c14n", exclusive=True) for child in message if child.tag != "streamPosition"]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _write_position(last_id: int | None, filters: str) -> str:
    token = json.dumps({"after": last_id, "filters": filters, "filler": _FILLER})
    return base64.b64encode(token.encode()).decode()


def _read_position(text: str, filters: str) -> int:
    if not text:
        return 0
    try:
        token = json.loads(base64.b64decode(text, validate=True))
        after, made_for = token["after"], token["filters"]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise SoapFault("20122", "The stream position cannot be read") from error
    if made_for != filters:
        raise SoapFault("20122", "The stream position belongs to a call with other filters")
    if after is None:
        raise SoapFault("20123", "The stream is at its end")
    return int(after)


def _write_object(listing: etree._Element, item: SandboxObject, *, details: bool) -> None:
    element = add_child(listing, "mObject")
    add_child(element, "type", PROGRAM if isinstance(item, StoredProgram) else item.type)
    add_child(element, "id", str(item.id))
    add_child(element, "createdAt", item.created_at.isoformat(timespec="seconds"))
    add_child(element, "updatedAt", item.updated_at.isoformat(timespec="seconds"))
    attribs = add_child(element, "attribList")
    pairs = _program_pairs(item) if isinstance(item, StoredProgram) else sorted(item.values.items())
    for name, value in pairs:
        add_attrib(attribs, name, value)
    if isinstance(item, StoredObject):
        _write_links(element, item)
    elif details:
        _write_details(element, item)


def _write_links(element: etree._Element, item: StoredObject) -> None:
    linked = [(kind, item.values[name]) for kind, name in LINKS[item.type].items() if name in item.values]
    if not linked:
        return
    listing = add_child(element, "associationList")
    for kind, id_ in linked:
        link = add_child(listing, "mObjAssociation")
        add_child(link, "mObjType", kind)
        add_child(link, "id", id_)


def _program_pairs(program: StoredProgram) -> list[tuple[str, str]]:
    pairs = [
        ("Name", program.name),
        ("Type", program.type),
        ("Workspace Id", str(program.workspace_id)),
        ("Workspace Name", program.workspace_name),
        ("Tree Path", program.tree_path),
        ("Is Archived", "true" if program.is_archived else "false"),
        ("CRM Id", program.crm_id),
        ("Start Date", _local(program.start)),
        ("End Date", _local(program.end)),
    ]
    return [(name, value) for name, value in pairs if value]


def _local(moment: datetime | None) -> str:
    # Without zone: that is how Adobe's getMObjects sample shows program dates.
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _write_details(element: etree._Element, program: StoredProgram) -> None:
    listing = add_child(element, "typeAttribList")
    for kind, value in [(CHANNEL, program.channel), *sorted(program.tags.items())]:
        _write_type_attrib(listing, "Tag", [("Type", kind), ("Value", value)])
    for cost in program.costs.values():
        # Written as 2013-06 but read as a day: so does Marketo.
        pairs = [("Id", str(cost.id)), ("Month", cost.month.isoformat()), ("Amount", cost.amount), ("Note", cost.note)]
        _write_type_attrib(listing, "Cost", [pair for pair in pairs if pair[1]])


def _write_type_attrib(listing: etree._Element, kind: str, pairs: list[tuple[str, str]]) -> None:
    element = add_child(listing, "typeAttrib")
    add_child(element, "attrType", kind)
    attributes = add_child(element, "attrList")
    for name, value in pairs:
        add_attrib(attributes, name, value)
