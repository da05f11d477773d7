"""Which version of something a change was made against, so that nobody's change is overwritten unseen (RFC 9110)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobjects.api.problems import Problem


def build_etag(content: dict[str, Any]) -> str:
    """Stands for what of something can be changed, in quotes as the header has it.

    Of a record, what a sending writes (state, answers) is not part of it: nobody's change would be lost by that.
    """
    text = json.dumps(content, default=str, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def require_version(request: HttpRequest, etag: str) -> None:
    """Go on only if ``If-Match`` names what is there now. Raises Problem if not: 428 without it, 412 with another.

    Args:
        etag: of what is there, read under the lock under which it will be changed.
    """
    seen = request.headers.get("If-Match", "")
    if not seen.strip():
        said = _("Say with If-Match which version you have seen: its ETag. So nobody’s change is overwritten unseen.")
        raise Problem(428, said, headers={"ETag": etag})
    # What is packed on the way has its tag made a weak one.
    if etag not in [each.strip().removeprefix("W/") for each in seen.split(",")]:
        said = _("Somebody changed this since you read it. Read it again, and decide what is right.")
        raise Problem(412, said, headers={"ETag": etag})
