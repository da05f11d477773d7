"""The error file runs nothing in a spreadsheet, and is read back as the file itself would have been."""

from __future__ import annotations

import pytest

from mobjects.models import ImportRow, ImportRowOutcome, Opportunity
from mobjects.spreadsheets.formula_escaping import escape_formula, unescape_formula
from mobjects.spreadsheets.xlsx_writer import xlsx_pieces
from tests.imports import messy_files
from tests.imports.running import checked
from tests.imports.running import written as written_by
from tests.imports.test_error_file import HEADERS, imported, lines_of, table, written

pytestmark = pytest.mark.django_db

TRAPS = [
    "=1+1",
    "'=1+1",
    "''=1+1",
    "+1",
    "-5",
    "@x",
    "＝1",
    "Deal;=6*7;x",
    "a|+1",
    "a\t@x",
    "a\n=1",
    "\t=1",
    "'tis",
    "''",
]


def as_file(extension, headers, rows):
    if extension == "csv":
        return table([headers, *rows]).encode()
    return b"".join(xlsx_pieces(headers, rows, title="Deals", safe=False))


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_what_a_spreadsheet_would_run_is_neutralised_and_read_back_unchanged(extension):
    """The amount is wrong in each row; whoever sends the file back puts that right and nothing else."""
    headers = ["External ID", "Name", "Stage", "Amount"]
    rows = [[f"E-{number}", text, "Won", "?"] for number, text in enumerate(TRAPS)]
    wrong = checked(as_file(extension, headers, rows), f"deals.{extension}")
    assert wrong.counts["error"] == len(TRAPS)
    back = written(wrong)[1]
    names, *found = messy_files.from_xlsx(back) if extension == "xlsx" else messy_files.from_csv(back, "utf-8", ",")
    cells = [cell for row in found for cell in row if cell]
    assert [cell for cell in cells if escape_formula(unescape_formula(cell)) != cell] == []
    right = [["-5" if name == "Amount" else cell for name, cell in zip(names, row, strict=True)] for row in found]
    written_by(checked(as_file(extension, names, right), f"deals.{extension}"))
    kept = dict(Opportunity.objects.values_list("external_id", "name"))
    assert kept == {f"E-{number}": unescape_formula(text) for number, text in enumerate(TRAPS)}


def test_numbers_with_a_sign_stay_numbers_and_no_other_cell_runs():
    cells = ["-5", "+1,234.50", "- 5 %", "-5 EUR", "=1+1", "-1+1", "+A1", "-cmd|' /C calc'!A0"]
    data = table([HEADERS, *([str(number), "One", cell] for number, cell in enumerate(cells))]).encode()
    this = imported(data)
    ImportRow.objects.all().delete()
    for number in range(2, len(cells) + 2):
        ImportRow.objects.create(imported=this, number=number, outcome=ImportRowOutcome.ERROR)
    assert [line[2] for line in lines_of(this)[1:]] == [
        *cells[:4],
        *(f"'{cell}" for cell in cells[4:7]),
        "'-cmd|' /C calc'!A0",
    ]
