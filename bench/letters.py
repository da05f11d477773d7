"""How the weights of mobjects/spreadsheets/detection/letter_evidence.py were found: counts, and prints them.

    uv run --with django --with babel python bench/letters.py

Counts Django's own translations and the names of countries, languages and currencies of the CLDR (through Babel).
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import babel  # type: ignore[import-not-found]  # not one of our packages; see above
import django

from mobjects.spreadsheets.detection.letter_evidence import FOLDED, NEAR, PLACES

WEST = [
    "de",
    "fr",
    "es",
    "pt",
    "pt_BR",
    "it",
    "da",
    "nb",
    "sv",
    "fi",
    "nl",
    "ga",
    "gl",
    "ca",
    "es_AR",
    "es_MX",
    "is",
    "et",
]
CENTRE = ["pl", "cs", "sk", "sl", "hr", "hu", "ro", "bs"]
LANGUAGES = {"cp1252": [*WEST, "eu"], "cp1250": CENTRE}
_NEWER = str.maketrans("șțȘȚ", "şţŞŢ")
_STEEPEST, _STEEPEST_OWN = 12, 6


def main() -> None:
    """Print the table."""
    west, centre = (_count_letters(encoding) for encoding in LANGUAGES)
    sys.stdout.write("_WEIGHTS = {\n")
    for byte in sorted(set(map(FOLDED.__getitem__, _differing()))):
        kinds = [bytes([byte]).decode(encoding, "ignore") or "-" for encoding in LANGUAGES]
        if not any(kind.isalpha() for kind in kinds) or not west[0][byte] + centre[0][byte]:
            continue
        own = _weight(west[0][byte] + 0.5, west[0].total() + 30, centre[0][byte] + 0.5, centre[0].total() + 30)
        own = max(-_STEEPEST_OWN, min(_STEEPEST_OWN, own))
        signs = ['"' + "".join(_sign(byte, near, place, west, centre) for place in range(28)) + '"' for near in NEAR]
        sys.stdout.write(f"    0x{byte:02X}: ({own}, {', '.join(signs)}),  # {' or '.join(kinds)}\n")
    sys.stdout.write("}\n")


Counts = tuple[Counter[int], defaultdict[tuple[int, int], Counter[int]]]


def _count_letters(encoding: str) -> Counts:
    """How often each letter that differs stands in texts, and how often what near it."""
    letters: Counter[int] = Counter()
    beside: defaultdict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    differing = set(map(FOLDED.__getitem__, _differing()))
    for language in LANGUAGES[encoding]:
        for text in _texts(language):
            padded = b"  %b  " % text.translate(_NEWER).encode(encoding, "ignore").translate(FOLDED)
            for place in range(2, len(padded) - 2):
                byte = padded[place]
                if byte in differing:
                    letters[byte] += 1
                    for near in NEAR:
                        beside[byte, near][PLACES[padded[place + near]]] += 1
    return letters, beside


def _texts(language: str) -> Iterator[str]:
    for path in Path(django.__file__).parent.glob(f"**/locale/{language}/LC_MESSAGES/django.po"):
        yield from re.findall(r'"([^"\\]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
    names = babel.Locale.parse(language)
    for each in (names.territories, names.languages, names.currencies):
        yield from map(str, each.values())


def _differing() -> list[int]:
    return [
        byte
        for byte in range(0x80, 0x100)
        if bytes([byte]).decode("cp1252", "ignore") != bytes([byte]).decode("cp1250", "ignore")
    ]


def _sign(byte: int, near: int, place: int, west: Counts, centre: Counts) -> str:
    here, there = (counts[1][byte, near][place] + 0.3 for counts in (west, centre))
    weight = _weight(here, west[0][byte] + 8, there, centre[0][byte] + 8)
    return chr(ord("m") + weight)


def _weight(west: float, all_west: float, centre: float, all_centre: float) -> int:
    """Half the logarithm of how much more frequent something is in the West, as a whole number."""
    found = round(2 * (math.log(west / all_west) - math.log(centre / all_centre)))
    return max(-_STEEPEST, min(_STEEPEST, found))


if __name__ == "__main__":
    main()
