"""What names a person, however a text writes it, and its replacement; and what is kept of it in the log."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from cryptography.fernet import Fernet
from django.utils.crypto import salted_hmac

NAMES = frozenset({"person_id", "person_key", "personid", "personkey", "leadid", "lead", "person"})
"""Under these names, without blanks and in any case, stands a person."""
CUT_AT_LEAST = 4
_SALT = "mobjects.erasure"
_CONTEXT = r"((?:person|lead|사람)(?:[ _]?(?:id|key))?(?:</?\w[^<>]*>|[^\w<>]){0,12})"
"""What stands before a number that is a person's: a name and at most marks or XML tags between."""


def digest_of(value: str) -> str:
    """The keyed digest of what names a person; without the site's secret key nobody can try values on it."""
    return salted_hmac(_SALT, value, algorithm="sha256").hexdigest()


def seal(value: str) -> str:
    """A text that only this site can read, for as long as a worker needs it."""
    return _cipher().encrypt(value.encode()).decode()


def unseal(sealed: str) -> str:
    """The text that was sealed.

    Raises:
        cryptography.fernet.InvalidToken: the site's secret key was changed since.
    """
    return _cipher().decrypt(sealed.encode()).decode()


def _cipher() -> Fernet:
    key = salted_hmac(f"{_SALT}.seal", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


@dataclass(frozen=True)
class PersonName:
    """A person key or ID, and the mark that replaces it.

    Args:
        value: as Marketo or a file writes it.
        mark: stands in its place.
    """

    value: str
    mark: str

    @property
    def number(self) -> int | None:
        """The value as an ID; ``None`` if it is a key."""
        return int(self.value) if self.value.isascii() and self.value.isdecimal() else None

    @cached_property
    def spellings(self) -> list[str]:
        """The value as JSON, XML and addresses write it, the longest first."""
        ascii_json, json_text = (json.dumps(self.value, ensure_ascii=plain)[1:-1] for plain in (True, False))
        quoted = {quote(self.value, safe=""), quote(self.value), quote_plus(self.value)}
        xml = {
            escape(self.value),
            escape(self.value, {'"': "&quot;", "'": "&apos;"}),
            escape(self.value, {"'": "&#x27;"}),
        }
        return sorted({self.value, ascii_json, json_text, *quoted, *xml}, key=len, reverse=True)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        found = "|".join(map(re.escape, self.spellings))
        if self.number is not None:  # Other numbers are amounts and ids of other things.
            return re.compile(rf"{_CONTEXT}(?:{found})(?!\w|[-.]\w)", re.IGNORECASE)
        # Another person's key may begin or end with this one.
        return re.compile(rf"(?<!\w)(?<!\w[-@+.:/])()(?:{found})(?!\w|[-@+.:/]\w)")

    def replace_in_text(self, text: str) -> str:
        """A text with the mark in the place of the person."""
        return self._pattern.sub(lambda match: f"{match[1]}{self.mark}", text)

    def replace_cut(self, text: str) -> str:
        """A text that was cut off inside of what names the person, without that part."""
        for length in range(min(len(self.value), len(text)), CUT_AT_LEAST - 1, -1):
            if text.endswith(self.value[:length]):
                return text[:-length] + self.mark
        return text

    def replace_in_value(self, value: Any, name: str = "") -> Any:
        """A value of JSON with the mark in the place of the person.

        Args:
            value: of any depth.
            name: under which it stands; under that of a person only the whole value is one.
        """
        if isinstance(value, dict):
            return self._replace_in_dict(value)
        if isinstance(value, list):
            # A difference: name, old, new.
            about = str(value[0]) if len(value) == 3 and isinstance(value[0], str) and names_person(value[0]) else ""
            return [self.replace_in_value(each, about) for each in value]
        if names_person(name) and not isinstance(value, bool):
            return self.mark if str(value) == self.value else value
        return self.replace_in_text(value) if isinstance(value, str) else value

    def _replace_in_dict(self, value: dict[str, Any]) -> dict[str, Any]:
        done = {self.replace_in_text(name): self.replace_in_value(each, name) for name, each in value.items()}
        if done.get("person_id") == self.mark:  # Columns of a role, which an undo may bring back: there it is a number.
            done |= {"person_id": None, "person_key": self.mark}
        return done


def names_person(name: str) -> bool:
    """Whether a person stands under a name."""
    return name.replace(" ", "").lower() in NAMES
