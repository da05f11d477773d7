"""Answers as Marketo's SOAP service writes them, and the credentials the tests sign with."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.types import Exchange

USER_ID = "demo17_1_809934544BFABAE58E5D27"
KEY = "demo-key-0123456789"
NOW = datetime(2013, 8, 5, 14, 22, 45, tzinfo=timezone(timedelta(hours=-7)))
# printf '%s' '2013-08-05T14:22:45-07:00demo17_1_809934544BFABAE58E5D27' | openssl dgst -sha1 -hmac demo-key-0123456789
SIGNATURE = "ba7c4053dcbb47a7d017e2fa05c1a9b1b1587295"


def transport(endpoint: str, **options: Any) -> SoapTransport:
    """A transport with the tests' credentials and fixed clock."""
    given: dict[str, Any] = {
        "user_id": USER_ID,
        "encryption_key": KEY,
        "now": lambda: NOW,
        "timeout_seconds": 5.0,
    } | options
    return SoapTransport(endpoint=endpoint, **given)


def exchange_of(error: MarketoError) -> Exchange:
    """What was sent and answered; fails where nothing was."""
    assert error.exchange is not None
    return error.exchange


def envelope(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:ns1="http://www.marketo.com/mktows/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def success(operation: str, result: str) -> str:
    """A successful answer; ``operation`` with a capital, ``SyncMObjects``."""
    return envelope(f"<ns1:success{operation}><result>{result}</result></ns1:success{operation}>")


def sync_answer(*rows: str) -> str:
    return success("SyncMObjects", f"<mObjStatusList>{''.join(rows)}</mObjStatusList>")


def row(
    status: str = "UPDATED", id: str | int | None = None, error: str = "", key: tuple[str, str] | None = None
) -> str:
    """One mObjStatus; an id of ``None`` is written as nil."""
    parts = ['<id xsi:nil="true"/>' if id is None else f"<id>{id}</id>"]
    if key:
        parts.append(f"<externalKey><name>{key[0]}</name><value>{escape(key[1])}</value></externalKey>")
    parts.append(f"<status>{status}</status>")
    if error:
        parts.append(f"<error>{escape(error)}</error>")
    return f"<mObjStatus>{''.join(parts)}</mObjStatus>"


def fault(code: str, text: str = "Something", *, detail: bool = True) -> str:
    inner = (
        '<detail><ns1:serviceException xmlns:ns1="http://www.marketo.com/mktows/"><name>mktServiceException</name>'
        f"<message>{text} ({code})</message><code>{code}</code></ns1:serviceException></detail>"
    )
    return envelope(
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>{code} - {text}</faultstring>"
        f"{inner if detail else ''}</SOAP-ENV:Fault>"
    )


LIST_ANSWER = success(
    "ListMObjects",
    "".join(f"<objects>{name}</objects>" for name in ("ActivityRecord", "LeadRecord", "Opportunity")),
)
