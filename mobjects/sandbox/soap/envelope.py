"""SOAP envelopes: reading them with care, and writing answers and faults.

Reading goes by namespace, never by prefix. Elements below the message are unqualified.
"""

from __future__ import annotations

from lxml import etree

from mobjects.sandbox.soap.soap_fault import SoapFault

SOAP_NS = "http://schemas.xmlsoap.org/soap/envelope/"
API_NS = "http://www.marketo.com/mktows/"
XSI_NS = "http://www.w3.org/2001/XMLSchema-instance"

_SOAP = f"{{{SOAP_NS}}}"
_API = f"{{{API_NS}}}"


def parse_envelope(body: bytes) -> etree._Element:
    """The envelope's root.

    Raises:
        SoapFault: 20012 if it is not UTF-8, not well-formed, holds a DTD, or is no SOAP 1.1 envelope.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise SoapFault("20012", f"Not UTF-8: {error.reason} at byte {error.start}") from error
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SoapFault("20012", f"Not well-formed XML: {error}") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # stubs lack it
        raise SoapFault("20012", "A document type declaration is not allowed")
    if root.tag != f"{_SOAP}Envelope":
        raise SoapFault("20012", f"Not a SOAP 1.1 envelope: {root.tag}")
    return root


def find_header(root: etree._Element) -> etree._Element:
    """The AuthenticationHeader.

    Raises:
        SoapFault: 20014 if there is none.
    """
    found = root.find(f"{_SOAP}Header/{_API}AuthenticationHeader")
    if found is None:
        raise SoapFault("20014", "There is no AuthenticationHeader")
    # mustUnderstand and actor belong to SOAP; the schema knows nothing of them.
    for name in [name for name in found.attrib if str(name).startswith(_SOAP)]:
        del found.attrib[name]
    return found


def find_message(root: etree._Element) -> etree._Element:
    """The one element inside the body.

    Raises:
        SoapFault: 20012 if there is not exactly one.
    """
    bodies = root.findall(f"{_SOAP}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise SoapFault("20012", "The envelope needs one Body with one element inside")
    return bodies[0][0]


def operation_of(message: etree._Element) -> str:
    """The operation asked for: ``syncMObjects`` for ``paramsSyncMObjects``; ``""`` if it is no such element."""
    name = etree.QName(message)
    if name.namespace != API_NS or not name.localname.startswith("params"):
        return ""
    rest = name.localname.removeprefix("params")
    return rest[:1].lower() + rest[1:]


def text_of(parent: etree._Element, name: str) -> str:
    """The text of an unqualified child, ``""`` if it is empty or absent."""
    return parent.findtext(name) or ""


def add_child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an unqualified child; with ``text=None`` it stays without text."""
    child = etree.SubElement(parent, name)
    child.text = text
    return child


def add_nil(parent: etree._Element, name: str) -> None:
    """Append ``<name xsi:nil="true"/>``."""
    add_child(parent, name).set(f"{{{XSI_NS}}}nil", "true")


def add_or_nil(parent: etree._Element, name: str, value: object) -> None:
    """Append an unqualified child, nil for ``None``."""
    if value is None:
        add_nil(parent, name)
    else:
        add_child(parent, name, str(value))


def add_attrib(parent: etree._Element, name: str, value: str, *, tag: str = "attrib") -> None:
    """Append a name-value pair."""
    pair = add_child(parent, tag)
    add_child(pair, "name", name)
    add_child(pair, "value", value)


def build_success(operation: str) -> tuple[etree._Element, etree._Element]:
    """An answer's envelope and the empty ``result`` inside it."""
    envelope, body = _envelope({"ns1": API_NS, "xsi": XSI_NS})
    answer = etree.SubElement(body, f"{_API}success{operation[0].upper()}{operation[1:]}")
    return envelope, add_child(answer, "result")


def build_fault(problem: SoapFault) -> etree._Element:
    """A fault's envelope. Only serviceException is qualified; its children are not."""
    envelope, body = _envelope({})
    soap_fault = etree.SubElement(body, f"{_SOAP}Fault")
    add_child(soap_fault, "faultcode", "SOAP-ENV:Client")
    add_child(soap_fault, "faultstring", f"{problem.code} - {problem.short_text}")
    exception = etree.SubElement(add_child(soap_fault, "detail"), f"{_API}serviceException", nsmap={"ns1": API_NS})
    add_child(exception, "name", "mktServiceException")
    add_child(exception, "message", f"{problem.message} ({problem.code})")
    add_child(exception, "code", problem.code)
    return envelope


def to_bytes(envelope: etree._Element) -> bytes:
    """The envelope as UTF-8 with an XML declaration."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _envelope(nsmap: dict[str, str]) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{_SOAP}Envelope", nsmap={"SOAP-ENV": SOAP_NS, **nsmap})
    return envelope, etree.SubElement(envelope, f"{_SOAP}Body")
