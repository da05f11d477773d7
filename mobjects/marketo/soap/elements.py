"""The elements of an answer, by local name: in any order, whatever namespace or unknown ones stand between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lxml.etree import Element, _Element

from mobjects.marking import gettext_noop as _

Parts = Mapping[str, list[_Element]]
"""The children of an element by their local names, in their order."""

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class InvalidResponse(Exception):
    """An answer is not one to what was sent or asked; the text says why in one sentence."""


def parts_of(element: _Element) -> Parts:
    """The children of an element; comments and instructions are none."""
    parts: dict[str, list[_Element]] = {}
    for child in element.iterchildren(Element):
        parts.setdefault(_local_name(child), []).append(child)
    return parts


def _local_name(element: _Element) -> str:
    tag: str = element.tag
    return tag[tag.find("}") + 1 :]


def items_of(parts: Parts, list_name: str, name: str) -> list[_Element]:
    """What stands in a list; where Marketo writes the list in pieces, in all of them."""
    return [item for found in parts.get(list_name, ()) for item in parts_of(found).get(name, ())]


def leaf_text(element: _Element) -> str:
    """The text of an element; "" if it is nil or empty.

    Raises:
        InvalidResponse: elements stand in it, so that its text would not be all of it.
    """
    if len(element):
        name = _local_name(element)
        raise InvalidResponse(_("Marketo wrote elements where the text of “%(name)s” belongs.") % {"name": name})
    return element.text or ""


def raw_text_of(parts: Parts, name: str) -> str:
    """The text of a child, of several the first one's; "" if there is none. Raises as :func:`leaf_text`."""
    found = parts.get(name)
    return leaf_text(found[0]) if found else ""


def text_of(parts: Parts, name: str) -> str:
    """As :func:`raw_text_of`, without the spaces around it."""
    return raw_text_of(parts, name).strip()


def whole_number_of(parts: Parts, name: str) -> int | None:
    """A child's whole number; ``None`` if it has none. Raises as :func:`raw_text_of`."""
    try:
        return int(raw_text_of(parts, name))
    except ValueError:
        return None


def truth_of(parts: Parts, name: str) -> bool | None:
    """A child's boolean; ``None`` if it has none. Raises as :func:`raw_text_of`."""
    return _TRUTHS.get(text_of(parts, name))


def id_of(parts: Parts) -> int | None:
    """The id of a row, an object or an association. Marketo writes "no id" as nil, empty, 0 or not at all."""
    number = whole_number_of(parts, "id")
    return number if number and number > 0 else None


def pairs_of(attribs: Iterable[_Element]) -> Iterator[tuple[str, str]]:
    """The names and values of ``attrib`` elements, and of others made like them; those without a name are none.

    Raises:
        InvalidResponse: elements stand where a text belongs.
    """
    for attrib in attribs:
        parts = parts_of(attrib)
        if name := text_of(parts, "name"):
            yield name, raw_text_of(parts, "value")
