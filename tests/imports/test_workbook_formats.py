"""From the cells of workbooks to values of records: what the reader leaves open is asked, and the rest is right."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
import xlsxwriter
import xlwt
from openpyxl import load_workbook

from mobjects.imports import error_file
from mobjects.models import ImportMode, ImportProblem, Opportunity
from tests.imports.running import checked, written

pytestmark = pytest.mark.django_db


def xlsx(*rows, options=None, formats=(), formula=""):
    """A workbook of XlsxWriter; ``formats`` are number formats of the columns, ``formula`` stands in the last cell."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, options or {})
    sheet = book.add_worksheet()
    styles = [book.add_format({"num_format": code}) if code else None for code in formats]
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell, *(styles[place : place + 1] if number else ()))
    if formula:
        sheet.write_formula(len(rows) - 1, len(rows[-1]) - 1, formula)
    book.close()
    return stream.getvalue()


def errors(imported):
    problems = ImportProblem.objects.filter(imported=imported, level="error").order_by("number", "column")
    return [(problem.column, problem.value, problem.suggestion) for problem in problems]


def test_keys_are_what_their_format_draws_and_amounts_are_the_number():
    data = xlsx(["External ID", "Name", "Amount"], [42, "a", 5], formats=['"OPP-"00000', None, '0" EUR"'])
    written(checked(data, "in.xlsx"))
    record = Opportunity.objects.get()
    assert (record.external_id, record.amount) == ("OPP-00042", 5)


@pytest.mark.parametrize(("is_1904", "number"), [(False, 46203), (True, 44741)])
def test_a_day_without_a_format_is_asked_with_the_day_of_its_calendar(is_1904, number):
    data = xlsx(["External ID", "Name", "CloseDate"], ["E-1", "a", number], options={"date_1904": is_1904})
    assert errors(checked(data, "in.xlsx")) == [("CloseDate", str(number), "2026-06-30")]


def test_a_date_that_the_format_says_is_a_date_in_a_workbook_of_1904():
    data = xlsx(
        ["External ID", "Name", "CloseDate", "Amount"],
        ["E-1", "a", datetime(2026, 6, 30), 12.5],
        options={"date_1904": True, "default_date_format": "yyyy-mm-dd"},
    )
    written(checked(data, "in.xlsx"))
    record = Opportunity.objects.get()
    assert (record.close_date, record.amount) == (date(2026, 6, 30), 12.5)


def test_a_formula_that_was_never_calculated_is_an_error_and_writes_no_zero():
    imported = checked(xlsx(["External ID", "Name", "Amount"], ["E-1", "a", 0], formula="=1+1"), "in.xlsx")
    assert errors(imported) == [("Amount", "(formula)", "")]
    written(imported, ImportMode.VALID)
    assert not Opportunity.objects.exists()


def test_an_error_in_an_xls_file_clears_nothing_and_comes_back_in_an_error_file():
    book, stream = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("Data")
    for place, value in enumerate(["External ID", "Name", "Amount"]):
        sheet.write(0, place, value)
    for number, key in enumerate(["E-1", "E-2"], 1):
        sheet.write(number, 0, key)
        sheet.write(number, 1, "new")
    sheet.row(1).set_cell_error(2, 0x2A)
    sheet.write(2, 2, 7)
    book.save(stream)
    Opportunity.objects.create(external_id="E-1", name="old", amount=5)
    imported = written(checked(stream.getvalue(), "in.xls"), ImportMode.VALID)
    assert sorted(Opportunity.objects.values_list("external_id", "name", "amount")) == [
        ("E-1", "old", 5),
        ("E-2", "new", 7),
    ]
    out = io.BytesIO()
    assert error_file.write_error_file(imported, out) == 1
    assert error_file.error_file_extension(imported) == "xlsx"
    rows = list(load_workbook(out).active.iter_rows(values_only=True))
    assert rows[1][:3] == ("E-1", "new", "#N/A")
    assert "#N/A" in rows[1][3]
