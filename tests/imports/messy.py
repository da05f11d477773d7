"""Files of opportunities as people really send them: bad cells of every kind, with good rows and traps between them.

Each :class:`Case` says which cells it spoils, what has to be found there and what would be right, so that a test can
compare all that was found with all that is wrong, and correct the error file by program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

HEADERS = (
    "Marketo ID",
    "External ID",
    "Name",
    "Description",
    "Stage",
    "Amount",
    "Expected Revenue",
    "Probability",
    "Quantity",
    "Close Date",
    "Is Closed",
    "Fiscal Quarter",
    "Fiscal Year",
    "SFDC Created Date",
    "Last Activity Date",
    "Company ID",
    "Company Key",
)
"""As in Marketo's user interface, most of them."""

COLUMNS = {
    "Expected Revenue": "ExpectedRevenue",
    "Close Date": "CloseDate",
    "Is Closed": "IsClosed",
    "Fiscal Quarter": "FiscalQuarter",
    "Fiscal Year": "FiscalYear",
    "SFDC Created Date": "ExternalCreatedDate",
    "Last Activity Date": "LastActivityDate",
}
"""The names of our columns, where they are others."""

KNOWN = tuple({"external_id": f"E-{number}00", "marketo_id": 5000 + number} for number in range(1, 5))
"""Records that are here already."""

Cells = dict[str, Any]


class Wrong(NamedTuple):
    """What has to be found: row, our column ("" for the whole row), and words of the rule."""

    number: int
    column: str
    words: str


@dataclass(frozen=True)
class Case:
    """One row of the file.

    Args:
        kind: what is wrong, in words; empty for a good row.
        cells: by header, where they are not those of :func:`good`.
        errors: by header, words of the rule; the header is empty for the row as a whole.
        right: cells that correct it, besides good ones for all headers of ``errors``.
        wider: cells to add behind the last one, or to leave out if negative.
    """

    kind: str = ""
    cells: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    right: Mapping[str, Any] = field(default_factory=dict)
    wider: int = 0


def good(number: int) -> Cells:
    """The cells of a row without an error."""
    return {
        "Marketo ID": "",
        "External ID": f"M-{number:03}",
        "Name": f"Deal {number}",
        "Description": "",
        "Stage": "Negotiation",
        "Amount": "1500.50",
        "Expected Revenue": "1000",
        "Probability": "80",
        "Quantity": "1.5",
        "Close Date": "2026-06-30",
        "Is Closed": "false",
        "Fiscal Quarter": "2",
        "Fiscal Year": "2026",
        "SFDC Created Date": "2026-01-02T03:04:05+00:00",
        "Last Activity Date": "2026-05-31",
        "Company ID": "",
        "Company Key": "",
    }


def bad(kind: str, header: str, value: Any, words: str) -> Case:
    """A row with one bad cell."""
    return Case(kind, {header: value}, {header: words})


DATE, MOMENT = "is not a date;", "is not a date and time"
DOUBT = "can be read in more than one way"
NUMBER, WHOLE, LARGE = "is not a number", "is not a whole number", "is too large"
SAME = "mean the same opportunity"

