"""Attribute values as text: the one spelling that is sent, stored and compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mobjects.marketo.types import AttributeValue
from mobjects.marking import gettext_noop as _

# XML 1.0, production [2] Char; the surrogates are never characters.
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

# Spaces of no width, marks of direction, soft hyphens, byte order marks: spreadsheets and web pages leave them in what
# is copied. Those that join or part letters of some scripts are no such.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
HOLDS_UNSEEN = _("holds a character that cannot be seen, such as a space without width.")


def find_xml_problem(text: str) -> str | None:
    """Say what in a text XML 1.0 cannot carry.

    Returns:
        ``None`` if nothing; else words that name the position (counted from 1) and the code point of the first
        such character.
    """
    # Whatever Unicode calls printable XML can carry; this is several times as fast as the search.
    found = None if text.isprintable() else _NOT_XML.search(text)
    if found is None:
        return None
    return _("character %(number)s is U+%(code)s, which XML cannot carry") % {
        "number": found.start() + 1,
        "code": f"{ord(found.group()):04X}",
    }


def drop_unseen(text: str) -> str:
    """A text without what nobody sees in it: two keys that differ in nothing else are one to whoever reads them."""
    return text if text.isprintable() else _UNSEEN.sub("", text)


def to_text(value: AttributeValue) -> str:
    """The canonical text of a value.

    ``""`` for a cleared value; numbers in plain notation with the scale they have (``501.00`` stays ``501.00``);
    ``true`` and ``false``; ISO 8601 dates; datetimes with offset, in whole seconds. Text is passed through untouched.

    Raises:
        ValueError: a datetime without a time zone, or a Decimal that is not a finite number.
    """
    return WRITERS[type(value)](value)


def _write_other(value: AttributeValue) -> str:
    """The text of a value whose type is derived from a usual one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def format_datetime(moment: datetime) -> str:
    """W3C date and time with offset and colon, whole seconds: ``2013-08-05T14:22:45-07:00``.

    Raises:
        ValueError: the datetime has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(_("%(moment)s has no time zone") % {"moment": moment.isoformat()})
    return moment.isoformat(timespec="seconds")


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(_("%(value)s is not a number") % {"value": value})
    return format(value if value else value.copy_abs(), "f")


class _TextWriters(dict[type, Callable[[Any], str]]):
    def __missing__(self, exact: type) -> Callable[[Any], str]:
        return _write_other


WRITERS = _TextWriters(
    {
        type(None): lambda value: "",
        str: str,
        bool: lambda value: "true" if value else "false",
        int: str,
        Decimal: _decimal_text,
        datetime: format_datetime,
        date: date.isoformat,
    }
)
"""What :func:`to_text` does with a value of a type; where thousands are written, the call of that is saved."""
