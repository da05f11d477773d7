"""Files of opportunities to import: 20 columns, about 250 bytes a row, always the same for the same numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook

HEADERS = (
    "External ID",
    "Name",
    "Description",
    "Type",
    "Stage",
    "Amount",
    "ExpectedRevenue",
    "Probability",
    "Quantity",
    "CloseDate",
    "IsClosed",
    "IsWon",
    "Fiscal",
    "FiscalQuarter",
    "FiscalYear",
    "ForecastCategoryName",
    "LeadSource",
    "NextStep",
    "ExternalCreatedDate",
    "LastActivityDate",
)
CHANGES = 5
"""Fields of each row that differ between a file and its edited version."""


def rows(count: int, *, edited: bool = False) -> Iterator[tuple[str, ...]]:
    """The rows below the header, as text; of the edited version five cells of each differ."""
    for number in range(count):
        yield _row(number, 1 if edited else 0)


def _row(number: int, edit: int) -> tuple[str, ...]:
    day = 1 + number % 28
    return (
        f"E-{number:07}",
        f"Renewal {number}",
        "Three years, with support; the customer asked for a price in writing.",
        "Existing business",
        "Closing" if edit else "Negotiation",
        f"{12500 + number + edit}.50",
        f"{10000 + number}.00",
        str((number + edit) % 101),
        "12.5000",
        f"2026-12-{day:02}",
        "false",
        "false",
        "FY26",
        str(1 + number % 4),
        "2026",
        "Best case",
        "Web",
        "Send the contract" if edit else "Call the buyer",
        "2026-01-02 03:04:05",
        f"2026-{10 if edit else 11}-{day:02}",
    )


def write_csv(path: Path, count: int, *, edited: bool = False) -> Path:
    """Write so many rows as CSV."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(rows(count, edited=edited))
    return path


def write_xlsx(path: Path, count: int) -> Path:
    """Write so many rows as a workbook of texts."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Opportunities")
    sheet.append(HEADERS)
    for row in rows(count):
        sheet.append(row)
    book.save(path)
    return path
