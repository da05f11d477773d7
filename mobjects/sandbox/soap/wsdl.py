"""The WSDL: what it says a message looks like, and serving it with our own address."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from lxml import etree

# Found by path and not by import: the sandbox shares the file with the client, never code.
BUNDLED_WSDL = Path(__file__).resolve().parents[2] / "marketo" / "soap" / "mktows.wsdl"

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_WSDL_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


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
        """The WSDL's text with its address replaced by ``url``."""
        root = etree.fromstring(self._source)
        for address in root.iter(f"{_WSDL_SOAP}address"):
            address.set("location", url)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
