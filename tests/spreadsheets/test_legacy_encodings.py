"""Files in older encodings are read right or asked about, and never garbled."""

from __future__ import annotations

import random
import re
from pathlib import Path

import django
import pytest

from mobjects.spreadsheets.types import FileRefused
from tests.spreadsheets.reading_helpers import cells, csv_as, head, read

GUESSED = "The encoding was guessed: "
CATALOGUES = Path(django.__file__).parent / "contrib/admin/locale"


def table(*names):
    return "".join(f"{name},1\n" for name in ("Name", *names))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (table("株式会社サンプル", "テスト商事", "新規のご契約"), "cp932"),
        (table("北京科技有限公司", "上海贸易公司", "新项目的预算"), "gb18030"),
        (table("주식회사 한빛", "신규 계약 갱신", "서울 지사"), "cp949"),
        (table("Wrocław", "Łódź", "Gdańsk", "spółka z o.o."), "cp1250"),
        (table("Český Krumlov", "Plzeň příspěvek", "účet"), "cp1250"),
        (table("korisničko ime", "uspješno učlanjenje"), "cp1250"),
        (table("usunięcie", "imię"), "cp1250"),
        (table("mûvelet".replace("û", "ű"), "vevőszolgálat", "fő"), "cp1250"),
        (table("Dată", "Selectează", "Ieşire"), "cp1250"),
        (table("Müller", "Übersee Größe", "Café crème"), "cp1252"),
        (table("Jõgeva", "Põltsamaa"), "cp1252"),
        (table("Première bibliothèque", "Forêt", "Où"), "cp1252"),
        (table("Año", "¿Qué señal?", "São João"), "cp1252"),
        (table("AÇÃO", "SOLUÇÃO", "PROMOÇÃO"), "cp1252"),
        (table("Perché è così", "È qui"), "cp1252"),
    ],
)
def test_a_guess_is_right_and_said(text, encoding):
    found, rows = read(text.encode(encoding))
    assert (found.options.encoding, [row.cells[0] for row in rows]) == (
        encoding,
        [line.split(",")[0] for line in text.splitlines()[1:]],
    )
    assert found.notes[0].startswith(GUESSED)


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (table("Москва", "Санкт-Петербург"), "cp1251", "Cyrillic (Windows-1251)"),
        (table("臺灣科技股份有限公司", "新北市"), "big5", "Chinese, traditional (Big5)"),
        (table("田中商事", "山本"), "cp932", "Japanese (Shift-JIS)"),
        (table("台灣臺北公司專案"), "big5", "Chinese, traditional (Big5)"),
        (table("Perù"), "cp1252", "Western European (Windows-1252)"),
        (table("Perů"), "cp1250", "Central European (Windows-1250)"),
    ],
)
def test_where_the_letters_do_not_tell_it_is_asked_by_name(text, encoding, name):
    with pytest.raises(FileRefused, match="The encoding cannot be told from its letters") as refused:
        head(text.encode(encoding))
    assert name in str(refused.value)
    assert "ISO 8859-1" not in str(refused.value)
    assert cells(text.encode(encoding), reading=csv_as(encoding))[0][0] == text.splitlines()[1].split(",")[0]


def test_control_characters_are_no_letters_of_latin_1():
    data = "a,b\nx,1\né,".encode() + b"\x85\n"
    with pytest.raises(FileRefused, match=r"not Western European \(ISO 8859-1\): byte 0x85 on line 3 does not fit"):
        head(data.replace("é".encode(), b"\xe9"), reading=csv_as("latin-1"))
    assert head(data.replace("é".encode(), b"\xe9")).options.encoding == "cp1252"


LANGUAGES = {
    "cp949": ("ko",),
    "cp932": ("ja",),
    "gb18030": ("zh_Hans",),
    "cp1252": ("de", "fr", "es", "pt", "pt_BR", "it", "da", "nb", "sv", "fi", "nl", "ga", "gl", "is", "ca", "et"),
    "cp1250": ("pl", "cs", "sk", "sl", "hr", "hu", "ro"),
    "cp1251": ("ru", "uk"),
    "big5": ("zh_Hant",),
}
OLDER = str.maketrans("șțȘȚ", "şţŞŢ")
"""Romanian as it was written before Unicode."""
READ = ("ko", "ja", "zh_Hans", "de", "fr", "es", "pt", "pt_BR", "it", "da", "nb", "sv", "fi", "nl", "pl", "cs", "sk")


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, encoding) for encoding, names in LANGUAGES.items() for name in names]
)
def test_a_text_of_any_language_is_read_right_or_asked_about(language, encoding):
    catalogue = (CATALOGUES / language / "LC_MESSAGES/django.po").read_text(encoding="utf-8")
    texts = [text for text in re.findall(r'^msgstr "([^"\\]+)"$', catalogue, re.MULTILINE) if not text.isascii()]
    data = "".join(f"{text}\n" for text in ["Name", *texts]).encode(encoding, "ignore")
    read_as = _encoding_of(data)
    assert read_as or language not in READ
    assert not read_as or data.decode(read_as) == data.decode(encoding)


@pytest.mark.parametrize("size", [2, 6])
def test_of_tables_with_a_few_names_hardly_one_is_garbled(size):
    """Drawn from the same texts, always the same ones."""
    read = garbled = drawn = 0
    for encoding, languages in LANGUAGES.items():
        for language in languages:
            for names in _draw_names(language, size):
                data = "".join(f"{name}\n" for name in ["Name", *names]).encode(encoding, "ignore")
                if not data.isascii():
                    found, drawn = _encoding_of(data), drawn + 1
                    read += bool(found)
                    garbled += bool(found) and data.decode(found) != data.decode(encoding)
    assert drawn > 400
    assert (garbled <= 0.01 * drawn, read >= 0.8 * drawn) == (True, True), f"{garbled} and {read} of {drawn}"


def _draw_names(language, size):
    catalogue = (CATALOGUES / language / "LC_MESSAGES/django.po").read_text(encoding="utf-8").translate(OLDER)
    texts = sorted(set(re.findall(r'^msgstr "([^"\\%]{2,40})"$', catalogue, re.MULTILINE)))
    draw = random.Random(language)
    return [draw.sample(texts, size) for _ in range(25)]


def _encoding_of(data):
    """As what a file is read; "" if it is asked about."""
    try:
        return head(data).options.encoding
    except FileRefused:
        return ""
