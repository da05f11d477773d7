"""Whether the letters of a text are Western or Central European: Windows-1252 and Windows-1250 differ in some of them.

The same byte is è in one and č in the other. Which it is shows in the letters beside it: è stands before a consonant, č
before a vowel. ``bench/letters.py`` counted in texts of 19 Western and 8 Central European languages how often each
letter stands before, behind, and two behind each of these; here are the logarithms of how much more often it does in
the West, in half units from ``a`` (-12) over ``m`` (0) to ``y`` (12).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WESTERN, CENTRAL = 2, -8
"""Above the one a text is Western, below the other Central European: asked about rather than wrong in more than one of
a hundred tables with a few names. Western files are the more frequent ones."""
_MOST_OF_ONE_WORD = 14
"""So that one foreign name does not decide about all others."""
_WORDS = 5000
"""Distinct words with such letters that are weighed."""

# For each byte, folded to small letters: the weight of the letter itself, and those of the character before it, behind
# it, and behind that: 28 signs for "no letter", a to z, and any letter beyond ASCII. First Windows-1252, then -1250.
_WEIGHTS = {
    0x9C: (
        -6,
        "jmsssjsssqosssshsssssqsssjsq",
        "lssissssssssjqlssslssssmsssi",
        "iossslssshssssklossososssqoo",
    ),  # œ or ś
    0x9D: (
        -6,
        "sisoslsssissssssssslsssssjok",
        "gmsssssssssssssossssssssssss",
        "iknpnssslpnpomlnlspmnpjsssln",
    ),  # - or ť
    0x9F: (
        -6,
        "pjppgppppppppppppppppppppppm",
        "gmpplpppppppppmppppppppppppp",
        "jppplpppmmpmppmpjppmlppmppkp",
    ),  # Ÿ or ź
    0xA1: (6, "rlllllllllllllllllllllllllll", "llllllppllllplllllllllllllll", "lplllpllllllllllllplllllllll"),  # ¡ or ˇ
    0xB3: (
        -6,
        "limumnumuqumuuukuuuiunumunnl",
        "ljrppnunuuumurliruuqrkuuuouj",
        "ilokjrupuqrrurmkruoomrukuqnl",
    ),  # ³ or ł
    0xB9: (
        -6,
        "ttpqqttptikolqjttttmlttottnj",
        "httikttmttttttttottpmtttttlm",
        "ijopmltptnpmoontmttotptltljm",
    ),  # ¹ or ą
    0xBA: (
        -1,
        "nhoooiooofoooolooojookoooool",
        "ufooolooodololooooooekoooooi",
        "okgooeooojooiooologliloooooo",
    ),  # º or ş
    0xBE: (
        -6,
        "mnrrmhrrjrrlrrrjrrrrrorrrrro",
        "jiorrrrrrrrlrrmmrrrkolrrrrrk",
        "irmrjmrrorrkrmrnorronolrrooj",
    ),  # ¾ or ľ
    0xBF: (
        -5,
        "pjrrhirrrhrrrrrhrrrrrgrrrjrl",
        "hirrpmrrujrkoojtovrkrrrrrgrj",
        "fmkijqrorkimrrlrrrlrhqrlrmkk",
    ),  # ¿ or ż
    0xE0: (6, "peklkmekhplenlikmeniomoeehje", "rejmeelmhhehoknehhnmlhieieee", "rnjlmiheeqkeljiekelmmkkeeeih"),  # à or ŕ
    0xE3: (
        -1,
        "knjbjnjlpvsnjnnnmnknlfhnrnbu",
        "ennknnnknnnnnfjygneiffnnnnji",
        "ndhcefgfkennhfeefngeegeiknke",
    ),  # ã or ă
    0xE5: (6, "pejebemmneehmqnepeommeleeeel", "reeelkemeeemqeoeeeooneieeeei", "qnlennkmklehnmlkeelnoinjehel"),  # å or ĺ
    0xE6: (1, "nbtlrcutrcplsurftlvsrfyllcld", "ceolldrsljqsusslllytuhsllllt", "jtodrxhrkqhqkdgigltnolpellfo"),  # æ or ć
    0xE8: (
        -3,
        "mhlyqepnqjfjoopgjpnwqoqltoma",
        "qdprvcpupahdswmgpvsymijpxpsd",
        "qjmpiqooknjgglelmslllqmppiih",
    ),  # è or č
    0xEA: (1, "ulivrllllfehpvppilnlkvrfllde", "jllcdllglllgltuldllynlllllgg", "okimjlolllllolhkllqgkeleleej"),  # ê or ę
    0xEC: (
        -6,
        "ssksqsssssssshgsjssxjsisssss",
        "osspsssspsmlikgspslkisssssmj",
        "oksnpissokppopmjlssmpnsssmlg",
    ),  # ì or ě
    0xEF: (3, "dokkkqkkkkkkkkkkkkkkhnkkkkkk", "kfoopqkokkkkoorkkorppqkokkkk", "rmnnookkprofdklpkkdojokkkkkl"),  # ï or ď
    0xF0: (6, "glgggknggqgggggjggtggkgggpgs", "ulngkfmplojmlkjgggoognmggggj", "ponjkronnpcmopimjglpkonggmgr"),  # ð or đ
    0xF1: (2, "qllllpllljlllllklllllklllell", "eylgltlllrlllllylllalllllllr", "qirropllgllavlohllotgllfllhl"),  # ñ or ń
    0xF2: (1, "fgrpnipqmlmmqqpdpmtqstpppmmm", "ldmmimmmmmmmvptepmtonmmmmmmm", "cvpqpqmqmumjjenpkmhjpmgmmmmh"),  # ò or ň
    0xF5: (2, "qpdlelglttpumrjltlhpjlslnifu", "aljlhsinoseghnplmlmijulllllp", "jpolnkftimqoinokllmrlqqlllfc"),  # õ or ő
    0xF8: (1, "mimllkworlqnsoughltwkqhllilc", "ffolsilslfutultfolxullrllulb", "mrfggvlveqeonhllglunolklllfi"),  # ø or ř
    0xF9: (
        -3,
        "pppihpplmxmhjghskpppipppppmj",
        "mpppmpppppppjkppppppppjppppg",
        "hmppxgppppppppjolpmppppppplp",
    ),  # ù or ů
    0xFB: (
        -3,
        "jpppppppppppphmvppisipmppmhp",
        "lpppppppppmimpmpppklsphppppp",
        "pplpphmppmpmjpmjpppmmpppppph",
    ),  # û or ű
    0xFE: (0, "wbjenhnqngnnjndggnlnnfnnnnnq", "nrnnnunnnhrnnnnqnnsnnkunnrnu", "kennnfnqnlnunjkgnnrxwhnnnnnw"),  # þ or ţ
}
_MANGLED = re.compile(rb"[\xC2\xC3][\x80-\xBF]")
"""UTF-8 that was read as Windows-1252: no letter that a person wrote."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_NO_LETTERS = frozenset(b"\xa0\xab\xac\xad\xae\xb0\xb1\xb4\xb6\xb7\xb8\xbb")


