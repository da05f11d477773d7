"""The proof of identity that every SOAP call carries.

Source: Adobe's "Authentication Signature" page and its published test vector. Only the timestamp and the
user id are signed, so timestamp and signature are made afresh for every attempt: an old pair is refused (20016).
"""

from __future__ import annotations

import hashlib
import hmac


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
