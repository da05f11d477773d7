"""Tag types with their values, and channels, as the instance offers them.

Source: Adobe's developer pages on tags and channels. Values come as one text, ``[AMER, APAC]``: a value with a comma
and a blank in it cannot be told from two, so the list is a hint, and Marketo decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.programs.logged_calls import LoggedCalls
from mobjects.marketo.rest.programs.program_types import read_list
from mobjects.marketo.rest.programs.reading import ASSETS, CHANNEL
from mobjects.marketo.rest.programs.tag_calls import is_channel
from mobjects.marketo.rest.replies import InvalidReply
from mobjects.marketo.types import TagValuesResponse
from mobjects.marking import gettext_noop as _

PAGE_SIZE = 200
"""The most entries that one call gives."""


def read_tags(calls: RestCalls) -> TagValuesResponse:
    """All tag types but the channel, with the values that each may have; one call more for each type.

    Raises:
        MarketoError: never ``OutcomeUnknown``.
    """
    logged = LoggedCalls(calls)
    names = list(dict.fromkeys(_names(logged, "tagTypes", "tagType", _("a tag"))))
    values = {name: _tag_values(logged, name) for name in names if not is_channel(name)}
    return TagValuesResponse(values, logged.exchange)


def read_channels(calls: RestCalls) -> TagValuesResponse:
    """All channels, under the type ``Channel``.

    Raises:
        MarketoError: never ``OutcomeUnknown``.
    """
    logged = LoggedCalls(calls)
    names = dict.fromkeys(_names(logged, "channels", "name", _("a channel")))
    return TagValuesResponse({CHANNEL: list(names)}, logged.exchange)


def _tag_values(logged: LoggedCalls, name: str) -> list[str]:
    entries = logged.read(f"{ASSETS}/tagType/byName.json", {"name": name}).result
    found = [entry for entry in entries if isinstance(entry, dict) and _text_of(entry, "tagType") == name]
    texts = [value for entry in found for value in read_list(entry.get("allowableValues"), ", ")]
    return list(dict.fromkeys(texts))


def _names(logged: LoggedCalls, what: str, key: str, words: str) -> Iterator[str]:
    for entry in _entries(lambda offset: logged.read(f"{ASSETS}/{what}.json", _page(offset)).result):
        name = _text_of(entry, key) if isinstance(entry, dict) else ""
        if not name:
            raise logged.unreadable(InvalidReply(_("Marketo listed %(words)s without its name.") % {"words": words}))
        yield name


def _page(offset: int) -> Mapping[str, int]:
    return {"maxReturn": PAGE_SIZE, "offset": offset}


def _entries(read_page: Callable[[int], Any]) -> Iterator[Any]:
    """All entries of a list that comes in pages; a page that is not full is the last."""
    offset = 0
    while entries := read_page(offset):
        yield from entries
        if len(entries) < PAGE_SIZE:
            return
        offset += len(entries)


def _text_of(entry: Mapping[str, Any], key: str) -> str:
    return str(entry.get(key) or "").strip()
