"""Talking to the sandbox by hand: envelopes written with lxml, signed here, sent with requests."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]  # the stubs lack it

from mobjects.sandbox import KEY, USER_ID, SandboxServer

# lxml's stubs make every find() optional; here a missing element is a failing test, whatever its type.
Element = Any
E: Any = ElementMaker()

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
API = "{http://www.marketo.com/mktows/}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TIMEOUT_SECONDS = 10

_WSDL = Path(__file__).parents[2] / "mobjects" / "marketo" / "soap" / "mktows.wsdl"
_SCHEMA = etree.XMLSchema(etree.fromstring(etree.tostring(etree.parse(_WSDL).getroot()[0][0])))


@dataclass(frozen=True)
class Row:
    """One mObjStatus as answered."""

    id: int | None
    status: str
    error: str
    key: tuple[str, str] | None


class Fault(Exception):
    """A SOAP fault; ``element`` is the soap:Fault."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.element: Element = etree.fromstring(response.content).find(f".//{SOAP}Fault")
        assert self.element is not None, response.text
        exception: Element = self.element.find(f"detail/{API}serviceException")
        self.code: str = exception.findtext("code")
        self.message: str = exception.findtext("message")
        super().__init__(self.message)


def sign(timestamp: str, user_id: str = USER_ID, key: str = KEY) -> str:
    return hmac.new(key.encode(), f"{timestamp}{user_id}".encode(), "sha1").hexdigest()


def timestamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat(timespec="seconds")


def attribs(tag: str, values: Mapping[str, str]) -> Element:
    return E(tag, *(E.attrib(E.name(name), E.value(value)) for name, value in values.items()))


def key_element(key: tuple[str, str]) -> Element:
    return E.externalKey(E.name(key[0]), E.value(key[1]))


def link(kind: str, id: int | None = None, key: tuple[str, str] | None = None) -> Element:
    element = E.mObjAssociation(E.mObjType(kind))
    if id is not None:
        element.append(E.id(str(id)))
    if key is not None:
        element.append(key_element(key))
    return element


def mobject(
    kind: str,
    id: int | None = None,
    key: tuple[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    parts: Sequence[tuple[str, Mapping[str, str]]] = (),
    links: Sequence[Element] = (),
) -> Element:
    """An mObject; ``parts`` are typeAttribs, ``links`` associations."""
    element = E.mObject(E.type(kind))
    if id is not None:
        element.append(E.id(str(id)))
    if key is not None:
        element.append(key_element(key))
    if values is not None:
        element.append(attribs("attribList", values))
    if parts:
        element.append(
            E.typeAttribList(*(E.typeAttrib(E.attrType(name), attribs("attrList", pairs)) for name, pairs in parts))
        )
    if links:
        element.append(E.associationList(*links))
    return element


def opportunity(id: int | None = None, key: str | None = None, links: Sequence[Element] = (), **values: Any) -> Element:
    """An Opportunity; ``key`` is sent as externalKey and repeated among the attributes, as Adobe's post does."""
    pair = None
    if key is not None:
        pair = ("ExternalOpportunityId", key)
        values = {**values, "ExternalOpportunityId": key}
    return mobject("Opportunity", id, pair, values, links=links)


def role(id: int | None = None, links: Sequence[Element] = (), **values: Any) -> Element:
    return mobject("OpportunityPersonRole", id, None, values, links=links)


def program(id: int | None, *parts: tuple[str, Mapping[str, str]]) -> Element:
    return mobject("Program", id, parts=parts)


def cost(month: str = "2026-07", amount: str = "2000", **more: str) -> tuple[str, Mapping[str, str]]:
    return ("Cost", {"Month": month, "Amount": amount, **more})


def tag(kind: str, value: str) -> tuple[str, Mapping[str, str]]:
    return ("Tag", {"Type": kind, "Value": value})


def criterion(name: str, comparison: str, value: str) -> Element:
    return E.mObjCriteria(E.attrName(name), E.comparison(comparison), E.attrValue(value))


class Wire:
    """A client of one sandbox that does exactly what the test says."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server

    def post(self, body: bytes, **headers: str) -> requests.Response:
        sent = {"Content-Type": "text/xml; charset=utf-8", **headers}
        return requests.post(self.server.endpoint, data=body, headers=sent, timeout=TIMEOUT_SECONDS)

    def envelope(self, name: str, *children: Element, **header: str) -> Element:
        """A signed envelope; ``header`` replaces what would be in the AuthenticationHeader."""
        at = header.get("requestTimestamp", timestamp(self.server.store.clock.now()))
        fields = {"mktowsUserId": USER_ID, "requestSignature": sign(at), "requestTimestamp": at, **header}
        envelope = etree.Element(f"{SOAP}Envelope")
        authentication = etree.SubElement(etree.SubElement(envelope, f"{SOAP}Header"), f"{API}AuthenticationHeader")
        for field, text in fields.items():
            etree.SubElement(authentication, field).text = text
        etree.SubElement(etree.SubElement(envelope, f"{SOAP}Body"), f"{API}params{name}").extend(children)
        return envelope

    def call(self, name: str, *children: Element, **header: str) -> Element:
        """Call an operation; gives the ``result``, checked against the schema, or raises :class:`Fault`."""
        response = self.post(etree.tostring(self.envelope(name, *children, **header)))
        if response.status_code != 200:
            raise Fault(response)
        body: Element = etree.fromstring(response.content).find(f"{SOAP}Body")
        success = body[0]
        _SCHEMA.assertValid(success)
        return success.find("result")

    def sync(self, operation: str, *objects: Element) -> list[Row]:
        return rows_of(self.call("SyncMObjects", E.mObjectList(*objects), E.operation(operation)))

    def sync_one(self, operation: str, one: Element) -> Row:
        (row,) = self.sync(operation, one)
        return row

    def delete(self, *objects: Element) -> list[Row]:
        return rows_of(self.call("DeleteMObjects", E.mObjectList(*objects)))

    def get(self, kind: str, *rest: Element) -> list[Element]:
        """The mObjects of one page."""
        return list(self.call("GetMObjects", E.type(kind), *rest).iterfind("mObjectList/mObject"))

    def values(self, kind: str, id: int) -> dict[str, str]:
        """The attributes of one object as getMObjects shows them."""
        (found,) = self.get(kind, E.id(str(id)))
        return pairs_of(found.findall("attribList/attrib"))

    def details(self, id: int) -> list[tuple[str, dict[str, str]]]:
        """The costs and tags of one program as getMObjects shows them."""
        (found,) = self.get("Program", E.id(str(id)), E.includeDetails("true"))
        return [
            (item.findtext("attrType"), pairs_of(item.findall("attrList/attrib")))
            for item in found.findall("typeAttribList/typeAttrib")
        ]


def pairs_of(elements: Sequence[Element]) -> dict[str, str]:
    return {element.findtext("name"): element.findtext("value") for element in elements}


def rows_of(result: Element) -> list[Row]:
    return [_row(element) for element in result.findall("mObjStatusList/mObjStatus")]


def _row(element: Element) -> Row:
    id_ = element.find("id")
    key = element.find("externalKey")
    return Row(
        id=None if id_.get(NIL) == "true" else int(id_.text),
        status=element.findtext("status"),
        error=element.findtext("error") or "",
        key=None if key is None else (key.findtext("name"), key.findtext("value")),
    )
