"""Which encoding a text file is in: told by its bytes where they tell, guessed where they do not, never in silence.

The guess is a rule for the few encodings that people's spreadsheets write. Detectors for all the encodings there are
take short German or French samples for Central European, DOS or Chinese ones.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from mobjects.marking import gettext_noop as _
from mobjects.spreadsheets.detection.legacy_encodings import guess_eastern, guess_western
from mobjects.spreadsheets.types import FileRefused

ENCODINGS = {
    "auto": _("Detect"),
    "utf-8": "UTF-8",
    "utf-8-sig": _("UTF-8 with byte order mark"),
    "utf-16": _("UTF-16 with byte order mark"),
    "utf-16-le": _("UTF-16, little-endian"),
    "utf-16-be": _("UTF-16, big-endian"),
    "cp949": _("Korean (CP949, EUC-KR)"),
    "cp932": _("Japanese (Shift-JIS)"),
    "gb18030": _("Chinese, simplified (GBK, GB 18030)"),
    "big5": _("Chinese, traditional (Big5)"),
    "cp1252": _("Western European (Windows-1252)"),
    "latin-1": _("Western European (ISO 8859-1)"),
    "cp1250": _("Central European (Windows-1250)"),
    "cp1251": _("Cyrillic (Windows-1251)"),
}
"""Encodings that are read; a person can choose any of them."""

_SHORT = {
    "cp1252": "Windows-1252",
    "cp1250": _("Windows-1250 (Central European)"),
    "cp949": _("CP949 (Korean)"),
    "cp932": _("Shift-JIS (Japanese)"),
    "gb18030": _("GBK (Chinese)"),
}
_ASKED = ("cp949", "cp932", "gb18030", "big5", "cp1252", "cp1250", "cp1251")
"""What a file can be in if its letters do not tell."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_ANY_BYTES = ("cp1252", "latin-1")
_PIECE = 1 << 20
_SAMPLE = 1 << 16
_WEIGHED = 16  # Pieces that are read to tell broken UTF-8 from another encoding.

# UTF-8 bytes of a Latin letter, a typographic sign or a Korean syllable, each read as a Windows-1252 character.
_TRAIL = "\x81\x8d\x8f\x90\x9d€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\x80-\xbf"
_MANGLED = re.compile(f"[ÂÃ][{_TRAIL}]|[âêëìí][{_TRAIL}]{{2}}")
_LEADS = "ÂÃâêëìí"
_C1 = re.compile("[\x80-\x9f]")


@dataclass(slots=True)
class _DecodeResult:
    """What decoding a whole file brought up."""

    replaced: bool = False
    mangled: bool = False


class _UndecodableError(Exception):
    """Bytes that do not fit an encoding; ``offset`` counts from the file's beginning."""

    def __init__(self, encoding: str, offset: int, byte: int) -> None:
        super().__init__(encoding, offset, byte)
        self.encoding, self.offset, self.byte = encoding, offset, byte


def find_encoding(file: BinaryIO, given: str = "") -> tuple[str, list[str]]:
    """Find out the encoding of a text file; all of it is decoded once, in pieces.

    A byte order mark wins over ``given``.

    Args:
        file: seekable.
        given: what a person chose, a key of ENCODINGS; ``""`` and ``auto`` if nobody did.

    Returns:
        The encoding, a key of ENCODINGS that Python knows, too; and notes for the person who uploaded the file.

    Raises:
        FileRefused: no bytes; a workbook; plainly not text; or not in the encoding.
    """
    file.seek(0)
    sample = file.read(_SAMPLE)
    if not sample.strip():
        raise FileRefused(_("The file is empty."))
    if sample.startswith(_WORKBOOKS):
        raise FileRefused(_("This is a workbook, not a CSV file; its name must end in .xlsx."))
    marked = next((encoding for mark, encoding in _MARKS if sample.startswith(mark)), "")
    given = "" if given == "auto" else given
    try:
        if not marked and not given:
            return _guess(file, sample)
        encoding = marked or _unmarked(given, sample)
        _check_choice(file, encoding, sample)
        return encoding, _notes(_decode(file, encoding))
    except _UndecodableError as error:
        raise _refusal(file, error) from None


def _unmarked(given: str, sample: bytes) -> str:
    """The encoding a person chose, for a file without a byte order mark."""
    if given == "utf-16":
        return _utf_16(sample) or "utf-16-le"
    return given.removesuffix("-sig")


def _check_choice(file: BinaryIO, encoding: str, sample: bytes) -> None:
    if encoding in _ANY_BYTES and _is_utf_8(file):
        raise FileRefused(_("The file is UTF-8, not %(encoding)s; choose UTF-8.") % {"encoding": ENCODINGS[encoding]})
    if not encoding.startswith("utf-16"):
        _check_nul(sample)


