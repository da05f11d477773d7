"""Requests that are sent again because their answer never came: with an ``Idempotency-Key`` they are done once.

The header is that of the IETF's draft "The Idempotency-Key HTTP Header Field", which has 422 for a key of another
request (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Header

from mobjects.api.problems import FieldProblem, Problem
from mobjects.db.done_once import KeyReusedError, do_once

HEADER = "Idempotency-Key"
REPEATED = "Idempotent-Replayed"
"""Stands in an answer about what an earlier request made."""

OnceKey = Annotated[
    str,
    Header(
        "",
        alias=HEADER,
        max_length=255,
        description="A text of your choice, such as a UUID. The same request with it, sent again within a day, makes "
        "nothing more and is answered with what the first one made.",
    ),
]


def make_once(
    request: HttpRequest, response: HttpResponse, key: str, sent: Any, make: Callable[[], Any]
) -> tuple[Any, str]:
    """Make something, unless a request with this key has.

    Args:
        response: gets a header that says so, if one has.
        key: as the header has it; without one everything is made.
        sent: what was sent, as JSON can say it.
        make: makes it and gives its id, or has it as ``pk``; in a transaction, where there is a key.

    Returns:
        What was made, ``None`` if it was made before; and its id.

    Raises:
        Problem: the key is that of another request.
    """
    if not key:
        made = make()
        return made, _id_of(made)
    asked = json.dumps([request.method, request.path, sent], sort_keys=True, default=str)
    try:
        made, name = do_once(f"api {request.user.pk}", key, make, _id_of, asked=asked)
    except KeyReusedError as error:
        said = _("Another request has been made with this key. Give each request a key of its own.")
        raise Problem(422, said, [FieldProblem(HEADER, said, key)]) from error
    if made is None:
        response[REPEATED] = "true"
    return made, name


def _id_of(made: Any) -> str:
    return str(getattr(made, "pk", made))
