"""Whatever a file holds, reading it takes work and memory in proportion to its bytes, or ends in a sentence.

Work is counted, not timed: bytes that are read, and calls that are made. More examples before a release:

    READER_EXAMPLES=2000 make test PYTEST_ARGS=tests/spreadsheets/test_reader_bounds.py
"""

from __future__ import annotations

import io
import os
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobjects.spreadsheets.reader import detect_file, iter_rows
from mobjects.spreadsheets.types import FileRefused
from tests.spreadsheets.reading_helpers import LIMITS, with_sheet, with_strings, workbook
from tests.spreadsheets.test_other_workbooks import ods, ods_cell, xls, xlsb

EXAMPLES = int(os.environ.get("READER_EXAMPLES", "20"))
# A file is looked at for its encoding, its delimiter, its header and its samples before it is read.
PASSES = 12
CALLS = 60  # For each byte: each place of a short row is a call or two in each pass.
MEMORY = 400  # Bytes for each byte: a row of as many places as columns are read, from an element of a few letters.
START = 12_000_000  # Bytes and calls for any file, however small: tables, parsers, lines of several megabytes.

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
pytestmark = pytest.mark.timeout(max(180, EXAMPLES * 4))


class Cost(NamedTuple):
    bytes_read: int
    calls: int
    memory: int


class CountedFile(io.BytesIO):
    """Counts the bytes that are read from it."""

    count = 0

    def _counted(self, data):
        self.count += len(data)
        return data

    def read(self, *size):
        return self._counted(super().read(*size))

    def read1(self, *size):
        return self._counted(super().read1(*size))

    def readline(self, *size):
        return self._counted(super().readline(*size))

    def readinto(self, buffer):
        size = super().readinto(buffer)
        self.count += size
        return size


def cost_of(data, name):
    """What reading a file costs, refused or not; it is read twice, so that counting calls is no part of the memory."""

    def read_all(file):
        with suppress(FileRefused):
            found = detect_file(file, name, LIMITS)
            for _ in iter_rows(file, found.options, LIMITS):
                pass
        return file.count

    tracemalloc.start()
    try:
        bytes_read = read_all(CountedFile(data))
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read_all(CountedFile(data))
    finally:
        sys.setprofile(before)
    return Cost(bytes_read, calls, memory)


def check_cost(data, name, size):
    """Whether a file costs no more than its bytes, unpacked, allow."""
    cost = cost_of(data, name)
    assert cost.bytes_read <= PASSES * len(data) + START, cost
    assert cost.calls <= CALLS * size + START // 100, cost
    assert cost.memory <= MEMORY * size + START, cost


SIGNS = st.sampled_from(['"', '""', ",", ";", "\t", "|", "x", "=1", "가", "\ufeff", "é", "\r", "\x00", " "])
LINES = st.tuples(
    st.lists(SIGNS, max_size=6).map("".join),
    st.sampled_from(["\n", "\r\n", ""]),
    st.sampled_from([1, 2, 50, 5_000, 20_000]),
)
"""Few signs that matter to a reader, what ends the line, and how often it stands there."""


@bounded
@given(
    st.sampled_from(["", "a,b\n"]),
    st.lists(LINES, min_size=1, max_size=4),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "cp949"]),
)
def test_text_costs_what_its_bytes_do(header, lines, encoding):
    text = header + "".join((line + end) * count for line, end, count in lines)
    data = text.encode(encoding, "replace")
    check_cost(data, "a.csv", len(data))


CELLS = st.tuples(
    st.sampled_from(["", "A", "B", "GR", "GS", "XFD"]),
    st.sampled_from(["", ' t="str"', ' t="s"']),
    st.sampled_from(
        ["<v>1</v>", "", "<f>1</f>", "<v>0</v><x/>", "<is><t>x</t></is>", "<!-- no --><v>1</v>", "<v>&amp;</v>"]
    ),
)
ROWS = st.tuples(st.lists(CELLS, max_size=4), st.sampled_from([1, 2, 60, 2_000]))
"""Cells in all places, with and without names of them, and how many such rows there are."""


@bounded
@given(st.lists(ROWS, min_size=1, max_size=3), st.booleans(), st.integers(1, 3))
def test_a_workbook_costs_what_its_bytes_do_unpacked(rows, numbered, strings):
    xml, row = "", 1
    for cells, count in rows:
        for _ in range(count):
            made = [
                "<c{}{}>{}</c>".format(f' r="{place}{row}"' if place else "", kind, content)
                for place, kind, content in cells
            ]
            number = f' r="{row}"' if numbered else ""
            xml += f"<row{number}>{''.join(made)}</row>"
            row += 1
    data = with_sheet(xml, with_strings(*["<si><t>x</t></si>"] * strings))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_cost(data, "a.xlsx", sum(entry.file_size for entry in archive.infolist()))


SMALL = [
    (workbook(["a", "b"], [1, "x"], [2, "y"]), "a.xlsx"),
    (xls(["a", "b"], [1, "x"], [2, "y"]), "a.xls"),
    (xlsb(["a", "b"], [1.0, "x"], [2.0, b"\x2a"]), "a.xlsb"),
    (ods([ods_cell("float", "1", value=1), ods_cell("percentage", "5%", value=0.05, repeated=3)], repeated=9), "a.ods"),
]


@bounded
@given(
    st.sampled_from(SMALL),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_workbook_with_damaged_bytes_costs_no_more(file, damages):
    data, name = bytearray(file[0]), file[1]
    for place, value in damages:
        data[int(place * len(data))] = value
    check_cost(bytes(data), name, 100_000)
