"""The least that sending a batch can cost: lxml builds it, requests sends it, lxml reads the answer, one UPDATE saves.

No zeep, no models, no history, no checks. What it writes is what a record needs to be known as sent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

import requests
from lxml import etree
from lxml.etree import SubElement

from bench.floor_saving import save_outcomes
from bench.surroundings import KEY_FIELD
from mobjects.sandbox import KEY, USER_ID

Row = tuple[int, dict[str, str]]
"""Our own id of a record, and its attributes."""

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_API = "http://www.marketo.com/mktows/"
_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{_API}syncMObjects"'}


def send(session: requests.Session, endpoint: str, rows: Sequence[Row]) -> None:
    """Send a batch and save what came of it.

    Raises:
        RuntimeError: not all were accepted; then it measures nothing.
    """
    answer = session.post(endpoint, data=_request(rows), headers=_HEADERS, timeout=60)
    statuses = etree.fromstring(answer.content).findall(".//mObjStatus")
    saved = [
        (pk, int(status.findtext("id") or 0), status.findtext("status") or "")
        for (pk, _), status in zip(rows, statuses, strict=True)
    ]
    if any(word not in ("CREATED", "UPDATED", "UNCHANGED") for _, _, word in saved):
        raise RuntimeError(f"the local Marketo did not accept the floor's batch: {saved[0]}")
    save_outcomes("marketo_id", saved)


def _request(rows: Sequence[Row]) -> bytes:
    signed_at = datetime.now(UTC).isoformat(timespec="seconds")
    root = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP, "m": _API})
    header = SubElement(SubElement(root, f"{{{_SOAP}}}Header"), f"{{{_API}}}AuthenticationHeader")
    SubElement(header, "mktowsUserId").text = USER_ID
    signature = hmac.new(KEY.encode(), (signed_at + USER_ID).encode(), hashlib.sha1).hexdigest()
    SubElement(header, "requestSignature").text = signature
    SubElement(header, "requestTimestamp").text = signed_at
    call = SubElement(SubElement(root, f"{{{_SOAP}}}Body"), f"{{{_API}}}paramsSyncMObjects")
    objects = SubElement(call, "mObjectList")
    for _, attributes in rows:
        node = SubElement(objects, "mObject")
        SubElement(node, "type").text = "Opportunity"
        _pair(SubElement(node, "externalKey"), KEY_FIELD, attributes[KEY_FIELD])
        listed = SubElement(node, "attribList")
        for name, value in attributes.items():
            _pair(SubElement(listed, "attrib"), name, value)
    SubElement(call, "operation").text = "UPSERT"
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _pair(node: etree._Element, name: str, value: str) -> None:
    SubElement(node, "name").text = name
    SubElement(node, "value").text = value
