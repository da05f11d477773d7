"""The proof of identity that every SOAP call carries, the digest that is kept of it, and the check against that.

Source: Adobe's "Authentication Signature" page and its published test vector. Only the timestamp and the
user id are signed, so timestamp and signature are made afresh for every attempt: an old pair is refused (20016).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from xml.sax.saxutils import unescape

from mobjects.marketo.signature_check import SignatureVerdict, SignedCall, SignedPart
from mobjects.marketo.soap.config import ENCRYPTION_KEY, USER_ID
from mobjects.marketo.transport_entry import Config
from mobjects.marking import gettext_noop as _

SIGNED_AS = _("Signed as (user ID)")
SIGNED_TIME = _("Signed time")
"""Labels of what a call is known by."""


def compute_signature(timestamp: str, user_id: str, key: str) -> str:
    """The signature of one call.

    Args:
        timestamp: the exact characters that are sent as requestTimestamp.
        user_id: the API user, sent as mktowsUserId.
        key: the encryption key.

    Returns:
        Lower-case hexadecimal HMAC-SHA1 of timestamp and user id, both as UTF-8.
    """
    return hmac.new(key.encode(), (timestamp + user_id).encode(), hashlib.sha1).hexdigest()


def digest_of(signature: str) -> str:
    """What is kept of a signature: the way back would be a search through 160 bits."""
    return hashlib.sha256(signature.encode()).hexdigest()


def verify_signature(config: Config, call: SignedCall) -> SignatureVerdict:
    """Make a call's signature anew, from what its request says and the key of the settings, and compare the digests."""
    user, time = _element(call.request, "mktowsUserId"), _element(call.request, "requestTimestamp")
    key = config[ENCRYPTION_KEY.name]
    if _fits(call, time, user, key):
        return SignatureVerdict(valid=True)
    kept_user, kept_time = call.identity.get(SIGNED_AS, ""), call.identity.get(SIGNED_TIME, "")
    differing = [
        *([SignedPart.USER_SENT] if user != kept_user else []),
        *([SignedPart.TIME_SENT] if time != kept_time else []),
        *([SignedPart.USER_NOW] if config[USER_ID.name] != kept_user else []),
        *([] if _fits(call, kept_time, kept_user, key) else [SignedPart.KEY_NOW]),
    ]
    return SignatureVerdict(valid=False, differing=differing)


def _fits(call: SignedCall, time: str, user: str, key: str) -> bool:
    return hmac.compare_digest(digest_of(compute_signature(time, user, key)), call.digest)


def _element(request: str, name: str) -> str:
    found = re.search(rf"<(?:[\w.-]+:)?{name}\b[^<>]*>([^<]*)<", request)
    return unescape(found[1]) if found else ""
