"""The WSDL: what it says a message looks like, and serving it with our own address.

The file holds the calls that are answered here. Served are all that Marketo's own file declared, because clients that
were made for that one look for them before their first call. Who calls one of the others hears 20019.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from lxml import etree

# Found by path and not by import: the sandbox shares the file with the client, never code.
BUNDLED_WSDL = Path(__file__).resolve().parents[2] / "marketo" / "soap" / "mktows.wsdl"

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_WSDL_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"

_PATTERN = "listMObjects"
"""The call after which the ones that are not answered are declared."""
UNANSWERED = (
    "getLead",
    "getMultipleLeads",
    "syncLead",
    "syncMultipleLeads",
    "mergeLeads",
    "getLeadActivity",
    "getLeadChanges",
    "getCampaignsForSource",
    "requestCampaign",
    "scheduleCampaign",
    "listOperation",
    "importToList",
    "getImportToListStatus",
    "getCustomObjects",
    "syncCustomObjects",
    "deleteCustomObjects",
)
"""Marketo's other operations, of Adobe's list of the SOAP API (2_7 and later)."""
_ANYTHING = f"""<xs:complexType xmlns:xs="{_XSD[1:-1]}" name="Anything"><xs:sequence>
  <xs:any minOccurs="0" maxOccurs="unbounded" namespace="##any" processContents="skip"/>
</xs:sequence></xs:complexType>"""


class WsdlFile:
    """One WSDL file.

    Args:
        path: where it is.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no WSDL with a schema inside.
    """

    def __init__(self, path: Path = BUNDLED_WSDL) -> None:
        self._source = path.read_bytes()
        schema = etree.fromstring(self._source).find(f".//{_XSD}schema")
        if schema is None:
            raise ValueError(f"{path}: no schema inside")
        # Written out and read again, so that the prefixes declared further up come along.
        self._schema = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))
        self._lock = Lock()

    def find_complaint(self, element: etree._Element) -> str:
        """What the schema says against an element, or ``""``."""
        # lxml keeps the error log on the schema object, which all threads share.
        with self._lock:
            if self._schema.validate(element):
                return ""
            log = self._schema.error_log
            return "; ".join(dict.fromkeys(entry.message for entry in log))  # type: ignore[attr-defined]  # stubs lack it

    def with_address(self, url: str) -> bytes:
        """The WSDL's text with its address replaced by ``url``, and with Marketo's other operations."""
        root = etree.fromstring(self._source)
        _declare_unanswered(root)
        for address in root.iter(f"{_WSDL_SOAP}address"):
            address.set("location", url)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _declare_unanswered(root: etree._Element) -> None:
    schema = next(root.iter(f"{_XSD}schema"))
    schema.insert(0, etree.fromstring(_ANYTHING))
    for pattern in list(_parts_of(root)):
        parent, place = pattern.getparent(), pattern
        for name in UNANSWERED:
            made = _renamed(pattern, name)
            if made.tag == f"{_XSD}element":
                made.set("type", "tns:Anything")
            if parent is not None:
                parent.insert(parent.index(place) + 1, made)
            place = made


def _parts_of(root: etree._Element) -> Iterator[etree._Element]:
    """What declares the pattern: its elements, messages, operation and binding."""
    names = {f"params{_capital(_PATTERN)}", f"success{_capital(_PATTERN)}"}
    messages = {f"{_capital(_PATTERN)}Request", f"{_capital(_PATTERN)}Response"}
    for tag, wanted in ((f"{_XSD}element", names), (f"{_WSDL}message", messages), (f"{_WSDL}operation", {_PATTERN})):
        yield from (element for element in root.iter(tag) if element.get("name") in wanted)


def _renamed(pattern: etree._Element, name: str) -> etree._Element:
    """A copy for another operation."""
    made = copy.deepcopy(pattern)
    for element in made.iter():
        for attribute, value in element.attrib.items():
            text = str(value).replace(_PATTERN, name).replace(_capital(_PATTERN), _capital(name))
            element.set(attribute, text)
    return made


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
