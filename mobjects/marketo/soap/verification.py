"""The digest of a signature, which is kept in its place, and the check of a kept call against it."""

from __future__ import annotations

import hashlib
import hmac
import re
from xml.sax.saxutils import unescape

from mobjects.marketo.signature_check import SignatureVerdict, SignedCall, SignedPart
from mobjects.marketo.soap.config import ENCRYPTION_KEY, USER_ID
from mobjects.marketo.soap.signature import compute_signature
from mobjects.marketo.transport_entry import Config
from mobjects.marking import gettext_noop as _

SIGNED_AS = _("Signed as (user ID)")
SIGNED_TIME = _("Signed time")
"""Labels of what a call is known by."""


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
