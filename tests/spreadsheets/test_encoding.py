"""Which encoding a CSV file is in."""

from __future__ import annotations

import pytest

from mobjects.spreadsheets.types import FileRefused
from tests.spreadsheets.reading_helpers import cells, csv_as, head, read

KOREAN = "이름,금액\r\n서울,1\r\n"
MANY = "Acme,1\n" * 3000
GUESSED = "The encoding was guessed: "


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_recognised_and_is_no_guess(encoding):
    found, rows = read(KOREAN.encode(encoding))
    assert (found.options.encoding, found.headers, found.notes) == (encoding, ["이름", "금액"], [])
    assert [tuple(row.cells) for row in rows] == [("서울", "1")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["a,b\n1,2\n", KOREAN, "이름,비고 금액\n가나다 라,각\n"])
def test_plain_utf_16_needs_no_mark(text, encoding):
    found = head(text.encode(encoding))
    assert found.options.encoding == encoding
    assert found.headers[0] == text.split(",")[0]
    assert found.notes[0].startswith(f"{GUESSED}UTF-16")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (KOREAN, "cp949"),
        ("Name,Ort\n김철수,부산\nKim,Seoul\n", "cp949"),
        ("Name,Ort\nKim 서울,Acme\n", "cp949"),
        ("a,b\n" + MANY + "서울,2\n", "cp949"),
        ("이름,비고\n金鐵洙,회의\n서울,大\n", "cp949"),
        ("Name;Ort\nMüller;Köln\nStraße;Fürth\n", "cp1252"),
        ("Name,Stage\nÄrzte GmbH,Won\n", "cp1252"),  # "Är" is a Korean syllable in CP949.
        ("Århus,Ávila\nÄgypten,Ärger\n", "cp1252"),
        ("São João,Ação\nx,y\n", "cp1252"),
        ("Nom,Étape\nCafé Hélène,Gagné\nL’été,Perdu\n", "cp1252"),
        ("Name,Price\nA,5 €\nB,“x”\n", "cp1252"),
        ("a,b\n" + MANY + "Müller,2\n", "cp1252"),
    ],
)
def test_another_encoding_is_guessed_and_said(text, encoding):
    found, rows = read(text.encode(encoding))
    assert found.options.encoding == encoding
    assert found.notes[0].startswith(GUESSED)
    line = text.rstrip().split("\n")[-1]
    assert tuple(rows[-1].cells) == tuple(line.split(found.options.delimiter))


def test_the_guess_names_the_encoding():
    assert head("a,b\né,1\n".encode("cp1252")).notes == [
        "The encoding was guessed: Windows-1252. Choose another one if letters look wrong."
    ]


def test_a_choice_is_no_guess():
    found = head("é,b\n1,2\n".encode("cp1252"), reading=csv_as("latin-1"))
    assert (found.options.encoding, found.notes) == ("latin-1", [])
    assert head(KOREAN.encode(), reading=csv_as("auto")).options.encoding == "utf-8"


def test_wrong_choice_is_refused_where_it_would_garble():
    with pytest.raises(FileRefused, match="The file is UTF-8, not Western European"):
        head(KOREAN.encode(), reading=csv_as("cp1252"))
    with pytest.raises(FileRefused, match="byte 0x9D on line 2 does not fit"):
        head(b"a,b\n\x9d,1\n", reading=csv_as("cp1252"))


def test_byte_order_mark_wins_over_the_choice():
    found = head(KOREAN.encode("utf-8-sig"), reading=csv_as("cp949"))
    assert (found.options.encoding, found.headers) == ("utf-8-sig", ["이름", "금액"])


@pytest.mark.parametrize(("chosen", "data"), [("utf-16", "utf-16-le"), ("utf-16", "utf-16-be"), ("utf-8-sig", "utf-8")])
def test_a_mark_that_is_missing_is_not_asked_for(chosen, data):
    assert cells(KOREAN.encode(data), reading=csv_as(chosen)) == [("서울", "1")]


def test_the_whole_file_is_looked_at_and_the_place_named():
    data = ("a,b\n" + "서울,1\n" * 300_000).encode() + b"\xfc,2\n"
    with pytest.raises(FileRefused, match=r"not UTF-8: byte 0xFC on line 300002 does not fit"):
        head(data)


def test_a_character_across_two_pieces_is_one_and_a_broken_one_is_found():
    lines = b"a\n" + b"x\n" * ((1 << 19) - 2) + b"\n"
    assert len(lines) == (1 << 20) - 1
    assert cells(lines + "서\n".encode())[-1] == ("서",)
    with pytest.raises(FileRefused, match=r"byte 0xEC on line 524287 "):
        head("서울\n".encode() + lines[7:] + "서".encode()[:1] + b"\n")


def test_mixed_encodings_are_refused_where_most_is_utf_8_and_noted_where_not():
    with pytest.raises(FileRefused, match="byte 0xFC on line 3"):
        head("a,b\nMüller,1\n".encode() + "Grün,1\n".encode("cp1252") + "Größe,2\n".encode())
    found = head("a,b\nMüller,1\nÖl,2\nGrün,3\n".encode("cp1252") + "Größe,2\n".encode())
    assert found.options.encoding == "cp1252"
    assert "Some letters look like UTF-8" in found.notes[1]


@pytest.mark.parametrize("text", ["Müller", "L’été", "서울", "Ä", "5 €"])
def test_text_that_was_garbled_before_is_noted(text):
    data = text.encode().decode("cp1252", "ignore").encode()
    assert any("Some letters look like UTF-8" in note for note in head(b"a,b\n" + data + b",1\n").notes)


@pytest.mark.parametrize("text", ["SÃO PAULO", "Crème brûlée", "서울", "ÂME", "à côté", "naïve", "Île", "ÊTRE"])
def test_text_in_order_is_not(text):
    assert head(f"a,b\n{text},1\n".encode()).notes == []


def test_lost_letters_are_noted():
    assert any("\ufffd" in note for note in head("a,b\nM\ufffdller,1\n".encode()).notes)


def test_what_is_no_text_is_refused_but_a_stray_nul_is_a_bad_cell():
    with pytest.raises(FileRefused, match="NUL bytes"):
        head(b"a,b\n" + b"\0\1\2\3" * 100)
    [row] = read(b"a,b\n1\0,2\n")[1]
    assert (row.cells[0].why, row.cells[1], row.problem) == ("The text holds a NUL character.", "2", "")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "is empty"), (b"\n \n", "is empty"), (b"PK\x03\x04rest", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook")],
)
def test_what_is_no_csv_file_is_refused(data, words):
    with pytest.raises(FileRefused, match=words):
        head(data)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<html><body><table><tr><td>Name</td></tr></table>", "a web page"),
        ("\ufeff\r\n<!DOCTYPE html>\n<html>", "a web page"),
        ("<TABLE border=1><tr><td>a,b</td></tr>", "a web page"),
        ('<?xml version="1.0"?>\n<html xmlns="x"><body>', "a web page"),
        ('<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "an XML spreadsheet"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_web_page_is_said_to_be_one(text, what, encoding):
    with pytest.raises(FileRefused, match=f"The file is {what}"):
        head(text.encode(encoding))


def test_a_header_in_angle_brackets_is_no_web_page():
    assert head(b"<Name>,b\n1,2\n").headers == ["<Name>", "b"]