def _fold(byte: int) -> int:
    """A letter as the small one, in either encoding."""
    if 0x41 <= byte <= 0x5A or (0xC0 <= byte <= 0xDE and byte != 0xD7):
        return byte + 0x20
    if 0x8A <= byte <= 0x8F:
        return byte + 0x10
    return {0xA3: 0xB3, 0xA5: 0xB9, 0xAA: 0xBA, 0xAF: 0xBF, 0xBC: 0xBE}.get(byte, byte)


def _place(byte: int) -> int:
    """Which of the 28 signs of a weight stands for a folded byte."""
    if 0x61 <= byte <= 0x7A:
        return byte - 0x60
    beyond = byte in (0x9A, 0x9C, 0x9D, 0x9E, 0x9F) or (byte >= 0xAA and byte not in _NO_LETTERS)
    return 27 if beyond else 0


FOLDED = bytes(map(_fold, range(256)))
PLACES = tuple(map(_place, range(256)))
NEAR = (-1, 1, 2)
"""Where the characters stand that are looked at, from the letter."""


def weigh_letters(pieces: Iterable[str]) -> int | None:
    """How much speaks for Western letters: far below 0 they are those of Central Europe; ``None`` if all are the same.

    Args:
        pieces: a text, as Windows-1252 reads it.
    """
    words: set[bytes] = set()
    for piece in pieces:
        if not piece.isascii() and len(words) < _WORDS:
            letters = _MANGLED.sub(b"", piece.encode("cp1252", "ignore"))
            found = _WORD.findall(letters.translate(FOLDED))
            words.update(word for word in found if not _WEIGHTS.keys().isdisjoint(word))
    weights = [max(-_MOST_OF_ONE_WORD, min(_MOST_OF_ONE_WORD, _weigh_word(word))) for word in words]
    return sum(weights) if weights else None


def _weigh_word(word: bytes) -> int:
    total, padded = 0, b" %b  " % word
    for place, byte in enumerate(word, 1):
        if byte in _WEIGHTS:
            own, *tables = _WEIGHTS[byte]
            signs = [table[PLACES[padded[place + near]]] for table, near in zip(tables, NEAR, strict=True)]
            total += own + sum(ord(sign) - ord("m") for sign in signs)
    return total
