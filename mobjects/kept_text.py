"""Texts that are kept in the database, in the language of whoever reads them.

Reasons, problems and notes are written by workers, which speak English, and are compared and counted as they stand:
they stay English in the database. Where they are shown, :func:`translate_kept` says them in the reader's language: it
finds the sentence of ours that a text was made from, and puts the same values into its translation. What is no
sentence of ours, such as Marketo's own words, stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language, gettext, trans_real

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!]) (?=[A-Z“])")
_FEWEST_LETTERS = 7
"""A sentence with fewer letters of its own, such as ``%(name)s: %(value)s``, would fit almost any text."""

_ROLES = ("opportunitypersonrole", "roles")
_ROLE = re.compile(r"(?P<role>.+?) of person (?P<person>.+?) in (?P<opportunity>.+)", re.DOTALL)
"""What a person role is called, in English."""

_KINDS = frozenset({"program", "programs", "opportunity", "opportunities", "role", "roles"})
"""Single words that are ours where they stand in a sentence."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of ours with values in it: ``parts`` stand around the values called ``names``."""

    source: str
    parts: tuple[str, ...]
    names: tuple[str, ...]

    def find_values(self, text: str) -> dict[str, str] | None:
        """The values in a text that was made from it, each as short as can be; ``None`` if it was not."""
        first, *between, last = self.parts
        if not (text.startswith(first) and text.endswith(last)):
            return None
        found, begin, end = [], len(first), len(text) - len(last)
        for part in between:
            at = text.find(part, begin + 1, end)
            if at < 0:
                return None
            found.append(text[begin:at])
            begin = at + len(part)
        if begin >= end:
            return None
        return dict(zip(self.names, [*found, text[begin:end]], strict=True))


def translate_kept(text: str) -> str:
    """A text that is kept in English, in the language in use; unchanged where it is no text of ours.

    Args:
        text: one or more sentences, or a part of one, as a worker wrote them.
    """
    language = get_language()
    if not text or not language or language.split("-")[0] == "en":
        return text
    return _translated(text, language)


def translate_label(label: str, kind: str) -> str:
    """What a record was called when it was written down, in the language in use; unchanged where it is cut short.

    Args:
        label: as its own name says it in English. Only names of person roles have words of ours in them.
        kind: of the record, or of the file that it stands in, or the name of its model.
    """
    found = _ROLE.fullmatch(label) if kind.lower() in _ROLES else None
    if not found:
        return label
    person = gettext("person %(person_key)s") % {"person_key": found["person"]}
    return gettext("%(role)s of %(person)s in %(opportunity)s") % {
        # The one word of ours: what stands for a role without a name.
        "role": gettext("Role") if found["role"] == "Role" else found["role"],
        "person": person,
        "opportunity": found["opportunity"],
    }


def translate_rule(rule: str) -> str:
    """What a value breaks, in the language in use, where the value stands for itself, as ``is not a number``.

    Args:
        rule: a sentence of ours without the value that it begins with, or a whole text as of :func:`translate_kept`.
    """
    said = translate_kept(rule)
    if said != rule or not rule:
        return said
    value = gettext("The value")
    begun = f"{value} {rule}"
    said = translate_kept(begun)
    return rule if said == begun else said


@lru_cache(maxsize=4096)
def _translated(text: str, language: str) -> str:
    if said := _exact(text) or _with_values(text, language):
        return said
    if text.endswith("."):
        # A reason begins small, unless a value begins it, and has no full stop; as a sentence it is still that reason.
        small = f"{text[0].lower()}{text[1:-1]}"
        plain = text[:-1]
        if said := _exact(small) or _exact(plain) or _with_values(plain, language) or _with_values(small, language):
            return f"{said}."
    parts = _SENTENCE_ENDS.split(text)
    if len(parts) > 1:
        return " ".join(_translated(part, language) for part in parts)
    place, colon, found = text.partition(": ")
    return f"{_value(place, language)}{colon}{_translated(found, language)}" if found else text


def _exact(text: str) -> str:
    said = gettext(text)
    return said if said != text else ""


def _with_values(text: str, language: str) -> str:
    """The translation of the sentence that a text was made from, with the text's values in it; "" if there is none."""
    for sentence in _sentences(language):
        values = sentence.find_values(text)
        if values is not None:
            return gettext(sentence.source) % {name: _value(value, language) for name, value in values.items()}
    return ""


def _value(value: str, language: str) -> str:
    """A value in a sentence, which may be a text of ours; a single word is a name rather than that, kinds apart."""
    return _translated(value, language) if " " in value or value in _KINDS else value


@lru_cache(maxsize=8)
def _sentences(language: str) -> list[_Sentence]:
    """The sentences with values that are translated into a language, those with the most letters of their own first."""
    catalogue = trans_real.translation(language)._catalog  # type: ignore[attr-defined]
    found = []
    for source in catalogue.keys():  # noqa: SIM118  # no dictionary: it cannot be gone through by itself
        # Neither plural forms nor what has a context.
        if not isinstance(source, str) or "\x04" in source or not _PLACEHOLDER.search(source):
            continue
        parts = _PLACEHOLDER.split(source)
        own = sum(each.isalpha() for part in parts[::2] for each in part)
        if own >= _FEWEST_LETTERS:
            found.append(
                (own, _Sentence(source, tuple(part.replace("%%", "%") for part in parts[::2]), tuple(parts[1::2])))
            )
    return [sentence for _own, sentence in sorted(found, key=lambda each: -each[0])]
