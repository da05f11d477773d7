"""What reasons have in common: their words without the values, numbers and names that belong to one record only."""

from __future__ import annotations

import re
from hashlib import blake2b

from mobjects.marketo.attributes import STANDARD

_FIELDS = frozenset(
    name.lower() for attributes in STANDARD.values() for each in attributes for name in (each.name, each.label)
)
_QUOTED = (("“", "”"), ('"', '"'), ("‘", "’"), ("'", "'"))
_QUOTES = "|".join(rf"(?<!\w){opening}[^{closing}\n]*{closing}(?!\w)" for opening, closing in _QUOTED)
_MASKED = re.compile(
    # Codes say what went wrong, and a name after "field" says where: both tell one reason from another.
    rf"(?P<kept>(?:Marketo:|HTTP|[Ff]ault|[Cc]ode)\ \d+|(?:field|attribute|tag|type)\ (?:{_QUOTES}))"
    rf"|(?P<quoted>{_QUOTES})"
    r"|(?P<address>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?P<number>(?<!\w)[\w-]*\d(?:[\w.,:+-]*\w)?)",
    re.VERBOSE,
)


def mask_reason(text: str) -> str:
    """A reason with ``…`` in place of what is quoted and ``#`` in place of numbers, ids and addresses.

    Codes, and the names of fields, stay. Masking what is masked already changes nothing.
    """
    return _MASKED.sub(_mask, " ".join(text.split()))


def reason_key(text: str) -> str:
    """16 characters that two reasons share if they differ only in what :func:`mask_reason` masks; "" for no reason."""
    return blake2b(mask_reason(text).encode(), digest_size=8).hexdigest() if text else ""


def _mask(found: re.Match[str]) -> str:
    text = found[0]
    if found["kept"] or (found["quoted"] and text[1:-1].strip().lower() in _FIELDS):
        return text
    return f"{text[0]}…{text[-1]}" if found["quoted"] else "#"
