"""Blank templates: headers, notes, lists to choose from; and that a filled one is read."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from mobjects.imports.file_limits import limits_for
from mobjects.models import AllowedTag, CustomField, Download
from mobjects.resources import RESOURCES
from mobjects.resources.columns import REVISION
from mobjects.spreadsheets import reader
from tests import factories
from tests.imports.running import checked
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return pages.client("editor")


def address(kind, *extension):
    return reverse("mobjects:import-template", args=[kind, *extension])


def book_of(browser, kind):
    return load_workbook(io.BytesIO(browser.get(address(kind)).getvalue()))


def lists_of(book):
    """The formula of the drop-down of each column that has one, by header, and whether other values are warned of."""
    page = book.worksheets[0]
    rules = {}
    for rule in page.data_validations.dataValidation:
        column = next(iter(rule.sqref.ranges)).min_col
        rules[page.cell(1, column).value] = (rule.formula1, bool(rule.showErrorMessage))
    return rules


def values_at(book, formula):
    return [cell.value for (cell,) in book[formula.partition("!")[0]][formula.partition("!")[2]]]


@pytest.mark.parametrize("kind", RESOURCES)
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_template_has_the_columns_of_the_kind(editor, kind, extension):
    answer = editor.get(address(kind, extension))
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}-template.{extension}"'
    data = answer.getvalue()
    names = [column.name for column in RESOURCES[kind]().columns]
    if extension == "csv":
        assert data == b"\xef\xbb\xbf" + ",".join(names).encode() + b"\r\n"
    else:
        page = load_workbook(io.BytesIO(data)).worksheets[0]
        assert [[cell.value for cell in row] for row in page.iter_rows()] == [names]
    assert REVISION not in names
    assert not Download.objects.exists()


def test_every_header_has_a_note(editor):
    CustomField.objects.create(name="Fee", data_type="currency")
    (header,) = book_of(editor, "opportunities").worksheets[0].iter_rows(max_row=1)
    notes = {cell.value: cell.comment.text for cell in header}
    assert all(notes.values())
    assert notes["External ID"].startswith("Text, up to 255 characters.\nSays which record a row means.")
    assert "A new opportunity needs it." in notes["Name"]
    assert notes["CloseDate"].endswith("Example: 2026-06-30")
    assert notes["Probability"].startswith("Percent, 0 to 100.")
    assert "2 decimals" in notes["Fee"]


def test_columns_of_text_are_text(editor):
    page = book_of(editor, "program-costs").worksheets[0]
    formats = {cell.value: page.column_dimensions[cell.column_letter].number_format for cell in page[1]}
    assert formats == {
        "Program ID": "General",
        "Month": "yyyy-mm",
        "Amount": "0.00",
        "Note": "@",
        "Cost ID": "General",
    }


def test_nothing_known_means_no_lists(editor):
    assert book_of(editor, "program-tags").sheetnames == ["Program tags"]
    assert lists_of(book_of(editor, "opportunities")).keys() == {"IsClosed", "IsWon"}


def test_channels_and_tags_of_marketo_are_offered(editor):
    for kind, value in (("Channel", "Webinar"), ("Channel", "=Email"), ("Region", "EMEA"), ("Region", "APAC")):
        AllowedTag.objects.create(type=kind, value=value, described_at=timezone.now())
    book = book_of(editor, "programs")
    formula, strict = lists_of(book)["Channel"]
    assert (values_at(book, formula), strict) == (["'=Email", "Webinar"], True)
    assert book["Lists"].sheet_state == "hidden"
    book = book_of(editor, "program-tags")
    # A row of tags may set the program's channel.
    assert values_at(book, lists_of(book)["Type"][0]) == ["Region", "Channel"]
    assert lists_of(book)["Value"][0].startswith("OFFSET(Lists!")
    assert [[cell.value for cell in row] for row in book["Lists"]["B1:C4"]] == [
        ["Region", "APAC"],
        ["Region", "EMEA"],
        ["Channel", "'=Email"],
        ["Channel", "Webinar"],
    ]


def test_stages_and_roles_in_use_are_offered_but_others_may_be_written(editor):
    for number in range(205):
        factories.opportunity(stage=f"Stage {number:03}")
    opportunity = factories.opportunity(stage="")
    factories.role(opportunity, role="Champion")
    book = book_of(editor, "opportunities")
    formula, strict = lists_of(book)["Stage"]
    values = values_at(book, formula)
    assert (len(values), values[0], strict) == (200, "Stage 000", False)
    book = book_of(editor, "roles")
    assert values_at(book, lists_of(book)["Role"][0]) == ["Champion"]


def test_filled_template_is_read_from_its_own_sheet(editor):
    factories.opportunity(stage="Won")
    book = book_of(editor, "opportunities")
    page = book.worksheets[0]
    page["B2"], page["C2"], page["F2"] = "A-1", "서울", "Won"
    stream = io.BytesIO()
    book.save(stream)
    head = reader.detect_file(stream, "filled.xlsx", limits_for("admin"))
    assert head.options.sheet == "Opportunities"
    (row,) = reader.iter_rows(stream, head.options, limits_for("admin"))
    assert (row.number, *row.cells[:6]) == (2, None, "A-1", "서울", None, None, "Won")


def test_filled_template_is_imported(editor):
    factories.opportunity(external_id="B", stage="Won")
    book = book_of(editor, "opportunities")
    page = book.worksheets[0]
    for number, (key, name) in enumerate((("A", "서울"), ("B", "Busan")), 2):
        page[f"C{number}"], page[f"D{number}"] = key, name
    stream = io.BytesIO()
    book.save(stream)
    imported = checked(stream.getvalue(), "filled.xlsx")
    assert (imported.counts["new"], imported.counts["changed"], imported.problems) == (1, 1, 0)


def test_template_takes_the_permission_to_import(client):
    client.force_login(factories.user(group="viewer"))
    assert client.get(address("programs")).status_code == 403


@pytest.mark.parametrize(("kind", "extension"), [("users", "csv"), ("programs", "json"), ("programs", "pdf")])
def test_unknown_template_is_not_found(editor, kind, extension):
    assert editor.get(address(kind, extension)).status_code == 404
