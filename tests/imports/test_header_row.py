"""Where the headers of a file stand, and where its records end."""

from __future__ import annotations

import io

import pytest

from mobjects.imports import service
from mobjects.models import Import, ImportProblemLevel, ImportSource, Opportunity, ProgramCost
from mobjects.spreadsheets.types import FileRefused, ReadOptions
from tests import factories
from tests.imports import running
from tests.imports.helpers import checked, counts, words
from tests.spreadsheets.reading_helpers import workbook

pytestmark = pytest.mark.django_db

TITLES = "Pipeline report\nAs of 2026-11-28, all regions\n\nExternal ID;Name;Amount\nA;One;5\nB;Two;6\n"


def uploaded(data, name="file.csv", kind="opportunities", reading=None):
    source = ImportSource.COMMAND
    file = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return service.start_import(
        kind, file, name, user=None, username="ann", source=source, reading=reading, enqueue=False
    )


@pytest.mark.parametrize(
    ("data", "name", "row", "note"),
    [
        ("External ID,Name\nA,x\n", "file.csv", 1, ""),
        (TITLES, "file.csv", 4, "The headers stand in row 4; what stands above them (2 rows) is not read."),
        ("Table 1\nExternal ID,Name\nA,x\n", "file.csv", 2, "above them (1 row)"),
        ("sep=;\nTable 1\nExternal ID;Name\nA;x\n", "file.csv", 3, "above them (1 row)"),
        ('The "Q3" report\nExternal ID,Name\nA,x\n', "file.csv", 2, "above them (1 row)"),
        (workbook(["Pipeline"], [None], ["External ID", "Name"], ["A", "x"]), "file.xlsx", 3, "above them (1 row)"),
        (f"{'line' * 3}\n" * 19 + "External ID,Name\nA,x\n", "file.csv", 20, "above them (19 rows)"),
    ],
)
def test_the_row_with_the_headers_is_found_and_said(data, name, row, note):
    imported = uploaded(data, name)
    assert (imported.header_row, imported.headers[:2]) == (row, ["External ID", "Name"])
    assert note in " ".join(imported.notes)
    assert bool(imported.notes) == bool(note)
    assert imported.mapping[:2] == ["External ID", "Name"]


def test_merged_titles_above_the_headers_are_no_reason_to_refuse():
    def merge(sheet):
        sheet.merge_cells("A1:C1")

    data = workbook(["Pipeline"], ["External ID", "Name", "Amount"], ["A", "x", 5], change=merge)
    imported = uploaded(data, "file.xlsx")
    assert (imported.state, imported.header_row) == ("checking", 2)


def test_without_known_names_it_is_the_first_row_that_holds_anything():
    imported = uploaded("\nDeal,Money\nExternal ID,5\n")
    assert (imported.header_row, imported.headers) == (2, ["Deal", "Money"])


def test_beyond_the_first_twenty_rows_nobody_looks():
    assert uploaded("line\n" * 20 + "External ID,Name\nA,x\n").header_row == 1


def test_a_person_can_say_another_row():
    imported = uploaded("Deal,Money\nKey,Sum\nA,5\n")
    service.set_columns(imported, [], {}, ReadOptions("csv", header=2))
    assert (imported.header_row, imported.headers) == (2, ["Key", "Sum"])
    assert Import.objects.get().header_row == 2
    with pytest.raises(FileRefused, match="Row 9 holds nothing"):
        service.set_columns(imported, [], {}, ReadOptions("csv", header=9))


@pytest.mark.parametrize("row", [2, 9])
def test_a_row_without_cells_holds_no_headers(row):
    data = workbook(["External ID", "Name"], [None], ["A", "x"])
    refused = uploaded(data, "file.xlsx", reading=ReadOptions("", header=row))
    assert refused.problem == f"Row {row} holds nothing, so it cannot be the row with the headers."


def test_rows_keep_their_numbers_in_the_file():
    found = running.checked(TITLES.encode())
    assert counts(found) == (2, 0, 0, 0)
    assert list(found.found.values_list("number", flat=True)) == [5, 6]


def test_known_names_tell_the_delimiter_where_titles_hold_others():
    imported = uploaded("Report, by region, by stage\nAll, open, deals\nExternal ID;Name\nA;x\nB;y\n")
    assert (imported.delimiter, imported.header_row) == (";", 3)


# --- totals ---


@pytest.mark.parametrize(
    "total",
    [
        "Total,,11",
        "Grand Totals (2 records),,11",
        ",합계,11",
        "Summe:,,11",
        "Subtotal,,5\nTotal,,11",
        ",Total,",
    ],
)
def test_totals_at_the_end_are_left_out_with_a_note(total):
    found = checked("opportunities", f"External ID,Name,Amount\nA,One,5\nB,Two,6\n{total}\n")
    assert counts(found) == (2, 0, 0, 0)
    assert found.rows == 2
    numbers = range(4, 5 + total.count("\n"))
    assert words(found, ImportProblemLevel.WARNING) == [
        f"row {number}: looks like a total: it names no record. It is left out." for number in numbers
    ]
    assert found.problems == 0


@pytest.mark.parametrize(
    "row",
    ["B,Total,6", "Total,Total Energies,6", "B,Sum Systems,6", ",Two,6", "7,Total,6"],
)
def test_a_row_that_names_a_record_is_no_total(row):
    found = checked("opportunities", f"External ID,Name,Amount\nA,One,5\n{row}\n")
    assert found.rows == 2
    assert words(found, ImportProblemLevel.WARNING) == []


def test_what_looks_like_a_total_between_other_rows_stays():
    found = checked("opportunities", "External ID,Name,Amount\nA,One,5\nTotal,,5\nB,Two,6\n")
    assert counts(found)[0] + counts(found)[3] == 3


def test_totals_of_costs_in_a_workbook():
    program = factories.program(marketo_id=3)
    cells = [["Program ID", "Month", "Amount"], [3, "2026-06", 5], ["Total", None, 5]]
    found = checked("program-costs", cells)
    assert (counts(found), found.rows) == ((1, 0, 0, 0), 1)
    assert not ProgramCost.objects.filter(program=program).exists()
    assert not Opportunity.objects.exists()