BAD_CELLS = (
    bad("German date", "Close Date", "30.06.2026", DATE),
    bad("American date", "Close Date", "06/30/2026", DATE),
    bad("ambiguous date", "Close Date", "01/02/2026", DOUBT),
    bad("date in words", "Close Date", "Jun 30, 2026", DATE),
    bad("month as Excel makes it", "Last Activity Date", "Jun-26", DATE),
    bad("serial number of a date", "Close Date", "46203", DATE),
    bad("day that does not exist", "Close Date", "2026-02-30", "is not a day of the calendar"),
    bad("date without zeros", "Close Date", "2026-6-3", DATE),
    bad("date with a time", "Close Date", "2026-06-30 14:00", DOUBT),
    bad("word for a date", "Last Activity Date", "tbd", DATE),
    bad("zero-width space behind a date", "Close Date", "2026-06-30\u200b", DATE),
    bad("hour that does not exist", "SFDC Created Date", "2026-06-30T25:00:00", MOMENT),
    bad("time before the year 1", "SFDC Created Date", "0001-01-01T00:00:00+05:00", "outside the years 1 to 9999"),
    bad("thousands separator", "Amount", "1,500.00", NUMBER),
    bad("German number", "Amount", "1.500,00", NUMBER),
    bad("euro sign", "Amount", "€ 1500", NUMBER),
    bad("dollar sign", "Amount", "$1500", NUMBER),
    bad("code of a currency", "Amount", "1500 EUR", NUMBER),
    bad("negative in parentheses", "Amount", "(1500.00)", NUMBER),
    bad("no-break space in a number", "Amount", "1\u00a0500", NUMBER),
    bad("zero-width space in a number", "Amount", "\u200b1500", NUMBER),
    bad("full-width digits", "Amount", "１５００", NUMBER),
    bad("not a number", "Expected Revenue", "NaN", NUMBER),
    bad("dash for nothing", "Amount", "-", NUMBER),
    bad("error of a formula as text", "Amount", "#REF!", NUMBER),
    bad("too many decimals", "Amount", "12.345", DOUBT),
    bad("number too large", "Amount", "99999999999999", LARGE),
    bad("too many decimals of a quantity", "Quantity", "1.23456", "has more than 4 decimals"),
    bad("more than 100 percent", "Probability", "120%", "is not between 0 and 100"),
    bad("negative percentage", "Probability", "-5", "is not between 0 and 100"),
    bad("percentage as a fraction", "Probability", "0.8", WHOLE),
    bad("missing value as a formula says it", "Probability", "#N/A", WHOLE),
    bad("word for a percentage", "Probability", "high", WHOLE),
    bad("quarter beyond the year", "Fiscal Quarter", "5", "less than or equal to 4"),
    bad("quarter as a word", "Fiscal Quarter", "Q3", WHOLE),
    bad("year of two digits", "Fiscal Year", "26", "greater than or equal to 1900"),
    bad("negative ID", "Marketo ID", "-7", "is not an ID"),
    bad("zero as an ID", "Marketo ID", "0", "is not an ID"),
    bad("word for an ID", "Marketo ID", "unknown", WHOLE),
    bad("ID too large", "Marketo ID", "99999999999", LARGE),
    bad("ID with decimals", "Company ID", "17.5", WHOLE),
    bad("boolean in German", "Is Closed", "nein", "is not yes or no"),
    bad("boolean as a number", "Is Closed", "2", "is not yes or no"),
    bad("name too long", "Name", "x" * 300, "at most 255"),
    bad("description too long", "Description", "y" * 2001, "at most 2000"),
    bad("control character", "Stage", "Won\x0b", "U+000B"),
    bad("character that XML lacks", "Stage", "Won\ufffe", "U+FFFE"),
    bad("no name", "Name", "", "must not be empty"),
    bad("name of spaces", "Name", "   ", "must not be empty"),
    bad("name of a no-break space", "Name", "\u00a0", "must not be empty"),
    bad("key with a space behind it", "External ID", "M-space ", "starts or ends with a space"),
    bad("key too long", "External ID", "z" * 256, "at most 255"),
    Case("company by ID and key", {"Company ID": "7", "Company Key": "acme"}, {"Company Key": "not both"}),
    Case(
        "no key", {"External ID": ""}, {"": "neither a Marketo ID nor an External ID"}, {"External ID": "M-was-empty"}
    ),
    Case(
        "keys of two records",
        {"Marketo ID": "5002", "External ID": "E-300"},
        {"Marketo ID": "but the External ID is"},
        {"External ID": "M-was-both"},
    ),
    Case(
        "another Marketo ID for a known record",
        {"Marketo ID": "5999", "External ID": "E-400"},
        {"Marketo ID": "has the Marketo ID 5004 already"},
        {"External ID": "M-was-known"},
    ),
    Case(
        "three bad cells in one row",
        {"Amount": "n/a", "Close Date": "n/a", "Is Closed": "n/a"},
        {"Amount": NUMBER, "Close Date": DATE, "Is Closed": "is not yes or no"},
    ),
)

DOUBLES = (
    Case("the same row twice", {"External ID": "M-twice"}, {"External ID": SAME}, {"External ID": "M-twice"}),
    Case("the same row twice", {"External ID": "M-twice"}, {"External ID": SAME}),
    Case("one Marketo ID, two keys", {"Marketo ID": "7001"}, {"Marketo ID": SAME}),
    Case("one Marketo ID, two keys", {"Marketo ID": "7001"}, {"Marketo ID": SAME}),
    Case(
        "one record by two keys", {"Marketo ID": "5001", "External ID": ""}, {"": SAME}, {"External ID": "M-was-5001"}
    ),
    Case("one record by two keys", {"External ID": "E-100"}, {"": SAME}, {"External ID": "M-was-E-100"}),
)

