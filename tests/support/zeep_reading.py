"""Answers as zeep reads them by the WSDL, in its tolerant mode: the judge of what we read from the elements."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from lxml import etree
from zeep import Settings, Transport
from zeep.wsdl import Document

from mobjects.marketo.soap import envelope

_TOLERANT = Settings(strict=False, xsd_ignore_sequence_order=True)


@cache
def _document() -> Any:
    transport: Any = Transport()
    return Document(str(envelope.WSDL), transport, settings=_TOLERANT)


def read_by_zeep(operation: str, answer: str) -> Any:
    """zeep's object of an answer's ``result``; where one element belongs and several stand, it has the first."""
    (message,) = envelope.parse_envelope(answer.encode()).iterfind("{*}Body/*")
    name = f"{operation[0].upper()}{operation[1:]}"
    type_: Any = _document().types.get_type(f"{{{envelope.NAMESPACE}}}Success{name}")
    return type_.parse_xmlelement(message, schema=_document().types).result


def rewritten_by_zeep(operation: str, answer: str) -> etree._Element:
    """What zeep has read of an answer, written anew: in the schema's order, with nothing that it does not know."""
    return _written("result", read_by_zeep(operation, answer))


def _written(name: str, value: Any) -> etree._Element:
    element = etree.Element(name)
    known = getattr(getattr(value, "_xsd_type", None), "elements", None)
    if known is None:
        element.text = value if value is None or isinstance(value, str) else _text(value)
        return element
    for child, _ in known:
        held = value[child]
        for each in held if isinstance(held, list) else [] if held is None else [held]:
            element.append(_written(child, each))
    return element


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value).lower()
