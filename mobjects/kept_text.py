"""Texts that are kept in the database, in the language of whoever reads them.

Reasons, problems and notes are written by workers, which speak English, and are compared and counted as they stand:
they stay English in the database. Where they are shown, :func:`translate_kept` says them in the reader's language: it
finds the sentence of ours that a text was made from, and puts the same values into its translation. What is no
sentence of ours, such as Marketo's own words, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import get_language, gettext, trans_real

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!]) (?=[A-Z“])")
_FEWEST_LETTERS = 8
"""A sentence with fewer letters of its own, such as ``%(name)s: %(value)s``, would fit almost any text."""


def translate_kept(text: str) -> str:
    """A text that is kept in English, in the language in use; unchanged where it is no text of ours.

    Args:
        text: one or more sentences, or a part of one, as a worker wrote them.
    """
    language = get_language()
    if not text or not language or language.split("-")[0] == "en":
        return text
    return _translated(text, language)


@lru_cache(maxsize=4096)
def _translated(text: str, language: str) -> str:
    whole = _one(text, language)
    if whole is not None:
        return whole
    if text[0].isupper() and text.endswith(".") and (as_part := _one(f"{text[0].lower()}{text[1:-1]}", language)):
        return f"{as_part}."
    parts = _SENTENCE_ENDS.split(text)
    return " ".join(_translated(part, language) for part in parts) if len(parts) > 1 else text


def _one(text: str, language: str) -> str | None:
    """The translation of a text that was made from one sentence; ``None`` if there is none such."""
    known = gettext(text)
    if known != text:
        return known
    for pattern, source in _patterns(language):
        if found := pattern.fullmatch(text):
            return gettext(source) % {name: _value(value, language) for name, value in found.groupdict().items()}
    return None


def _value(value: str, language: str) -> str:
    return _translated(value, language) if value else value


@lru_cache(maxsize=8)
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The sentences with values in them that are translated into a language, those with the most words first."""
    found = {source: _PLACEHOLDER.split(source)[::2] for source in _sources(language) if _PLACEHOLDER.search(source)}
    own = {source: sum(map(len, parts)) for source, parts in found.items()}
    ranked = sorted((source for source in own if own[source] >= _FEWEST_LETTERS), key=lambda source: -own[source])
    return [(_pattern(source), source) for source in ranked]


def _pattern(source: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for place, part in enumerate(_PLACEHOLDER.split(source)):
        if place % 2 == 0:
            parts.append(re.escape(part.replace("%%", "%")))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def _sources(language: str) -> Iterator[str]:
    """What is translated into a language, without plural forms and contexts."""
    catalogue = trans_real.translation(language)._catalog  # type: ignore[attr-defined]
    for source in catalogue:
        if isinstance(source, str) and source and "\x04" not in source:
            yield source