def _guess(file: BinaryIO, sample: bytes) -> tuple[str, list[str]]:
    plain = _utf_16(sample)
    if plain and (found := _attempt(file, plain)):
        return plain, _notes(found, plain)
    _check_nul(sample)
    try:
        return "utf-8", _notes(_decode(file, "utf-8"))
    except _UndecodableError:
        if eastern := guess_eastern(partial(_pieces_in, file)):
            return eastern, _notes(_decode(file, eastern), eastern)
        if _is_broken_utf_8(file):
            raise
    if western := guess_western(partial(_pieces_in, file)):
        return western, _notes(_decode(file, western), western)
    names = [ENCODINGS[encoding] for encoding in _ASKED if _attempt(file, encoding)]
    raise FileRefused(
        _(
            "The encoding cannot be told from its letters; it can be %(names)s. Choose it by name, or "
            "save the file as “CSV UTF-8”."
        )
        % {"names": ", ".join(names) or "none that is known here"}
    )


def _pieces_in(file: BinaryIO, encoding: str) -> Iterator[str] | None:
    """The file as text in an encoding; ``None`` if it is not in it."""
    return _texts(file, encoding) if _attempt(file, encoding) else None


def _attempt(file: BinaryIO, encoding: str) -> _DecodeResult | None:
    try:
        return _decode(file, encoding)
    except _UndecodableError:
        return None


def _notes(found: _DecodeResult, guessed: str = "") -> list[str]:
    notes = []
    if guessed:
        name = _SHORT.get(guessed, ENCODINGS[guessed])
        notes.append(
            _("The encoding was guessed: %(name)s. Choose another one if letters look wrong.") % {"name": name}
        )
    if found.mangled:
        notes.append(
            _(
                "Some letters look like UTF-8 that was read as Windows-1252 and saved again, “Ã¼” in place of “ü”. "
                "They are read as they stand; if that is wrong, export the file anew from where it came from."
            )
        )
    if found.replaced:
        lost = _("The file holds “%(mark)s”, which stands for letters that were lost before it was uploaded.")
        notes.append(lost % {"mark": "\ufffd"})
    return notes


# --- decoding -------------------------------------------------------------------------------


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def _texts(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The whole file as text, in pieces. Raises _UndecodableError."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    try:
        for piece in _pieces(file):
            done += len(piece)
            text = decoder.decode(piece)
            # Control characters that no text has: letters or signs of another encoding.
            if encoding == "latin-1" and (control := _C1.search(text)):
                raise _UndecodableError(encoding, done - len(piece) + control.start(), ord(control[0]))
            yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # What the decoder held back from the piece before stands in front of this one.
        offset = done - len(error.object) + error.start
        raise _UndecodableError(encoding, offset, error.object[error.start]) from None


def _decode(file: BinaryIO, encoding: str) -> _DecodeResult:
    found = _DecodeResult()
    for text in _texts(file, encoding):
        if text.isascii():
            continue
        found.replaced = found.replaced or "\ufffd" in text
        if not found.mangled and any(lead in text for lead in _LEADS):
            found.mangled = _MANGLED.search(text) is not None
    return found


def looks_mangled(text: str) -> bool:
    """Whether letters look like UTF-8 that was read as Windows-1252."""
    return not text.isascii() and _MANGLED.search(text) is not None


def _refusal(file: BinaryIO, error: _UndecodableError) -> FileRefused:
    decoder = codecs.getincrementaldecoder(error.encoding)("replace")
    line, left = 1, error.offset
    for piece in _pieces(file):
        line += decoder.decode(piece[:left]).count("\n")
        left -= len(piece)
        if left <= 0:
            break
    return FileRefused(
        _(
            "The file is not %(encoding)s: byte 0x%(byte)s on line %(line)s does not fit. Save it as “CSV "
            "UTF-8”, or choose the encoding it was saved in."
        )
        % {"encoding": ENCODINGS[error.encoding], "byte": f"{error.byte:02X}", "line": line}
    )


# --- telling encodings apart ----------------------------------------------------------------


def _check_nul(sample: bytes) -> None:
    """Refuse what is no text. A stray NUL here or there is a bad cell, not a bad file."""
    count = sample.count(0)
    if count > 10 and count * 100 > len(sample):
        raise FileRefused(_("The file holds NUL bytes, so it is no CSV text; if it is UTF-16, choose that encoding."))


def _utf_16(sample: bytes) -> str:
    """Which UTF-16 a file without a byte order mark plainly is, if it is.

    Digits, delimiters and line ends are a byte and a NUL in it, and the NULs stand on one side.
    """
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) < 4 * min(even, odd) or max(even, odd) * 20 < len(sample):
        return ""
    text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
    return encoding if any(sign in text for sign in "\n\r,;\t|") else ""


def _is_utf_8(file: BinaryIO) -> bool:
    """Whether the bytes are UTF-8 beyond ASCII; text in a single-byte encoding practically never is."""
    try:
        return sum(not text.isascii() for text in _texts(file, "utf-8")) > 0  # not any(): all has to be decoded
    except _UndecodableError:
        return False


def _is_broken_utf_8(file: BinaryIO) -> bool:
    """Whether more of what is not ASCII is UTF-8 than is not."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    right = wrong = 0
    for number, piece in enumerate(_pieces(file)):
        text = decoder.decode(piece)
        bad = text.count("\ufffd") - piece.count(b"\xef\xbf\xbd")
        wrong += bad
        right += len(text) - len(text.encode("ascii", "ignore")) - bad
        if number >= _WEIGHED:
            break
    return right > wrong
