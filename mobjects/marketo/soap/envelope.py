"""zeep's part: the bundled WSDL, envelopes with their signed header, and the parser of answers.

Objects that are sent do not pass through it, and what answers hold is read from their elements.

The WSDL is our own and holds the calls this project may use; it is read from disk, so zeep fetches nothing. The
address in it is never used: Marketo's own WSDL names a shared machine, so every instance gives its endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.etree import Element, QName, _Element
from zeep import Settings, Transport
from zeep.exceptions import Error as ZeepError
from zeep.loader import parse_xml
from zeep.wsdl import Document

from mobjects.marking import gettext_noop as _

WSDL = Path(__file__).with_name("mktows.wsdl")
NAMESPACE = "http://www.marketo.com/mktows/"
_BINDING = f"{{{NAMESPACE}}}MktowsApiSoapBinding"
_NO_OBJECTS = b"<mObjectList/>"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

# The XML of an answer must be well-formed to the last byte: zeep's tolerant parser would mend an answer that was
# cut off.
_STRICT = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)


class UnreadableResponse(Exception):
    """An answer is not what Marketo's SOAP service would say; the text says in a few words what it is instead."""


@dataclass(frozen=True, slots=True)
class AuthenticationHeader:
    """The AuthenticationHeader of one attempt."""

    user_id: str
    signature: str = field(repr=False)
    timestamp: str
    partner_id: str = ""

    def to_elements(self) -> dict[str, str]:
        """Its elements under Marketo's names; the LaunchPoint key only where there is one."""
        fields = {
            "mktowsUserId": self.user_id,
            "requestSignature": self.signature,
            "requestTimestamp": self.timestamp,
        }
        return fields | ({"partnerId": self.partner_id} if self.partner_id else {})


@cache
def _document() -> Document:
    # zeep's constructors have no types, and it annotates the instance it takes as the class.
    transport: Any = Transport()  # type: ignore[no-untyped-call]
    return Document(str(WSDL), transport, settings=_STRICT)


def _operation(name: str) -> Any:  # zeep's SoapOperation, which is untyped
    binding: Any = _document().bindings[_BINDING]
    return binding.get(name)


def build_envelope(
    operation: str, header: AuthenticationHeader, arguments: Mapping[str, Any], objects: str = ""
) -> bytes:
    """zeep's envelope for one call, in UTF-8.

    Args:
        operation: name in the WSDL.
        header: goes into the SOAP header.
        arguments: the operation's parameters in zeep's form.
        objects: the content of an ``mObjectList`` that is empty among them, written already.
    """
    soap_headers = {"authentication": header.to_elements()}
    # Asked of the operation, because syncMObjects has a parameter that is itself named "operation".
    built: _Element = _operation(operation).create(_soapheaders=soap_headers, **arguments).content
    message: bytes = etree.tostring(built, xml_declaration=True, encoding="utf-8")
    # Nothing else can look like it: in every text "<" is written as "&lt;".
    return message.replace(_NO_OBJECTS, f"<mObjectList>{objects}</mObjectList>".encode()) if objects else message


def http_headers(operation: str) -> dict[str, str]:
    """The HTTP headers of SOAP 1.1; the action stands in quotes."""
    action = _operation(operation).soapaction
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}


def parse_envelope(content: bytes) -> _Element:
    """Parse an answer's body as a SOAP 1.1 envelope, refusing DTDs and entities.

    Raises:
        UnreadableResponse: it is something else.
    """
    if not content.strip():
        raise UnreadableResponse(_("an empty answer"))
    try:
        root: _Element = parse_xml(content.strip(), None, settings=_STRICT)  # type: ignore[arg-type]  # takes bytes, says str
    except ZeepError as error:
        raise UnreadableResponse(_kind_of_page(content)) from error
    if root.tag != f"{{{_SOAP}}}Envelope":
        raise UnreadableResponse(_kind_of_page(content))
    return root


def find_fault(root: _Element) -> _Element | None:
    """The soap:Fault of an envelope, if it has one."""
    return root.find(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault")


def find_result(operation: str, root: _Element) -> _Element:
    """The ``result`` element of a successful answer; what stands next to it is passed over.

    Raises:
        UnreadableResponse: the envelope holds no answer to this operation.
    """
    success = f"success{operation[0].upper()}{operation[1:]}"
    body = root.find(f"{{{_SOAP}}}Body")
    messages = [] if body is None else list(body.iterchildren(Element))
    if [QName(child.tag).localname for child in messages] != [success]:
        raise UnreadableResponse(_("a SOAP answer without %(success)s") % {"success": success})
    results = messages[0].findall("result")
    if len(results) != 1:
        raise UnreadableResponse(_("a %(success)s without its result") % {"success": success})
    return results[0]


def _kind_of_page(content: bytes) -> str:
    start = content[:2000].lower()
    if b"<html" in start or b"<!doctype html" in start:
        return _("an HTML page")
    return _("something that is not SOAP")


# --- calls that are kept --------------------------------------------------------------------


def find_member(request: str, response: str, place: int, size: int) -> tuple[str, str]:
    """What a kept call holds of one record: the object that was sent, and the status that came back.

    Args:
        place: of the record in the call, from 1.
        size: how many records it held.
    """
    return _nth_element(request, "mObject", place, size), _nth_element(response, "mObjStatus", place, size)


def _nth_element(text: str, name: str, place: int, size: int) -> str:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):  # It was cut off, or is no answer of Marketo's.
        return ""
    found = [each for each in root.iter() if isinstance(each.tag, str) and etree.QName(each).localname == name]
    if len(found) != size or not 0 < place <= size:
        return ""
    element = found[place - 1]
    etree.cleanup_namespaces(element)
    return etree.tostring(element, pretty_print=True, encoding="unicode", with_tail=False)
