"""What the number format of a cell says about its number (ECMA-376, part 1, 18.8.30 and 18.8.31)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from openpyxl.styles.numbers import BUILTIN_FORMATS

from mobjects.spreadsheets.row_shape import cell_text


class FormatKind(Enum):
    """What a number in a cell is."""

    PLAIN = "a number"
    PERCENT = "a percentage"
    MOMENT = "a day, a time of day or both"
    DURATION = "a length of time"
    PADDED = "digits with zeros in front"
    DRAWN = "a number among letters, or cut by dashes"


@dataclass(frozen=True, slots=True)
class FormatSection:
    """A part of a format, for some of the numbers.

    Args:
        kind: what it makes of a number.
        pieces: of a padded or drawn number: ``0`` and ``#`` for a digit each, ``General`` for all, and literal text,
            which has a quote in front.
        condition: which numbers it is for; ``None`` if that goes by its place.
    """

    kind: FormatKind
    pieces: tuple[str, ...] = ()
    condition: Callable[[float], bool] | None = None

    def draw(self, number: float) -> str:
        """The number as its cell shows it, without sign; empty if it is shown as what it is."""
        if not self.pieces or (number != int(number) and _GENERAL not in self.pieces):
            return ""
        digits, left = str(abs(int(number))), sum(piece in _DIGITS for piece in self.pieces)
        drawn: list[str] = []
        for piece in reversed(self.pieces):
            if piece in _DIGITS:
                left -= 1
                first = len(digits) - 1 if left else 0
                digits, shown = digits[: max(first, 0)], digits[max(first, 0) :]
                drawn.append(shown or piece.replace("#", ""))
            else:
                drawn.append(cell_text(abs(number)) if piece == _GENERAL else piece[1:])
        return "".join(reversed(drawn))


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number format: the kind of its first section that shows numbers, and all of them."""

    kind: FormatKind
    sections: Sequence[FormatSection] = ()

    def draw(self, number: float) -> str:
        """The number as its cell shows it; empty if that is the number itself."""
        if not self.sections:
            return ""
        section = self._section(number)
        text = section.draw(number)
        has_own_sign = len(self.sections) > 1 and section is not self.sections[0]
        return f"-{text}" if text and number < 0 and not has_own_sign else text

    def _section(self, number: float) -> FormatSection:
        if any(section.condition for section in self.sections):
            fitting = (section for section in self.sections if not section.condition or section.condition(number))
            return next(fitting, self.sections[0])
        place = 1 if number < 0 else 2 if number == 0 else 0
        return self.sections[place if place < len(self.sections) else 0]


BUILT_IN = "built-in "
_DATES = "yyyy-mm-dd"
_BUILT_IN = {
    **BUILTIN_FORMATS,
    # Without a code of their own: dates and times in Chinese, Japanese and Korean Excel, whichever of them it is.
    **dict.fromkeys((*range(27, 37), *range(50, 59)), _DATES),
    # The same in Thai.
    **dict.fromkeys((67, 68), "0%"),
    **dict.fromkeys((*range(71, 79), 80, 81), _DATES),
    79: "[h]:mm:ss",
}
_DIGITS, _GENERAL = ("0", "#"), "General"
_SHOWN = "0#?ymdhsgebYMDHSGEB"  # Digits, parts of dates, and of years in eras.
_NUMERIC = ".,/?@"  # A number with these is shown as a number, whatever stands around it.
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[(?P<elapsed>[hms]+)\]|\[\$(?P<symbol>[^\]-]*)[^\]]*\]'
    r"|\[(?P<condition>[<>=]{1,2}-?[0-9.]+)\]|\[[^\]]*\]|(?P<general>General)|(?P<exponent>E[+-])|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITIONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_PLAIN = NumberFormat(FormatKind.PLAIN)


@lru_cache(1000)
def parse_format(code: str) -> NumberFormat:
    """Understand a format.

    Args:
        code: as a workbook has it; for a built-in format :data:`BUILT_IN` and its number.
    """
    if code.startswith(BUILT_IN):
        code = _BUILT_IN.get(int(code[len(BUILT_IN) :]), _GENERAL)
    if code.casefold() in ("general", "standard", "@"):
        return _PLAIN
    parts: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code[:1000]):
        if token["sign"] == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    sections = [_section(part) for part in parts]
    kind = next((section.kind for section, part in zip(sections, parts, strict=True) if _shows_number(part)), None)
    return NumberFormat(kind, sections) if kind else _PLAIN


def _shows_number(tokens: Sequence[re.Match[str]]) -> bool:
    return any(
        token["general"] or token["elapsed"] or (token["sign"] or "-") in "0#?ymdhsgebYMDHSGEB" for token in tokens
    )


def _section(tokens: Sequence[re.Match[str]]) -> FormatSection:
    signs = "".join(token["sign"] or "" for token in tokens).casefold()
    condition = next((_condition(token["condition"]) for token in tokens if token["condition"]), None)
    if any(token["elapsed"] for token in tokens):
        return FormatSection(FormatKind.DURATION)
    # Eras and years of eras (g, e, b) have no digits; an exponent has.
    if set("ymdhs") & set(signs) or (set("geb") & set(signs) and not set("0#?") & set(signs)):
        return FormatSection(FormatKind.MOMENT)
    if "%" in signs:
        return FormatSection(FormatKind.PERCENT)
    if set(_NUMERIC) & set(signs) or any(token["exponent"] for token in tokens):
        return FormatSection(FormatKind.PLAIN, condition=condition)
    pieces = [piece for token in tokens if (piece := _piece(token))]
    if any(piece[0] == '"' and piece[1:].strip() for piece in pieces):
        return FormatSection(FormatKind.DRAWN, tuple(pieces), condition)
    if pieces.count("0") > 1:
        return FormatSection(FormatKind.PADDED, tuple(pieces), condition)
    return FormatSection(FormatKind.PLAIN, condition=condition)


def _piece(token: re.Match[str]) -> str:
    if token["general"]:
        return _GENERAL
    sign = token["sign"] or ""
    if sign in _DIGITS:
        return sign
    literal = sign or token["quoted"] or token["escaped"] or token["symbol"]
    return f'"{literal}' if literal else ""


def _condition(text: str) -> Callable[[float], bool] | None:
    sign = text.rstrip("-0123456789.")
    compare = _CONDITIONS.get(sign)
    try:
        limit = float(text[len(sign) :])
    except ValueError:
        return None
    return (lambda number: compare(number, limit)) if compare else None
