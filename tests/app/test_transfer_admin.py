"""Import and export on the admin pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from mobjects.models import Opportunity, OpportunityPersonRole, Program, ProgramCost
from mobjects.resources import read
from tests import factories

pytestmark = pytest.mark.django_db

MODELS = ["program", "programcost", "programtag", "opportunity", "opportunitypersonrole"]
GOOD = "External ID,Name\nA,서울\n"


@pytest.fixture
def editor(client):
    client.force_login(factories.user(group="editor"))
    return client


@pytest.fixture(autouse=True)
def no_uploads():
    for name in uploads():
        default_storage.delete(f"django-import-export/{name}")


def uploads():
    try:
        return default_storage.listdir("django-import-export")[1]
    except FileNotFoundError:
        return []


def address(model, view="import", *args):
    return reverse(f"admin:mobjects_{model}_{view}", args=args)


def upload(client, content, *, model="opportunity", name="in.csv", **data):
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(name, content)
    return client.post(address(model), {"import_file": file, "resource": "0", **data})


def confirm(client, preview, model="opportunity"):
    form = preview.context["confirm_form"]
    data = {name: form[name].value() for name in form.fields}
    return client.post(address(model, "process_import"), data, follow=True)


def text(response):
    return " ".join(response.content.decode().split())


def test_preview_says_what_would_happen_and_changes_nothing(editor):
    factories.opportunity(external_id="B", name="Old")
    factories.opportunity(external_id="C", name="Same")
    page = upload(editor, GOOD + "B,New\nC,Same\n")
    assert "1 new, 1 changed, 1 unchanged, 0 with errors" in text(page)
    assert '<s class="mo-old">Old</s>' in text(page)
    assert Opportunity.objects.count() == 2


def test_confirmed_upload_is_imported_and_cleared_away(editor):
    answer = confirm(editor, upload(editor, GOOD))
    assert answer.redirect_chain == [(address("opportunity", "changelist"), 302)]
    assert "Imported: 1 new, 0 changed, 0 unchanged." in text(answer)
    assert "?state=unsent" in text(answer)
    assert Opportunity.objects.get().name == "서울"
    assert uploads() == []
    assert LogEntry.objects.get().object_id == str(Opportunity.objects.get().pk)


def test_errors_are_listed_first_and_there_is_nothing_to_confirm(editor):
    page = upload(editor, GOOD + "B,\n<b>,x\n,y\n")
    assert "2 new, 0 changed, 0 unchanged, 2 with errors" in text(page)
    assert "must not be empty." in text(page)
    assert "has neither a Marketo ID nor an External ID" in text(page)
    assert "&lt;b&gt;" in text(page)
    assert text(page).index("<caption>Errors") < text(page).index("<caption>New and changed")
    assert "Confirm import" not in text(page)
    assert uploads() == []


def test_nothing_to_import_is_said(editor):
    factories.opportunity(external_id="A", name="서울")
    page = upload(editor, GOOD)
    assert "There is nothing to import" in text(page)
    assert "Confirm import" not in text(page)


def test_warnings_stand_in_the_preview(editor):
    factories.cost(factories.program(marketo_id=1))
    page = upload(editor, "Program ID,Month,Amount\n1,2026-06,7\n", model="programcost")
    assert "Please check" in text(page)
    assert "will be added as another cost" in text(page)
    answer = confirm(editor, page, "programcost")
    assert ProgramCost.objects.count() == 2
    assert "/admin/mobjects/program/?state=unsent" in text(answer)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "in.csv", "empty"),
        ("x", "in.pdf", "neither CSV nor XLSX"),
        ("External ID\n", "in.csv", "no rows below it"),
        (GOOD.encode("cp949"), "in.csv", "choose the encoding"),
        (b"a\n1\0\n", "in.csv", "NUL bytes"),
        (b"no workbook", "in.xlsx", "not a readable XLSX workbook"),
        (b"External ID,Name\nA,B,C\n", "in.csv", "Row 2 has 3 cells"),
        (b"a" * 5_000_001, "in.csv", "5.0 MB; here at most 5 MB"),
        ("External ID,Name\n" + "a,b\n" * 10_001, "in.csv", "more than 10,000 rows"),
    ],
)
def test_file_that_cannot_be_read_is_an_error_beside_the_field(editor, content, name, words):
    page = upload(editor, content, name=name)
    assert page.status_code == 200
    assert words in str(page.context["form"].errors["import_file"])
    assert words in text(page)
    assert uploads() == []


def test_file_with_unknown_columns_is_refused_in_one_message(editor):
    page = upload(editor, "External ID,Nmae\nA,x\n")
    assert "The file cannot be imported. Unknown column “Nmae”." in text(page)
    assert "Traceback" not in text(page)


def test_encoding_can_be_chosen(editor):
    confirm(editor, upload(editor, GOOD.encode("cp949"), encoding="cp949"))
    assert Opportunity.objects.get().name == "서울"


def test_workbook_is_imported(editor):
    factories.opportunity(external_id="A", name="=서울")
    data = editor.post(address("opportunity", "export"), {"format": "1", "resource": "0"}).content
    Opportunity.objects.all().delete()
    confirm(editor, upload(editor, data, name="in.XLSX"))
    assert Opportunity.objects.get().name == "=서울"


def test_page_stays_small_for_a_large_file(editor):
    page = upload(editor, "External ID,Name\n" + "".join(f"E{number},name\n" for number in range(10_000)))
    assert "10,000 new" in text(page)
    assert "And 9,900 more." in text(page)
    assert len(page.content) < 250_000
    page = upload(editor, "External ID,Name\n" + "".join(f"E{number},\n" for number in range(10_000)))
    assert "And 9,500 more." in text(page)
    assert len(page.content) < 400_000


def test_second_confirmation_asks_for_another_upload(editor):
    page = upload(editor, GOOD)
    confirm(editor, page)
    answer = confirm(editor, page)
    assert "That upload is gone" in text(answer)
    assert Opportunity.objects.count() == 1


@pytest.mark.parametrize("changed", [{"import_file_name": "../settings.py"}, {"format": "9"}, {"import_file_name": ""}])
def test_forged_confirmation_is_refused(editor, changed):
    data = {"import_file_name": "0" * 32, "original_file_name": "x", "format": "0", "resource": "0", **changed}
    answer = editor.post(address("opportunity", "process_import"), data, follow=True)
    assert "That upload is gone" in text(answer)


def test_record_that_changed_after_the_preview_keeps_the_file_out(editor):
    page = upload(editor, "External ID,Marketo ID,Name\nA,5,x\n")
    factories.opportunity(external_id="A", marketo_id=6)
    answer = confirm(editor, page)
    assert "Nothing was imported. row 2, Marketo ID" in text(answer)
    assert Opportunity.objects.get().marketo_id == 6


def test_unconfirmed_upload_is_deleted_after_a_day(editor):
    upload(editor, GOOD)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        editor.force_login(factories.user("bob", group="editor"))
        upload(editor, GOOD)
    assert len(uploads()) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_blank_template_has_the_headers(editor, model, extension):
    page = editor.get(address(model))
    link = address(model, "import_template", extension)
    assert link in text(page)
    answer = editor.get(link)
    assert f"template.{extension}" in answer["Content-Disposition"]
    if extension == "csv":
        exported = editor.post(address(model, "export"), {"format": "0", "resource": "0"})
        assert answer.content == exported.content


def test_unknown_template_is_not_found(editor):
    assert editor.get(address("program", "import_template", "pdf")).status_code == 404


@pytest.mark.parametrize("model", MODELS)
def test_import_takes_its_own_permission(client, model):
    person = factories.user(group="viewer")
    person.user_permissions.add(factories.permission(f"change_{model}"), factories.permission(f"add_{model}"))
    client.force_login(person)
    assert client.get(address(model)).status_code == 403
    assert client.get(address(model, "import_template", "csv")).status_code == 403
    assert client.post(address(model, "process_import"), {}).status_code == 403
    assert address(model) not in text(client.get(address(model, "changelist")))


def test_export_takes_its_own_permission(client):
    person = factories.user()
    person.user_permissions.add(factories.permission("view_program"))
    client.force_login(person)
    program = factories.program()
    assert client.get(address("program", "export")).status_code == 403
    data = {"action": "export_csv", "_selected_action": [program.pk]}
    assert client.post(address("program", "changelist"), data).get("Content-Disposition") is None


def test_export_honours_the_filter(editor):
    factories.opportunity(external_id="A", name="Seoul")
    factories.opportunity(external_id="B", name="Busan")
    answer = editor.post(address("opportunity", "export") + "?q=Seoul", {"format": "0", "resource": "0"})
    assert list(read(answer.content, "csv")["Name"]) == ["Seoul"]
    assert answer["Content-Disposition"].startswith('attachment; filename="opportunities-2')


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_selection_is_exported_at_once(editor, extension):
    chosen = factories.program(name="chosen")
    factories.program(name="other", marketo_id=2)
    data = {"action": f"export_{extension}", "_selected_action": [chosen.pk]}
    answer = editor.post(address("program", "changelist"), data)
    assert list(read(answer.content, extension)["Name"]) == ["chosen"]


def test_value_that_does_not_fit_is_said_when_exporting(editor):
    record = factories.opportunity(description="y" * 40_000)
    data = {"action": "export_xlsx", "_selected_action": [record.pk]}
    assert "Export as CSV" in text(editor.post(address("opportunity", "changelist"), data, follow=True))
    page = editor.post(address("opportunity", "export"), {"format": "1", "resource": "0"}, follow=True)
    assert "Export as CSV" in text(page)


def test_number_of_queries_of_an_export_does_not_grow(editor, django_assert_max_num_queries):
    opportunity = factories.opportunity()
    for number in range(30):
        factories.role(opportunity, role=f"r{number}")
    assert OpportunityPersonRole.objects.count() == 30
    assert not Program.objects.exists()
    with django_assert_max_num_queries(15):
        editor.post(address("opportunitypersonrole", "export"), {"format": "0", "resource": "0"})
