"""Parts of messages as plain data: objects as sent, associations, status rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from mobjects.sandbox.soap.envelope import add_attrib, add_child, add_or_nil, text_of
from mobjects.sandbox.state import KeyPair

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MObjectAssociation:
    """A link to another object, by id or by external key."""

    type: str
    id: int | None
    key: KeyPair | None


@dataclass(frozen=True, slots=True)
class MObject:
    """One object as sent. ``stamped`` tells that createdAt or updatedAt was among its parts."""

    type: str
    id: int | None
    key: KeyPair | None
    stamped: bool
    attribs: Pairs
    type_attribs: list[tuple[str, Pairs]]
    associations: list[MObjectAssociation]


@dataclass(frozen=True, slots=True)
class StatusRow:
    """What is answered for one object."""

    status: str
    id: int | None = None
    key: KeyPair | None = None
    error: str = ""


class ObjectRefused(Exception):
    """One object is refused; the text goes into its row."""


def read_int(parent: etree._Element, name: str) -> int | None:
    """The number in a schema-valid xs:int child, ``None`` if absent."""
    text = parent.findtext(name)
    return None if text is None else int(text)


def read_key(parent: etree._Element) -> KeyPair | None:
    """The externalKey pair, if there is one."""
    pair = parent.find("externalKey")
    return None if pair is None else (text_of(pair, "name"), text_of(pair, "value"))


def read_associations(parent: etree._Element, name: str) -> list[MObjectAssociation]:
    """The links in the list called ``name`` (``associationList`` or ``mObjAssociationList``)."""
    return [
        MObjectAssociation(text_of(link, "mObjType"), read_int(link, "id"), read_key(link))
        for link in parent.iterfind(f"{name}/mObjAssociation")
    ]


def read_objects(message: etree._Element) -> list[MObject]:
    """All objects of a sync or delete call, in order."""
    return [_read_object(element) for element in message.iterfind("mObjectList/mObject")]


def _read_object(element: etree._Element) -> MObject:
    return MObject(
        type=text_of(element, "type"),
        id=read_int(element, "id"),
        key=read_key(element),
        stamped=element.find("createdAt") is not None or element.find("updatedAt") is not None,
        attribs=_read_pairs(element.iterfind("attribList/attrib")),
        type_attribs=[
            (text_of(item, "attrType"), _read_pairs(item.iterfind("attrList/attrib")))
            for item in element.iterfind("typeAttribList/typeAttrib")
        ],
        associations=read_associations(element, "associationList"),
    )


def _read_pairs(attribs: Iterable[etree._Element]) -> Pairs:
    return [(text_of(attrib, "name"), text_of(attrib, "value")) for attrib in attribs]


def pairs_to_dict(pairs: Pairs) -> dict[str, str]:
    """The pairs by name.

    Raises:
        ObjectRefused: a name is there twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ObjectRefused(f"{twice} is given twice")
    return found


def write_rows(result: etree._Element, rows: list[StatusRow]) -> None:
    """Add the mObjStatusList in the form of API version 2_7: no object, nil id."""
    listing = add_child(result, "mObjStatusList")
    for row in rows:
        element = add_child(listing, "mObjStatus")
        add_or_nil(element, "id", row.id)
        if row.key is not None:
            add_attrib(element, *row.key, tag="externalKey")
        add_child(element, "status", row.status)
        if row.error:
            add_child(element, "error", row.error)
