"""XML in tests: compared as trees, requests validated against the schema inside the WSDL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from lxml import etree
from requests.adapters import HTTPAdapter

ROOT = Path(__file__).parents[2]
WSDL = ROOT / "mobjects" / "marketo" / "soap" / "mktows.wsdl"
GOLDEN = ROOT / "tests" / "data" / "golden"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_XS = "{http://www.w3.org/2001/XMLSchema}"

_schema_element: Any = etree.parse(str(WSDL)).getroot().find(f".//{_XS}schema")
# Serialised and read again, because the schema uses prefixes that are declared on the WSDL's root.
SCHEMA = etree.XMLSchema(etree.fromstring(etree.tostring(_schema_element)))

Tree = tuple[str, dict[str, str], str, list[Any]]


def golden(name: str) -> bytes:
    """A golden request, by file name without ``.xml``."""
    return (GOLDEN / f"{name}.xml").read_bytes()


def tree(xml: bytes | str) -> Tree:
    """A document as nested tuples: prefixes, comments and indentation do not matter, the text of leaves does."""
    content = xml.encode() if isinstance(xml, str) else xml
    return _node(etree.fromstring(content, etree.XMLParser(remove_comments=True, remove_pis=True)))


def _node(element: etree._Element) -> Tree:
    children = [_node(child) for child in element]
    text = "" if children else element.text or ""
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return str(element.tag), attributes, text, children


def assert_valid_request(body: bytes) -> None:
    """Fail unless a request is a SOAP envelope whose header and body follow Marketo's schema."""
    root = etree.fromstring(body)
    assert root.tag == f"{SOAP}Envelope"
    assert [part.tag for part in root] == [f"{SOAP}Header", f"{SOAP}Body"]
    for part in root:
        assert len(part) == 1, f"{part.tag} holds {len(part)} elements"
        SCHEMA.assertValid(etree.fromstring(etree.tostring(part[0])))


class ValidatingAdapter(HTTPAdapter):
    """An adapter for a requests session that keeps every request body and fails on one that breaks the schema.

    Mount it with ``session.mount("http://", ValidatingAdapter())``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body: Any = request.body
        content = body.getvalue() if hasattr(body, "getvalue") else body
        assert_valid_request(content)
        self.bodies.append(content)
        return super().send(request, *args, **kwargs)
