"""Rows that are read by patterns, compared with the same rows read by the parser."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobjects.spreadsheets.reader import iter_rows
from mobjects.spreadsheets.types import FileRefused, ReadOptions
from tests.spreadsheets.reading_helpers import LIMITS, edited, with_strings, workbook

LETTERS = "ABCDEFGHIJ"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8) | st.sampled_from(
    ["a & b", "<x>", "_x000D_", "_x0041_", " ", "", "</row>", "</v>", "<!--", 'say "x"', "a\nb", "\t"]
)
NUMBERS = st.sampled_from(["0", "1", "-5", "0.8", "46203", "46202.75", "1E3", "1e999", "x", "", "12345678901234567890"])
STYLES = st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="3"', ' s=""'])
FORMULAS = st.sampled_from(
    ["", "", "", "<f>A1+1</f>", '<f t="shared" si="0"/>', "<f/>", "<f>A1&lt;2</f>", "<f>&#65;</f>"]
)


def formatted(page):
    for place, code in (("A1", "0%"), ("B1", "yyyy-mm-dd"), ("C1", '"K-"000')):
        page[place].number_format = code


FORMATS = workbook([1, 2, 3], change=formatted)
with zipfile.ZipFile(io.BytesIO(FORMATS)) as archive:
    STYLE_PART = archive.read("xl/styles.xml")
BOOK = edited(
    with_strings("<si><t>one</t></si>", "<si><t>t &amp; wo</t></si>"),
    lambda name, old: STYLE_PART if name.endswith("styles.xml") else old,
)


@st.composite
def cell_elements(draw):
    """A cell without its place: the attributes and what stands in it."""
    style, formula = draw(STYLES), draw(FORMULAS)
    kind = draw(st.sampled_from(["inlineStr", "str", "s", "n", "b", "e", "d", "none"]))
    if kind == "inlineStr":
        space = draw(st.sampled_from(["", ' xml:space="preserve"']))
        text = escape(draw(TEXTS))
        more = draw(st.sampled_from(["", "", "", "<v>twice</v>", "<rPh sb='0' eb='1'><t>hint</t></rPh>"]))
        inner = f"<is><t{space}>{text}</t>{more if 'rPh' in more else ''}</is>{'' if 'rPh' in more else more}"
        return f'{style} t="inlineStr"', inner
    if kind == "none":
        return style, draw(st.sampled_from([None, "", "<v/>", "<v></v>", formula]))
    values = {
        "str": TEXTS.map(escape),
        "s": st.sampled_from(["0", "1", "2"]),
        "n": NUMBERS,
        "b": st.sampled_from(["0", "1", "true", "2"]),
        "e": st.sampled_from(["#N/A", "#REF!"]),
        "d": st.sampled_from(["2026-06-30", "2026-06-30T14:00:00", "PT26H5M", "x"]),
    }
    written = draw(st.sampled_from([' t="{kind}"{style}', '{style} t="{kind}"', '{style} t="{kind}" cm="1"']))
    attributes = written.format(kind=kind, style=style) if kind != "n" or draw(st.booleans()) else style
    return attributes, f"{formula}<v>{draw(values[kind])}</v>"


@st.composite
def sheets(draw):
    """Rows of XML, some of them with gaps, without places, or of a shape that no pattern knows."""
    rows, number = [], 0
    for cells in draw(st.lists(st.lists(cell_elements(), max_size=4), min_size=1, max_size=4)):
        number += draw(st.integers(1, 3))
        placed, column, named = [], -1, draw(st.booleans())
        for attributes, inner in cells:
            column += draw(st.integers(1, 2)) if named else 1
            place = f' r="{LETTERS[column]}{number}"' if named else ""
            placed.append(f"<c{place}{attributes}/>" if inner is None else f"<c{place}{attributes}>{inner}</c>")
        more = draw(st.sampled_from(["", ' spans="1:4"', ' hidden="1" x:dyDescent="0.25"']))
        space = draw(st.sampled_from(["", "", "\n  "]))
        rows.append(f'<row r="{number}"{more}>{space}{space.join(placed)}{space}</row>')
        if draw(st.booleans()):
            number += 1
            rows.append(draw(st.sampled_from([f'<row r="{number}"/>', f'<row r="{number}"></row>'])))
    return "".join(rows)


def book_of(rows, *, start=""):
    """A workbook with these rows below a header; a comment at the start leaves all of them to the parser."""
    header = "".join(f'<c r="{letter}1" t="str"><v>{letter}</v></c>' for letter in LETTERS)
    xml = (
        f'<worksheet xmlns="{MAIN}" xmlns:x="urn:x"><sheetData>{start}<row r="1">{header}</row>{rows}'
        "</sheetData></worksheet>"
    )
    return edited(BOOK, lambda name, old: xml.encode() if name.endswith("sheet1.xml") else old)


def read_book(data):
    """The rows, with the classes of their cells; or why there are none."""
    try:
        rows = list(iter_rows(io.BytesIO(data), ReadOptions("xlsx", sheet="Sheet"), LIMITS))
    except FileRefused as error:
        return str(error)
    return [(row.number, [(cell.__class__, cell) for cell in row.cells], row.problem) for row in rows]


@settings(max_examples=150, deadline=None)
@given(sheets())
def test_patterns_and_parser_read_the_same(rows):
    assert read_book(book_of(rows)) == read_book(book_of(rows, start="<!---->"))


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</v></c><!-- <c r="B2"><v>2</v></c> --></row>',
        '<!-- <row r="2"><c r="A2"><v>1</v></c></row> --><row r="3"><c r="A3"><v>1</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v><![CDATA[</row><row r="9">]]></v></c></row>',
        '<row r="2"><c r="A2" t="inlineStr"><is><t>&#x41;&#66;</t></is></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row>\r\n<row r="3"><c r="A3" t="str"><v>a\r\nb</v></c></row>',
        '<row r="2"><c r="A2" xmlns="urn:x"><v>1</v></c><c r="B2"><v>2</v></c></row>',
        '<row r="2"><c r="A2" s=\'1\'><v>1</v></c></row>',
        '<row spans="1:1" r="2"><c s="1" r="A2"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c>text<c r="B2"><v>2</v></c></row>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>',
        '<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row></sheetData><sheetData><row r="3"><c r="A3"><v>2</v></c></row>',
        '<row r="2"><c r="A2"><v>1</c></v></row>',
        '<row r="2"><c r="A2" t="str"><v>a &amp b</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>a\x01b</v></c></row>',
    ],
)
def test_what_no_pattern_knows_is_read_by_the_parser(rows):
    assert read_book(book_of(rows)) == read_book(book_of(rows, start="<!---->"))


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.booleans())
def test_patterns_and_parser_read_the_same_strings(texts, spaced):
    tag = '<t xml:space="preserve">' if spaced else "<t>"
    items = [f"<si>{tag}{escape(text)}</t></si>" for text in texts]
    data = with_strings(*items)
    commented = edited(
        data, lambda name, old: old.replace(b"<si>", b"<!----><si>", 1) if name.endswith("sharedStrings.xml") else old
    )
    assert read_book(data) == read_book(commented)
