"""What a kept call says of one of its records."""

from __future__ import annotations

import json
from typing import Any


def find_member(request: str, response: str, place: int, size: int) -> tuple[str, str]:
    """The object that was sent and the row that came back, indented.

    Args:
        request: method and path, and below them the body.
        place: of the record in its batch, from 1.
        size: how many records the batch held; a call that carried others of them tells nothing of places.
    """
    sent, answered = _list_in(request.partition("\n\n")[2], "input"), _list_in(response, "result")
    if len(sent) != size or not 0 < place <= size:
        return "", ""
    by_place = {each.get("seq", at): each for at, each in enumerate(answered) if isinstance(each, dict)}
    row = by_place.get(place - 1)
    return _pretty(sent[place - 1]), _pretty(row) if row is not None and len(answered) == size else ""


def _list_in(text: str, name: str) -> list[Any]:
    try:
        found = json.loads(text).get(name)
    except (ValueError, RecursionError, AttributeError):  # It was cut off, or is no answer of Marketo's.
        return []
    return found if isinstance(found, list) else []


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
