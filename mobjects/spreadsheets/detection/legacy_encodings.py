"""Which of the older encodings a text is in: guessed only where the letters leave no doubt.

A rule for each of the few encodings that spreadsheets write: bytes of one of them are valid in most of the others, but
give letters there that no text of that language is made of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from mobjects.spreadsheets.detection.letter_evidence import CENTRAL, WESTERN, weigh_letters

Texts = Callable[[str], Iterable[str] | None]
"""Gives the file as text in an encoding, in pieces; ``None`` if it does not fit."""

_LETTERS = 200_000
"""Characters beyond ASCII that are looked at."""
_ASCII = re.compile("[\x00-\x7f]+")
_SOME, _MANY, _MOST = 0.5, 0.65, 0.85
_KANA_SHARE = 0.1
_LONG_RUN = re.compile("[\x80-ÁÄ-\U0010ffff]{4,}")  # UTF-8 that was read as Windows-1252 has Â and Ã.

# A Korean syllable: initial * 588 + vowel * 28 + final, from U+AC00. The doubled initials, the vowels and the finals
# left out here are rare; of syllables drawn by chance only two of five have none of them.
_RARE_INITIALS = frozenset((1, 4, 8, 10, 13))
_RARE_VOWELS = frozenset((3, 7, 10, 15))
_PLAIN_FINALS = frozenset((0, 1, 4, 8, 16, 17, 19, 20, 21))

# Signs where no text has them, but where letters of another encoding are read as such: two of them together, before a
# letter, or in the midst of a word; not those of UTF-8 that was read as Windows-1252, which has Â and Ã.
_ODD = "¤¦¨¬¯±²³´¶¸¹¼½¾¥®†‡ˆ‰ƒ˜™¢"
_MISPLACED = re.compile(
    rf"(?<![ÂÃ])[{_ODD}»›¿¡](?=[{_ODD}])|(?<![ÂÃ])[{_ODD}»›](?=[^\W\d_])|(?<=[^\W\d_ÂÃ])[¤¦¨¬¯±¶¸¹¼½¾¥¡¿«‹†‡ˆ‰ƒ˜¢](?=[^\W\d_])"
)
_MOST_MISPLACED = 0.1
"""Of the places that are not ASCII."""
_FEW = 12
"""Of so few characters Korean and Chinese are easily taken for each other."""
_RUN = re.compile("[\x80-ÁÄ-\U0010ffff]{4,}")  # UTF-8 that was read as Windows-1252 has Â and Ã.

# A Korean syllable: initial * 588 + vowel * 28 + final, from U+AC00. The doubled initials, the vowels and the finals
# left out here are rare; of syllables drawn by chance only two of five have none of them.
_RARE_INITIALS = frozenset((1, 4, 8, 10, 13))
_RARE_VOWELS = frozenset((3, 7, 10, 15))
_PLAIN_FINALS = frozenset((0, 1, 4, 8, 16, 17, 19, 20, 21))

# Letters of Central Europe, as they look when Windows-1250 is read as Windows-1252: signs inside a word, and letters
# where no Western language has them.
_CENTRAL = re.compile(
    r"(?<=[^\W\d_ÂÃ])[¹³¿º¼¾](?=[^\W\d_])|\b£(?=[^\W\d_])|(?<![ÂÃ])Ÿ|ø(?=[íáéìùýi])|(?<=[^\W\d_])[ìù](?=[^\W\d_])"
    r"|è(?=[aeiou])|iæ\b|œæ|(?<=[aeiou])æ(?=[aeiou])"
)
_PERHAPS_CENTRAL = re.compile(r"õ(?!e)|(?<=[^\W\d_])[òþ](?=[^\W\d_])|ã(?=[^\W\d_oes])|(?<=[^\W\d_]{2})[¹³](?![^\W\d_])")
_RUN = re.compile("[A-Za-z]?[^\x00-\x7f]+[A-Za-z]?")


def guess_eastern(texts: Texts) -> str:
    """``cp949``, ``cp932`` or ``gb18030``, if nearly all that is not ASCII is what such texts are made of; else ""."""
    korean, japanese, chinese = (_profile(texts(encoding)) for encoding in ("cp949", "cp932", "gb18030"))
    plain, enough = korean.share(_is_plain_syllable), _MOST if korean.letters.total() < _FEW else _MANY
    only_signs = korean.fits and not korean.letters
    if only_signs or (plain >= enough and not korean.is_glued):
        return "cp949"
    if _is_japanese(japanese) and not japanese.is_glued:
        return "cp932"
    # Of a few letters Korean and Chinese cannot be told apart.
    is_chinese = _is_chinese(chinese) and not chinese.is_glued and not chinese.private
    return "gb18030" if plain < _SOME and is_chinese else ""


def guess_western(texts: Texts) -> str:
    """``cp1252`` or ``cp1250``, if the letters are those of one of them; "" if that cannot be told."""
    central, western = _profile(texts("cp1250")), _profile(texts("cp1252"))
    if not western.fits:
        return "cp1250" if central.fits and not central.is_other_script else ""
    if western.is_other_script:
        return ""
    weight = weigh_letters(texts("cp1252") or ())
    if central.fits and weight is not None and weight < CENTRAL:
        return "" if central.is_misplaced else "cp1250"
    sure = not central.fits or weight is None or weight > WESTERN
    return "cp1252" if sure and not western.is_misplaced else ""


@dataclass(slots=True)
class _TextProfile:
    """What a text in one encoding has beyond ASCII.

    Args:
        fits: whether the file is in that encoding at all.
        letters: the letters, counted; signs and full-width Latin letters stand in texts of all of Asia.
        together: how many stand in long runs.
        runs: how many runs with letters there are.
        glued: how many of these touch a letter of ASCII, as in “AÇÃO”, or are one letter by itself, as “è”.
        misplaced: how many signs stand where no text has them.
        private: how many characters have no meaning that people agree on.
    """

    fits: bool
    letters: Counter[str] = field(default_factory=Counter)
    together: int = 0
    runs: int = 0
    glued: int = 0
    misplaced: int = 0
    private: int = 0

    def add(self, text: str) -> None:
        """Count a piece of the text."""
        self.letters.update(
            char for char in _ASCII.sub("", text) if char.isalpha() and not "\uff00" <= char <= "\uff5e"
        )
        self.together += sum(len(run) for run in _LONG_RUN.findall(text))
        runs = [run for run in _RUN.findall(text) if any(char.isalpha() and not char.isascii() for char in run)]
        self.runs += len(runs)
        self.glued += sum(len(run) == 1 or run[0].isascii() or run[-1].isascii() for run in runs)
        self.misplaced += len(_MISPLACED.findall(text))
        self.private += sum("\ue000" <= char <= "\uf8ff" for char in text)

    def share(self, is_one: Callable[[str], bool]) -> float:
        """Which share of the characters is of a sort."""
        return sum(count for sign, count in self.letters.items() if is_one(sign)) / (self.letters.total() or 1)

    @property
    def is_glued(self) -> bool:
        """Whether most stands within words of ASCII."""
        return self.glued * 2 >= self.runs

    @property
    def is_misplaced(self) -> bool:
        """Whether signs stand where no text has them, as in “¥xÆW»O¥_”."""
        return self.misplaced > _MOST_MISPLACED * self.runs

    @property
    def is_other_script(self) -> bool:
        """Whether letters stand together or by themselves, as in words of other scripts: “Ïðèâåò”."""
        return self.together * 4 > self.letters.total() or not self.is_glued


def _profile(pieces: Iterable[str] | None) -> _TextProfile:
    found = _TextProfile(pieces is not None)
    for text in pieces or ():
        if not text.isascii() and found.letters.total() < _LETTERS:
            found.add(text)
    return found


# --- Korean, Japanese, Chinese --------------------------------------------------------------


def _is_plain_syllable(sign: str) -> bool:
    """Whether it is a syllable that Korean is made of: read as CP949, Chinese gives rare ones, and “Är” is one."""
    number = ord(sign) - 0xAC00
    if not 0 <= number < 11172 or sign not in _common_syllables():
        return False
    initial, vowel, final = number // 588, number % 588 // 28, number % 28
    return initial not in _RARE_INITIALS and vowel not in _RARE_VOWELS and final in _PLAIN_FINALS


@cache
def _common_syllables() -> frozenset[str]:
    """The 2,350 syllables of KS X 1001, which stand in 25 rows of 94."""
    return frozenset(bytes((row, place)).decode("euc_kr") for row in range(0xB0, 0xC9) for place in range(0xA1, 0xFF))


def _is_japanese(text: _TextProfile) -> bool:
    """Whether there are kana, and nearly all others are frequent kanji, signs and full-width letters."""
    return text.share(_is_kana) >= _KANA_SHARE and text.share(_is_frequent_in_japanese) >= _MOST


def _is_chinese(text: _TextProfile) -> bool:
    """Whether nearly all are the 3,755 frequent characters of GB 2312, or its signs, and no kana."""
    return text.share(_is_frequent_in_chinese) >= _MOST and not text.share(_is_kana)


def _is_kana(sign: str) -> bool:
    return "\u3041" <= sign <= "\u30ff"


def _is_frequent_in_japanese(sign: str) -> bool:
    data = sign.encode("cp932", "ignore")
    return len(data) == 2 and 0x81 <= data[0] <= 0x98


def _is_frequent_in_chinese(sign: str) -> bool:
    data = sign.encode("gbk", "ignore")
    return "\u3000" <= sign <= "\u3015" or (len(data) == 2 and 0xB0 <= data[0] <= 0xD7 and data[1] >= 0xA1)
