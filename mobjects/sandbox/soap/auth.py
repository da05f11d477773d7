"""Who is calling: user id, signature, timestamp. Written without a look at the client's code.

Sources: Adobe's authentication signature page; its published vector is in the tests.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from mobjects.sandbox.soap.envelope import text_of
from mobjects.sandbox.soap.soap_fault import SoapFault

USER_ID = "sandbox_1_0123456789ABCDEF"
KEY = "sandbox-encryption-key-do-not-use-elsewhere"

# Whole seconds and an offset with colon, as Adobe's samples write it; Z is W3C's other spelling of UTC.
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one API user of a sandbox.

    Args:
        user_id: mktowsUserId.
        key: encryption key; kept out of the repr.
        window_seconds: how far a timestamp may be off, either way. Marketo's own value is not documented.
    """

    user_id: str = USER_ID
    key: str = field(default=KEY, repr=False)
    window_seconds: float = 300


def sign_timestamp(key: str, timestamp: str, user_id: str) -> str:
    """Lower-case hex HMAC-SHA1 over timestamp + user id."""
    return hmac.new(key.encode(), (timestamp + user_id).encode(), "sha1").hexdigest()


def check_credentials(header: etree._Element, credentials: Credentials, now: datetime) -> None:
    """Let the call pass or refuse it.

    Args:
        header: a schema-valid AuthenticationHeader.
        now: the sandbox's time.

    Raises:
        SoapFault: 20014 for a wrong user, signature or form of timestamp; 20016 for a stale timestamp.
    """
    user_id, timestamp = text_of(header, "mktowsUserId"), text_of(header, "requestTimestamp")
    expected = sign_timestamp(credentials.key, timestamp, credentials.user_id)
    known = hmac.compare_digest(user_id.encode(), credentials.user_id.encode())
    signed = hmac.compare_digest(text_of(header, "requestSignature").encode(), expected.encode())
    if not (known and signed):
        # One text for both, so that user ids cannot be probed.
        raise SoapFault("20014", "Unknown user or wrong signature")
    age = abs((now - _read(timestamp)).total_seconds())
    if age > credentials.window_seconds:
        limit = credentials.window_seconds
        raise SoapFault("20016", f"The request timestamp is {age:.0f} s away from now; at most {limit:g} s are allowed")


def _read(timestamp: str) -> datetime:
    try:
        if _TIMESTAMP.fullmatch(timestamp):
            return datetime.fromisoformat(timestamp)
    except ValueError:
        pass
    # Not 20016: that one asks for a retry, and a wrong form never gets better by itself.
    raise SoapFault("20014", f"requestTimestamp is not of the form 2013-08-05T14:22:45-07:00: {timestamp[:40]!r}")
