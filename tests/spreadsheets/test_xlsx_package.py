"""Workbooks that are damaged, protected or meant to exhaust the machine."""

from __future__ import annotations

import io
import re
import struct
import time
import tracemalloc
import zipfile
from dataclasses import replace

import pytest

from mobjects.spreadsheets.reader import iter_rows
from mobjects.spreadsheets.types import FileRefused
from tests.spreadsheets.reading_helpers import LIMITS, edited, head, read, with_sheet, with_strings, workbook

ENTITIES = b"""<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>"""


def refused(data, words, limits=LIMITS):
    with pytest.raises(FileRefused, match=words):
        head(data, "a.xlsx", limits=limits)


def archive(**parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello", "not a readable XLSX"),
        (b"a,b\n1,2\n", "not a readable XLSX"),
        (b"\xd0\xcf\x11\xe0old", r"\.xls workbook cannot be read"),
        (b"PK\x03\x04broken", "not a readable XLSX"),
        (archive(a="x"), "not a readable XLSX"),
        (archive(**{"xl/workbook.bin": "x"}), r"\.xlsb workbook cannot be read"),
    ],
)
def test_what_is_no_workbook_is_refused(data, words):
    refused(data, words)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_half_a_file_is_refused(cut):
    data = workbook(["a"], *([f"text {number}"] for number in range(500)))
    refused(data[: int(len(data) * cut)], "not a readable XLSX")


def test_a_password_on_the_archive_is_named():
    data = bytearray(workbook(["a"], [1]))
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1  # The flag of an encrypted entry, in the central directory.
    refused(bytes(data), "protected by a password")


def test_what_unpacks_to_too_much_is_refused_by_its_declared_size():
    refused(workbook(["a"], [1]), r"unpacks to .* MB; at most 0\.001 MB", replace(LIMITS, unpacked=1000))


def test_what_unpacks_to_hundreds_of_times_its_size_is_refused():
    refused(archive(**{"xl/worksheets/sheet1.xml": b" " * 20_000_000}), r"times its size; .* at most 500 times")


def test_an_entry_that_declares_too_little_gives_no_more_than_that():
    lines = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(200_000))
    data = bytearray(with_sheet(lines))
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        real = source.getinfo("xl/worksheets/sheet1.xml").file_size
    while (place := data.find(struct.pack("<L", real))) >= 0:
        data[place : place + 4] = struct.pack("<L", 1000)
    tracemalloc.start()
    refused(bytes(data), "not a readable XLSX")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < real


def test_an_unusual_compression_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as target:
        target.writestr("xl/workbook.xml", "x")
    refused(stream.getvalue(), "not a readable XLSX")


@pytest.mark.parametrize(
    "part", ["sheet1.xml", "sharedStrings.xml", "xl/workbook.xml", "styles.xml", "workbook.xml.rels", "_rels/.rels"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_wherever_they_stand(part, encoding):
    def change(name, old):
        if not name.endswith(part):
            return old
        text = old.decode().partition("?>")[2] if old.startswith(b"<?xml") else old.decode()
        return (f'<?xml version="1.0" encoding="{encoding}"?>' + ENTITIES.decode() + text).encode(encoding)

    refused(edited(with_strings("<si><t>b</t></si>"), change), "document type definition")


@pytest.mark.parametrize(
    "sheet",
    [
        '<row r="2"><c t="str"><v>a</v></c></row><row r="2"><c><v>1</v></c></row>',
        '<row r="1"><c t="str"><v>a</v></c></row><row r="9999999"><c><v>1</v></c></row>',
        '<row r="1"><c r="XFE1" t="str"><v>a</v></c></row>',
        '<row r="1"><c r="B1" t="str"><v>a</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c t="s"><v>99</v></c></row>',
        '<row r="1"><c t="s"><v>-1</v></c></row>',
        '<row r="1"><c t="what"><v>1</v></c></row>',
        '<row r="1"><c s="99"><v>1</v></c></row>',
        "<row><c><v>1</v></row>",
        "<row>" + "".join(f"<e{number}/>" for number in range(2000)) + "</row>",
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(sheet):
    refused(with_sheet(sheet), "not a readable XLSX")


def test_a_tag_without_end_is_refused_before_it_fills_the_memory():
    sheet = "<row " + " ".join(f'a{number}="{"x" * 1000}{number * 7919}"' for number in range(12_000)) + "></row>"
    refused(with_sheet(sheet), "not a readable XLSX")


def test_columns_are_limited():
    refused(workbook(["a", "b", "c"], [1, 2, 3]), "has more than 2 columns", replace(LIMITS, columns=2))


def test_a_workbook_whose_sheet_ends_early_is_refused_where_it_ends():
    lines = "".join(f'<row><c t="str"><v>{number}</v></c></row>' for number in range(50_000))
    whole = with_sheet(lines)
    assert len(read(whole, "a.xlsx")[1]) == 49_999
    broken = edited(whole, lambda name, old: old[:-40] if name.endswith("sheet1.xml") else old)
    with pytest.raises(FileRefused, match="not a readable XLSX"):
        read(broken, "a.xlsx")


def test_reading_more_rows_takes_no_more_memory():
    def peak(count):
        data = with_strings(*(f"<si><t>text {number}</t></si>" for number in range(count)))
        tracemalloc.start()
        reading = head(data, "a.xlsx").options
        assert sum(1 for _ in iter_rows(io.BytesIO(data), reading, LIMITS)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(80_000) < peak(20_000) + 1_000_000


def test_xml_that_keeps_patterns_busy_is_read_at_once():
    busy = b"<!-- hidden= mergeCell " + b"<row " * 40_000 + b"<mergeCell " * 20_000 + b"-->"
    data = edited(workbook(["a"], ["b"]), lambda name, old: old.replace(b"<sheetData>", busy + b"<sheetData>"))
    begun = time.process_time()
    assert head(data, "a.xlsx").headers == ["a"]
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("style", [None, "0%", "00000", "yyyy-mm-dd", "[h]:mm"])
def test_a_whole_number_of_hundreds_of_digits_is_a_bad_cell(style):
    def change(sheet):
        sheet["A2"].number_format = style or "General"

    data = edited(workbook(["a"], [12345], change=change), lambda name, old: old.replace(b"12345", b"9" * 400))
    _, (row,) = read(data, "a.xlsx")
    assert row.cells[0].why == "The number is too large."


def test_sheets_that_are_one_part_are_refused_before_it_is_read_over_and_over():
    def repeat(name, content):
        if name != "xl/workbook.xml":
            return content
        [sheet] = re.findall(rb"<sheet .*?/>", content)
        return content.replace(sheet, b"".join(sheet.replace(b"Sheet", b"S%d" % number) for number in range(20_000)))

    refused(edited(workbook(["a"]), repeat), "the same part of the file")