SHAPES = (
    Case("row too short", errors={"": "cells"}, wider=-3),
    Case("row too wide", errors={"": "cells"}, wider=2),
)

TRAPS = (
    Case(cells={"Amount": " 1500.50 ", "Probability": "80 %", "Is Closed": "Yes"}),
    Case(cells={"Amount": "\u00a01500.50", "Close Date": " 2026-06-30 "}),
    Case(cells={"Name": "서울 기회 (첫 번째)"}),
    Case(cells={"SFDC Created Date": "30.06.2026 14:00", "Expected Revenue": "1500,5"}),
    Case(cells={"Name": "Größe, Façade; Ñandú"}),
    Case(cells={"Name": "GrÃ¼n", "Stage": "saved in the wrong encoding once"}),
    Case(cells={"Name": "two\nlines", "Description": 'He said "no"; then, yes'}),
    Case(cells={"Name": "=SUM(A1:A9)", "Stage": "'-apostrophe"}),
    Case(cells={"External ID": "00042", "Name": "#REF!", "Stage": "30.06.2026"}),
    Case(cells={"Name": "zero\u200bwidth", "Stage": "1,500.00"}),
    Case(cells={"Amount": "+3", "Expected Revenue": "1e3", "Quantity": "-0.0001", "Is Closed": "N"}),
    Case(cells={"Amount": "", "Close Date": "", "Is Closed": "", "Probability": "", "Fiscal Year": ""}),
    Case(cells={"SFDC Created Date": "2026-06-30T14:00:00+09:00", "Company ID": "7"}),
    Case(cells={"Name": "n" * 255, "Description": "d" * 2000, "External ID": "e" * 255}),
    Case(cells={"Marketo ID": "6001", "External ID": ""}),
    Case(cells={"Probability": "0", "Fiscal Quarter": "4", "Fiscal Year": "1900"}),
    Case(cells={"Probability": "100", "Close Date": "2028-02-29", "Amount": "9999999999999.99"}),
    Case(cells={"External ID": "m-TWICE", "Name": "differs by its letters' case only"}),
)
"""Good rows that look bad."""


@dataclass(frozen=True)
class Placed:
    """A case at its place in the file."""

    number: int
    case: Case

    @property
    def cells(self) -> Cells:
        """By header."""
        return {**good(self.number), **self.case.cells}

    @property
    def corrected(self) -> Cells:
        """What a person makes of it."""
        clean = good(self.number)
        return {**self.cells, **{header: clean[header] for header in self.case.errors if header}, **self.case.right}

    @property
    def wrong(self) -> list[Wrong]:
        """What has to be found in it."""
        return [Wrong(self.number, COLUMNS.get(name, name), words) for name, words in self.case.errors.items()]


def place(bad_ones: Sequence[Case], traps: Sequence[Case] = TRAPS) -> list[Placed]:
    """Put good rows and traps between the bad ones; the first row is 2, and row 5 is left blank."""
    mixed = list(_mixed(bad_ones, traps))
    numbers = [number for number in range(2, len(mixed) + 3) if number != 5]
    return [Placed(number, case) for number, case in zip(numbers, mixed, strict=True)]


def _mixed(bad_ones: Sequence[Case], traps: Sequence[Case]) -> Iterator[Case]:
    left = list(traps)
    for index, case in enumerate(bad_ones):
        yield case
        if index % 3 == 0:
            yield left.pop(0) if left else Case()
    yield from left


def table(placed: Sequence[Placed]) -> list[list[Any]]:
    """The rows of a file, header and blank row included."""
    rows: list[list[Any]] = [list(HEADERS)]
    for each in placed:
        while len(rows) < each.number - 1:
            rows.append([])
        cells = list(each.cells.values())
        rows.append([*cells, *["left over"] * each.case.wider] if each.case.wider >= 0 else cells[: each.case.wider])
    return rows


def can(encoding: str, case: Case) -> bool:
    """Whether a case can be written in an encoding at all."""
    try:
        "".join(str(value) for value in case.cells.values()).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
