"""Exports on the admin pages: what is in them, what they leave behind, and that they take no memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from mobjects.exports import service
from mobjects.exports.formats import BY_EXTENSION
from mobjects.models import CustomField, Download, Opportunity, OpportunityPersonRole, Program
from mobjects.resources import RESOURCES
from tests import factories
from tests.views import pages
from tests.views.pages import text

pytestmark = pytest.mark.django_db

MODELS = {
    "programs": "program",
    "program-costs": "programcost",
    "program-tags": "programtag",
    "opportunities": "opportunity",
    "roles": "opportunitypersonrole",
}
TAKER = service.DownloadUser("tester")


def address(kind, query=""):
    return reverse("mobjects:export", args=[kind]) + query


def listing(model):
    return reverse(f"admin:mobjects_{model}_changelist")


def names(kind):
    return [column.name for column in RESOURCES[kind]().export_columns()]


def post(browser, kind, query="", **data):
    columns = [name for name in names(kind) if name not in RESOURCES[kind].key_names]
    return browser.post(address(kind, query), {"format": "csv", "columns": columns, **data})


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


@pytest.fixture
def viewer():
    return pages.client("viewer")


def test_page_says_what_will_be_exported(viewer):
    factories.opportunity(name="Seoul")
    factories.opportunity(name="Busan")
    page = viewer.get(address("opportunities"))
    assert "2 opportunities will be exported" in text(page)
    assert "not narrowed" in text(page)
    assert "Always in it, as they say which record a row means: Marketo ID, Marketo GUID, External ID." in text(page)
    assert page.context["form"]["columns"].value()[-1] == "Revision"
    assert not Download.objects.exists()


def test_search_and_filters_of_the_list_are_kept(viewer):
    for name, stage in (("Seoul 1", "Won"), ("Seoul 2", "Lost"), ("Busan", "Won")):
        factories.opportunity(name=name, stage=stage)
    query = "?q=Seoul&state=never&o=1&p=7"
    page = viewer.get(address("opportunities", query))
    assert "2 opportunities will be exported" in text(page)
    assert "Narrowed to search: “Seoul”; state: Never synced." in text(page)
    answer = viewer.post(page.context["address"], {"format": "csv"})
    assert [row["External ID"] != "" for row in rows_of(answer)] == [True, True]
    log = Download.objects.get()
    assert (log.filters, log.rows) == ("search: “Seoul”; state: Never synced", 2)


def test_order_of_the_list_is_kept(viewer):
    for name in "bca":
        factories.opportunity(name=name)
    assert [row["Name"] for row in rows_of(post(viewer, "opportunities", "?o=1"))] == ["a", "b", "c"]
    assert [row["Name"] for row in rows_of(post(viewer, "opportunities", "?o=-1"))] == ["c", "b", "a"]


def test_lookup_in_the_address_is_told(viewer):
    program = factories.program()
    factories.cost(program, month=date(2026, 7, 1))
    factories.cost(program)
    page = viewer.get(address("program-costs", "?month__year=2026&month__month=7"))
    assert "1 period costs" in text(page)
    assert "month__month = 7" in text(page)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?nonsense=1", "Lists are not narrowed by “nonsense”."),
        ("?last_status__gt=A", "Lists are not narrowed by “last_status__gt”."),
        ("?where=name.is", "“Name”: give a value"),
    ],
)
def test_a_query_that_makes_no_sense_exports_nothing(viewer, query, said):
    factories.program()
    page = viewer.get(address("programs", query))
    assert page.status_code == 400
    assert said in text(page)
    assert post(viewer, "programs", query=query).status_code == 400


def test_key_columns_come_along_and_the_order_is_ours(viewer):
    factories.opportunity(external_id="A", name="x", stage="Won")
    (row,) = rows_of(post(viewer, "opportunities", columns=["Revision", "Stage"]))
    assert list(row) == ["Marketo ID", "Marketo GUID", "External ID", "Stage", "Revision"]
    assert row["Revision"] == "1"
    assert Download.objects.get().columns == list(row)


def test_unknown_column_is_refused(viewer):
    page = post(viewer, "programs", columns=["password"])
    assert page.status_code == 400
    assert not Download.objects.exists()


def test_revision_of_a_program_stands_beside_its_costs_and_tags(viewer):
    program = factories.program()
    factories.cost(program)
    factories.tag(program)
    program.refresh_from_db()
    assert program.revision > 1
    for kind in ("program-costs", "program-tags"):
        (row,) = rows_of(post(viewer, kind))
        assert row["Revision"] == str(program.revision)


def test_text_that_looks_like_a_formula_is_no_formula(viewer):
    factories.program(name="=1+1", channel="@x")
    (row,) = rows_of(post(viewer, "programs"))
    assert (row["Name"], row["Channel"]) == ("'=1+1", "'@x")
    answer = post(viewer, "programs", format="xlsx")
    sheet = load_workbook(io.BytesIO(answer.getvalue())).active
    assert [(cell.value, cell.data_type) for cell in sheet[2]][:2] == [(1001, "n"), ("'=1+1", "s")]


def test_csv_is_utf_8_with_a_mark_and_crlf(viewer):
    factories.program(name="서울\n2", marketo_id=7)
    data = post(viewer, "programs").getvalue()
    expected = 'Marketo ID,Name,Type,Workspace,Channel,Revision\r\n7,"서울\n2",,,,1\r\n'
    assert data == b"\xef\xbb\xbf" + expected.encode()


def test_json_has_typed_values(viewer):
    CustomField.objects.create(name="Fee", data_type="currency")
    factories.opportunity(
        name="=x",
        external_id="A",
        amount=Decimal("501.00"),
        is_won=True,
        close_date=date(2026, 6, 30),
        custom_attributes={"Fee": "7.50"},
    )
    factories.opportunity(name="y", external_id="B", custom_attributes={"Fee": "old text"})
    data = post(viewer, "opportunities", format="json").getvalue().decode()
    assert '"Amount": 501.00' in data
    second, first = json.loads(data)
    assert first["Name"] == "=x"
    assert (first["IsWon"], first["CloseDate"], first["Marketo ID"], first["Fee"]) == (True, "2026-06-30", None, 7.5)
    assert second["Fee"] == "old text"
    assert len(data.splitlines()) == 4


def test_json_of_nothing_is_an_empty_array(viewer):
    assert json.loads(post(viewer, "programs", format="json").getvalue()) == []


def test_workbook_has_native_values(viewer):
    program = factories.program()
    factories.cost(program, amount=Decimal("7.50"), note="00123")
    sheet = load_workbook(io.BytesIO(post(viewer, "program-costs", format="xlsx").getvalue())).active
    cells = {header.value: cell for header, cell in zip(sheet[1], sheet[2], strict=True)}
    assert cells["Month"].value.date() == date(2026, 6, 1)
    assert cells["Month"].number_format == "yyyy\\-mm"
    assert cells["Amount"].value == 7.5
    assert (cells["Note"].value, cells["Note"].number_format) == ("00123", "@")
    assert sheet.freeze_panes == "A2"


def test_every_export_is_logged_before_its_first_byte(viewer):
    factories.program()
    answer = post(viewer, "programs", format="json")
    log = Download.objects.get()
    assert (log.rows, log.finished_at) == (None, None)
    assert (log.what, log.kind, log.format, log.username, log.source) == (
        "export",
        "programs",
        "json",
        "viewer-user",
        "admin",
    )
    assert log.user is not None
    assert log.columns == names("programs")
    answer.getvalue()
    log.refresh_from_db()
    assert log.rows == 1
    assert log.finished_at is not None


@pytest.mark.parametrize("extension", BY_EXTENSION)
def test_export_that_is_broken_off_has_no_count(extension):
    Program.objects.bulk_create(Program(marketo_id=number, name="x") for number in range(1, 5001))
    everything = Program.objects.order_by("pk")
    made = service.export_records("programs", everything, BY_EXTENSION[extension](), TAKER)
    next(made.pieces)
    assert 0 < made.rows.count < 5000
    made.pieces.close()
    log = Download.objects.get()
    assert log.rows is None
    assert log.finished_at is not None


@pytest.mark.parametrize("extension", BY_EXTENSION)
def test_memory_does_not_grow_with_the_rows(extension):
    def peak(count):
        Program.objects.all().delete()
        Program.objects.bulk_create(Program(marketo_id=number, name="x" * 200) for number in range(1, count + 1))
        made = service.export_records("programs", Program.objects.order_by("pk"), BY_EXTENSION[extension](), TAKER)
        tracemalloc.start()
        try:
            assert sum(map(len, made.pieces)) > 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # What is loaded once.
    assert peak(20_000) < peak(5_000) * 1.2 + 200_000


@pytest.mark.parametrize(("kind", "model"), MODELS.items())
def test_export_takes_its_own_permission(client, kind, model):
    person = factories.user()
    person.user_permissions.add(factories.permission(f"view_{model}"), factories.permission(f"change_{model}"))
    client.force_login(person)
    page = client.get(address(kind))
    assert page.status_code == 403
    assert "export" in text(page)
    assert client.post(address(kind), {"format": "csv"}).status_code == 403
    assert address(kind) not in text(client.get(listing(model)))
    client.post(listing(model), {"action": "export_csv", "_selected_action": ["1"]})
    assert not Download.objects.exists()


def test_unknown_kind_is_not_found(viewer):
    assert viewer.get(address("users")).status_code == 404


@pytest.mark.parametrize("model", MODELS.values())
def test_list_leads_to_the_page_with_its_query(viewer, model):
    kind = next(kind for kind, name in MODELS.items() if name == model)
    assert f'href="{address(kind)}?q=x"' in text(viewer.get(f"{listing(model)}?q=x"))
    old = reverse(f"admin:mobjects_{model}_export")
    assert viewer.get(f"{old}?q=x").url == address(kind, "?q=x")


@pytest.mark.parametrize("extension", BY_EXTENSION)
def test_selection_is_exported_at_once_and_logged(viewer, extension):
    chosen = factories.program(name="chosen")
    factories.program(name="other", marketo_id=2)
    data = {"action": f"export_{extension}", "_selected_action": [chosen.pk]}
    answer = viewer.post(listing("program"), data)
    assert answer["Content-Disposition"].startswith('attachment; filename="programs-2')
    assert len(answer.getvalue()) > 50
    log = Download.objects.get()
    assert (log.filters, log.rows, log.format) == ("1 selected", 1, extension)


def test_selection_of_everything_tells_the_filters(viewer):
    for number in range(1, 60):
        factories.program(name=f"A {number}", marketo_id=number)
    data = {"action": "export_csv", "_selected_action": ["1"], "select_across": "1"}
    answer = viewer.post(f"{listing('program')}?q=A", data)
    assert len(rows_of(answer)) == 59
    assert Download.objects.get().filters == "search: “A”"


def test_value_that_does_not_fit_is_said_before_anything_is_sent(viewer):
    record = factories.opportunity(description="y" * 40_000)
    page = post(viewer, "opportunities", format="xlsx")
    assert page.status_code == 400
    assert "A value of Description has 40,000 characters" in text(page)
    data = {"action": "export_xlsx", "_selected_action": [record.pk]}
    assert "Export as CSV" in text(viewer.post(listing("opportunity"), data, follow=True))
    assert not Download.objects.exists()
    assert len(rows_of(post(viewer, "opportunities"))[0]["Description"]) == 40_000


def test_custom_value_that_does_not_fit_is_said(viewer):
    CustomField.objects.create(name="Words")
    factories.opportunity(custom_attributes={"Words": "y" * 33_000})
    assert "A value of Words has" in text(post(viewer, "opportunities", format="xlsx"))
    # Not asked for, so no reason to refuse.
    columns = ["Stage"]
    assert post(viewer, "opportunities", format="xlsx", columns=columns).getvalue()


def test_number_of_queries_does_not_grow(viewer, django_assert_max_num_queries):
    opportunity = factories.opportunity()
    for number in range(30):
        factories.role(opportunity, role=f"r{number}")
    assert OpportunityPersonRole.objects.count() == 30
    with django_assert_max_num_queries(17):  # With the transaction around the reading.
        post(viewer, "roles").getvalue()


def test_two_equal_rows_stay_two(viewer):
    program = factories.program()
    factories.cost(program)
    factories.cost(program)
    assert len(rows_of(post(viewer, "program-costs"))) == 2


def test_number_that_could_mean_two_opportunities_says_which(viewer):
    keyless = Opportunity.objects.create(name="by number", marketo_id=8)
    plain = Opportunity.objects.create(name="by number too", marketo_id=7)
    key = factories.opportunity(external_id="8", marketo_id=9)
    for opportunity in (keyless, plain, key):
        factories.role(opportunity)
    assert [row["Opportunity"] for row in rows_of(post(viewer, "roles", "?o="))] == ["8", "7", "Marketo ID 8"]
