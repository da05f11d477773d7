"""The numbers that a text can be: with a point or with a comma before the decimals."""

from __future__ import annotations

import re

from mobjects.imports.formats.text import tidy_text

POINT, COMMA = "point", "comma"

_SYMBOLS = "$€£¥₩₹฿₫₺₽₴₪"
_UNITS = r"원|엔|円|元|圓|유로|달러|kr\.?|zł|Kč|Ft|lei|Fr\.?"
_MONEY_BEFORE = re.compile(rf"(?:[A-Z]{{1,3}}[{_SYMBOLS}]|[{_SYMBOLS}]|[A-Z]{{3}}(?![A-Za-z]))\s*")
_MONEY_BEHIND = re.compile(rf"\s*(?:[{_SYMBOLS}]|(?<![A-Za-z])[A-Z]{{3}}|{_UNITS})$")
_WITHOUT_DECIMALS = re.compile("[₩¥원엔円]|KRW|JPY|[-–—]$")
"""Money that has no smaller unit, or none of it: what looks like decimals there are thousands."""
_NO_CENTS = re.compile(r"[.,][-–—]$")  # 1.500,- is how cents that are none are written.
_SIGNS = ("+", "-", "−", "–", "△", "▲")
_MINUS_BEHIND = ("-", "−")
_BRACKETS = re.compile(r"\((.+)\)")


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?:(?P<mark>[{group} '’])[0-9]{{3}})(?:(?P=mark)[0-9]{{3}})*"
    indian = rf"[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}"
    return re.compile(rf"(?P<whole>{grouped}|{indian}|[0-9]*)(?:{re.escape(decimal)}(?P<behind>[0-9]+))?")


_PATTERNS = {POINT: _pattern(".", ","), COMMA: _pattern(",", r"\.")}


def read_number(text: str) -> dict[str, str]:
    """What a text is as a number, by number format; without an entry for a format in which it is none.

    Money's signs and names, spaces, brackets and a minus at either end are understood. An exponent is not.

    Args:
        text: of a cell.

    Returns:
        ``POINT`` or ``COMMA`` to digits with a point before the decimals.
    """
    body, sign, money = _split_signs(tidy_text(text))
    found = {}
    for name, pattern in _PATTERNS.items():
        match = pattern.fullmatch(body)
        if match and (match["whole"] or match["behind"]):
            whole = "".join(char for char in match["whole"] if char.isdecimal()) or "0"
            found[name] = f"{sign}{whole}.{match['behind']}" if match["behind"] else f"{sign}{whole}"
    if _WITHOUT_DECIMALS.search(money):
        return {name: number for name, number in found.items() if "." not in number} or found
    return found


def _split_signs(text: str) -> tuple[str, str, str]:
    """A text without what stands around its digits: the digits, ``-`` or nothing, the money's signs."""
    body, sign, money = text, "", ""
    if match := _BRACKETS.fullmatch(body):
        body, sign = match[1].strip(), "-"
    for _ in range(2):  # A minus stands before or behind the money's sign.
        if match := _NO_CENTS.search(body):
            money, body = money + match[0], body[: match.start()]
        if not sign and body[-1:] in _MINUS_BEHIND and body[:-1]:
            sign, body = "-", body[:-1].rstrip()
        if not sign and body[:1] in _SIGNS:
            sign, body = ("" if body[0] == "+" else "-"), body[1:].lstrip()
        for pattern in (_MONEY_BEFORE, _MONEY_BEHIND):
            if match := (pattern.match if pattern is _MONEY_BEFORE else pattern.search)(body):
                money += match[0]
                body = body[: match.start()] + body[match.end() :]
    return body.strip(), sign, money
