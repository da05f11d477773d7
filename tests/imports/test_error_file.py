"""The error file: the person's own file, what was not imported in it, and why."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from mobjects.imports import error_file, file_storage
from mobjects.models import (
    Download,
    Import,
    ImportChange,
    ImportFix,
    ImportMode,
    ImportProblem,
    ImportRow,
    ImportRowOutcome,
    ImportState,
    Opportunity,
)
from tests import factories
from tests.imports.running import checked
from tests.imports.running import written as written_by
from tests.views import pages

pytestmark = pytest.mark.django_db

HEADERS = ["Key", "Name", "Amount"]
LINES = [["A", "One", "1"], ["B", "=Two", "1,5"], ["C", 'Drei, "ö"', "3"], ["D", " Four\n", "4"]]


def table(lines, delimiter=","):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(lines)
    return stream.getvalue()


def imported(data, **values):
    """An import that waits for review: row 2 is new, row 3 wrong, row 4 a conflict, row 5 changed."""
    common = {
        "kind": "opportunities",
        "state": ImportState.REVIEW,
        "file_name": "deals.csv",
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "headers": HEADERS,
        "mapping": ["External ID", "Name", "Amount"],
        "checked_at": timezone.now(),
        "rows": 4,
    }
    this = Import(**{**common, **values})
    file_storage.store_file(this, io.BytesIO(data))
    for number, outcome in enumerate(
        [ImportRowOutcome.NEW, ImportRowOutcome.ERROR, ImportRowOutcome.CONFLICT, ImportRowOutcome.CHANGED], 2
    ):
        ImportRow.objects.create(imported=this, number=number, outcome=outcome)
    rule = "“1,5” is not a number; write digits with a point, for example 1234.50."
    ImportProblem.objects.create(imported=this, number=3, column="Amount", position=3, value="1,5", rule=rule)
    ImportProblem.objects.create(imported=this, number=3, rule="belongs nowhere.")
    ImportProblem.objects.create(
        imported=this, number=4, level="conflict", column="Name", position=2, value="x", rule="was changed here."
    )
    ImportProblem.objects.create(imported=this, number=5, level="warning", rule="may not be meant.")
    return this


def of_csv(**values):
    return imported(table([HEADERS, *LINES]).encode(), **values)


def written(this):
    out = io.BytesIO()
    count = error_file.write_error_file(this, out)
    return count, out.getvalue()


def lines_of(this, encoding="utf-8", delimiter=","):
    text = written(this)[1].decode(encoding)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_rows_that_were_not_imported_with_their_reasons():
    this = of_csv()
    assert lines_of(this) == [
        [*HEADERS, f"Problems of import {this.pk}"],
        [
            *ESCAPED[1],
            "Amount: “1,5” is not a number; write digits with a point, for example 1234.50; belongs nowhere.",
        ],
        [*LINES[2], "Name: “x” was changed here."],
    ]
    assert written(this)[0] == 2
    assert not Download.objects.exists()


ESCAPED = [["A", "One", "1"], ["B", "'=Two", "1,5"], ["C", 'Drei, "ö"', "3"], ["D", " Four\n", "4"]]


def test_cells_are_as_they_were_but_for_what_a_spreadsheet_would_run():
    this = of_csv()
    ImportRow.objects.update(outcome=ImportRowOutcome.ERROR)
    assert [line[:3] for line in lines_of(this)[1:]] == ESCAPED


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ","), ("latin-1", "|"), ("cp949", ",")],
)
def test_encoding_and_delimiter_are_those_of_the_file(encoding, delimiter):
    lines = [line if encoding != "cp949" else [line[0], "서울", line[2]] for line in LINES]
    data = table([HEADERS, *lines], delimiter).encode(encoding)
    this = imported(data, encoding=encoding, delimiter=delimiter)
    found = lines_of(this, encoding, delimiter)
    safe = [lines[1] if encoding == "cp949" else ESCAPED[1], lines[2]]
    assert [line[:3] for line in found] == [HEADERS, *safe]
    assert written(this)[1][:2] == data[:2]


def test_reason_that_the_encoding_cannot_hold_is_spelled_otherwise():
    this = imported(table([HEADERS, *LINES]).encode("latin-1"), encoding="latin-1")
    ImportProblem.objects.filter(number=4).update(rule="the name is “서울” → here…")
    reasons = [line[3] for line in lines_of(this, "latin-1")[1:]]
    assert reasons[0].startswith('Amount: "1,5" is not a number')
    assert reasons[1] == 'Name: "x" the name is "??" -> here....'


def test_reason_is_no_formula():
    this = of_csv()
    ImportProblem.objects.filter(number=4).update(column="=cmd")
    assert lines_of(this)[2][3].startswith("'=cmd")


def test_workbook_keeps_types_and_sheet():
    book = Workbook()
    sheet = book.active
    sheet.title = "Deals & more"
    sheet.append([*HEADERS, "Day", "When", "Yes"])
    for line in LINES:
        sheet.append([line[0], "00123", 7.25, date(2026, 6, 30), datetime(2026, 6, 30, 14, 30), True])
    sheet["A3"].value, sheet["A3"].data_type = "=1+1", "s"
    stream = io.BytesIO()
    book.save(stream)
    this = imported(
        stream.getvalue(),
        format="xlsx",
        file_name="in.xlsx",
        sheet="Deals & more",
        encoding="",
        delimiter="",
        headers=[*HEADERS, "Day", "When", "Yes"],
        mapping=["External ID", "Name", "Amount", "", "", ""],
    )
    found = load_workbook(io.BytesIO(written(this)[1]))
    assert found.sheetnames == ["Deals & more"]
    header, first, second = found.active.iter_rows()
    assert header[-1].value == f"Problems of import {this.pk}"
    values = [cell.value for cell in first]
    assert values[:6] == ["'=1+1", "00123", 7.25, datetime(2026, 6, 30), datetime(2026, 6, 30, 14, 30), True]
    assert [cell.data_type for cell in first][:6] == ["s", "s", "n", "d", "d", "b"]
    assert values[6].startswith("Amount: “1,5” is not a number")
    assert second[0].value == "C"


def test_reasons_of_the_import_that_was_corrected_give_way():
    headers = [*HEADERS, "Problems of import 3"]
    lines = [[*line, "old reason"] for line in LINES]
    this = imported(table([headers, *lines]).encode(), headers=headers, mapping=["External ID", "Name", "Amount", ""])
    found = lines_of(this)
    assert found[0] == [*HEADERS, f"Problems of import {this.pk}"]
    assert "old reason" not in found[1]


def test_replacements_stand_in_the_file():
    this = of_csv()
    ImportFix.objects.create(imported=this, column="Amount", value="1,5", replacement="1.5")
    ImportFix.objects.create(imported=this, column="Name", value="=Two", number=3, replacement="Two")
    ImportFix.objects.create(imported=this, column="External ID", value="C", number=3, replacement="not this row")
    found = lines_of(this)
    assert found[1][:3] == ["B", "Two", "1.5"]
    assert found[2][:3] == LINES[2]


def test_replacement_that_the_encoding_cannot_hold_is_not_made_question_marks():
    this = imported(table([HEADERS, *LINES]).encode("latin-1"), encoding="latin-1")
    ImportFix.objects.create(imported=this, column="Name", value="=Two", replacement="서울")
    assert lines_of(this, "latin-1")[1][:3] == ESCAPED[1]


def test_suggestion_is_told():
    this = of_csv()
    ImportProblem.objects.filter(column="Amount").update(suggestion="1.50", rule="is wrong.")
    assert lines_of(this)[1][3] == "Amount: “1,5” is wrong (perhaps “1.50”); belongs nowhere."


def test_conflicts_that_were_overwritten_are_not_in_it():
    done = {"state": ImportState.COMMITTED, "committed_to": 5}
    this = of_csv(overwrite=True, **done)
    for number in (2, 4, 5):
        ImportChange.objects.create(
            imported=this,
            number=number,
            record_id=number,
            owner_kind="Opportunity",
            owner_id=number,
            created=False,
            revision=1,
        )
    assert [line[0] for line in lines_of(this)[1:]] == ["B"]


def test_rows_that_the_commit_left_out_are_in_it():
    this = of_csv(state=ImportState.COMMITTED, committed_to=5)
    ImportChange.objects.create(
        imported=this, number=2, record_id=1, owner_kind="Opportunity", owner_id=1, created=True, revision=1
    )
    ImportProblem.objects.create(imported=this, number=5, level="conflict", rule="was changed since the check.")
    found = lines_of(this)
    assert [line[0] for line in found[1:]] == ["B", "C", "D"]
    assert found[3][3] == "was changed since the check."


def test_long_reason_is_cut():
    this = of_csv()
    ImportProblem.objects.filter(number=3).update(rule="x" * 40_000)
    assert len(lines_of(this)[1][3]) < 32_767


def test_rows_of_many_chunks():
    lines = [[f"K{number}", "x", "y"] for number in range(2, 5003)]
    this = imported(table([HEADERS, *lines]).encode())
    ImportRow.objects.bulk_create(
        ImportRow(
            imported=this, number=number, outcome=ImportRowOutcome.ERROR if number % 1000 == 0 else ImportRowOutcome.NEW
        )
        for number in range(6, 5003)
    )
    assert [line[0] for line in lines_of(this)[1:]] == ["K3", "K4", "K1000", "K2000", "K3000", "K4000", "K5000"]


# --- downloads ------------------------------------------------------------------------------


@pytest.fixture
def editor():
    return pages.client("editor")


def test_error_file_is_downloaded_and_logged(editor):
    this = of_csv(file_name="my deals.tsv")
    answer = editor.get(reverse("mobjects:import-errors", args=[this.pk]))
    assert answer["X-Content-Type-Options"] == "nosniff"
    name = f"my deals - problems of import {this.pk}.tsv"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    log = Download.objects.get()
    assert (log.what, log.kind, log.imported, log.username, log.rows) == (
        "errors",
        "opportunities",
        this,
        "editor-user",
        None,
    )
    assert answer.getvalue() == written(this)[1]
    log.refresh_from_db()
    assert (log.rows, log.finished_at is not None) == (2, True)


def test_without_such_rows_there_is_no_error_file(editor):
    this = of_csv()
    ImportRow.objects.update(outcome=ImportRowOutcome.NEW)
    assert editor.get(reverse("mobjects:import-errors", args=[this.pk])).status_code == 404
    assert not Download.objects.exists()


@pytest.mark.parametrize("name", ["in.csv", "서울.csv", 'a"b\\c/d\r\nX: y.csv', ""])
def test_uploaded_file_is_given_back_byte_for_byte(editor, name):
    data = bytes(range(256)) * 10_000
    this = imported(data, file_name=name)
    answer = editor.get(reverse("mobjects:import-original", args=[this.pk]))
    assert answer.getvalue() == data
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Length"] == str(len(data))
    assert answer["Content-Disposition"].startswith("attachment")
    assert "\n" not in answer["Content-Disposition"]
    log = Download.objects.get()
    assert (log.what, log.imported, log.rows) == ("original", this, 4)


@pytest.mark.parametrize("view", ["import-errors", "import-original"])
@pytest.mark.parametrize("lacking", ["view_import", "view_opportunity", "export_opportunity"])
def test_files_of_imports_take_each_permission(client, view, lacking):
    person = factories.user()
    names = {"view_import", "view_opportunity", "import_opportunity", "export_opportunity"} - {lacking}
    person.user_permissions.add(*map(factories.permission, names))
    client.force_login(person)
    assert client.get(reverse(f"mobjects:{view}", args=[of_csv().pk])).status_code == 403
    assert not Download.objects.exists()


# --- from beginning to end ------------------------------------------------------------------


def test_corrected_error_file_is_known_and_loads():
    data = 'External ID,Name,Amount\nA,One,1\nB,Two,"1,5x"\nC,,3\n'.encode("cp1252")
    first = checked(data, "deals.csv")
    assert first.counts["error"] == 2
    written_by(first, ImportMode.VALID)
    text = written(first)[1].decode()
    assert text.count("\r\n") == 3
    corrected = text.replace('"1,5x"', "1.5").replace("C,,", "C,Three,")
    second = checked(corrected.encode(), "deals (corrected).csv")
    assert second.correction_of == first
    assert (second.counts["new"], second.problems) == (2, 0)
    written_by(second)
    assert set(Opportunity.objects.values_list("external_id", "name")) == {("A", "One"), ("B", "Two"), ("C", "Three")}
    assert not error_file.has_error_rows(second)


def test_cells_without_a_value_stay_errors_in_a_workbook():
    book = Workbook()
    sheet = book.active
    sheet.append(["External ID", "Name", "Stage"])
    sheet.append(["A", "=B1&C1", "#REF!"])
    sheet["C2"].data_type = "e"
    stream = io.BytesIO()
    book.save(stream)
    first = checked(stream.getvalue(), "in.xlsx")
    assert first.counts["error"] == 1
    found = load_workbook(io.BytesIO(written(first)[1])).active
    assert [(cell.value, cell.data_type) for cell in found[2]][:3] == [("A", "s"), ("#N/A", "e"), ("#REF!", "e")]
    again = checked(written(first)[1], "in.xlsx")
    assert (again.correction_of, again.counts["error"]) == (first, 1)


def test_cell_that_is_too_long_is_given_back_whole(settings):
    settings.IMPORT_MAX_CELL_CHARACTERS = 1000
    data = f"External ID,Name\nA,{'x' * 5000}\n".encode()
    first = checked(data, "in.csv")
    assert first.counts["error"] == 1
    assert lines_of(first)[1][:2] == ["A", "x" * 5000]


def test_nul_stays_in_the_file_and_an_error():
    first = checked(b"External ID,Name\nA,x\0y\n", "in.csv")
    again = checked(written(first)[1], "in.csv")
    assert b"A,x\0y," in written(first)[1]
    assert (again.correction_of, again.counts["error"]) == (first, 1)
