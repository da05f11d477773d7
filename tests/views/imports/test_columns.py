"""The upload page, and the page on which columns are said what they mean."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mobjects.models import Import, ImportState
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made

pytestmark = pytest.mark.django_db

NEW = "/admin/imports/new/"
READ = {"read": "1", "encoding": "utf-8", "delimiter": ","}
GOOD = "External ID,Name\nA,서울\n"


@pytest.fixture
def editor(groups):
    return pages.client("editor")


def url(imported, name="import-columns"):
    return reverse(f"mobjects:{name}", args=[imported.pk])


def upload(browser, content="", *, name="in.csv", **data):
    given = {"kind": "opportunities", "encoding": "auto", **data}
    if content:
        given["file"] = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return browser.post(NEW, given)


# --- upload ---


def test_a_file_whose_columns_are_known_goes_on_to_its_check(editor):
    answer = upload(editor, GOOD, reason="Quarter end")
    imported = Import.objects.get()
    assert answer["Location"] == url(imported, "import-review")
    assert (imported.state, imported.reason, imported.username) == (ImportState.CHECKING, "Quarter end", "editor-user")
    assert (imported.file_name, imported.size) == ("in.csv", len(GOOD.encode()))


def test_what_it_holds_is_told_by_its_headers(editor):
    answer = upload(editor, "Program ID,Month,Amount\n1,2026-06,5\n", kind="")
    imported = Import.objects.get()
    assert (imported.kind, answer["Location"]) == ("program-costs", url(imported, "import-review"))
    assert '<option value="" selected>Its headers tell</option>' in pages.text(editor.get(NEW))


def test_a_wrong_kind_is_changed_where_it_is_noticed(editor):
    upload(editor, "Program ID,Month,Amount\n1,2026-06,5\n")
    imported = Import.objects.get()
    shown = pages.text(editor.get(url(imported)))
    assert "The headers look like those of period costs." in shown
    assert "Read it as this" in shown
    answer = editor.post(url(imported), {"change_kind": "1", "kind": "program-costs"}, follow=True)
    imported.refresh_from_db()
    assert (imported.kind, imported.mapping) == ("program-costs", ["Program ID", "Month", "Amount"])
    assert "It is read as period costs now." in pages.text(answer)
    editor.post(url(imported), {"change_kind": "1", "kind": "nonsense"})
    imported.refresh_from_db()
    assert imported.kind == "program-costs"


def test_the_kind_stays_once_rows_are_written(editor):
    imported = made.imported(state=ImportState.COMMITTED)
    assert "Read it as this" not in pages.text(editor.get(url(imported)))
    editor.post(url(imported), {"change_kind": "1", "kind": "programs"})
    imported.refresh_from_db()
    assert imported.kind == "opportunities"


def test_a_file_with_unknown_columns_goes_on_to_them(editor):
    answer = upload(editor, "External ID,Deal\nA,1\n")
    assert answer["Location"] == url(Import.objects.get())


def test_pasted_cells_are_a_file_too(editor):
    answer = upload(editor, pasted="External ID\tName\nA\t서울\n")
    imported = Import.objects.get()
    assert answer["Location"] == url(imported, "import-review")
    assert (imported.pasted, imported.delimiter) == (True, "\t")


def test_a_file_that_cannot_be_read_is_kept_with_the_reason(editor):
    answer = editor.get(upload(editor, b"no workbook", name="in.xlsx")["Location"])
    assert "Refused: " in pages.text(answer)
    assert Import.objects.get().state == ImportState.REFUSED


def test_the_encoding_can_be_said(editor):
    upload(editor, GOOD.encode("cp949"), encoding="cp949")
    assert Import.objects.get().samples[1] == ["서울"]


def test_a_file_that_is_too_large_is_an_error_beside_the_field(editor, settings):
    settings.IMPORT_MAX_MB = 1
    answer = upload(editor, b"a" * 1_000_001)
    assert answer.status_code == 400
    assert "larger than 1 MB" in str(answer.context["form"].errors["file"])
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose a file, or paste cells."),
        ({"content": GOOD, "pasted": GOOD}, "not both"),
        ({"content": GOOD, "kind": "leads"}, "not one of the available choices"),
        ({"pasted": "x" * 600_001}, "at most 600000 characters"),
    ],
)
def test_what_cannot_be_uploaded_is_said(editor, data, words):
    answer = upload(editor, **data)
    assert answer.status_code == 400
    assert words in pages.text(answer)
    assert not Import.objects.exists()


def test_the_page_tells_the_limits_and_offers_the_kind_it_was_asked_for(editor, settings):
    settings.IMPORT_MAX_MB = 7
    page = editor.get(f"{NEW}?kind=roles")
    assert "up to 7 MB" in pages.text(page)
    assert '<option value="roles" selected>' in pages.text(page)


def test_only_kinds_that_one_may_import_are_offered(client):
    person = factories.user()
    person.user_permissions.add(factories.permission("view_import"), factories.permission("import_program"))
    client.force_login(person)
    shown = pages.text(client.get(NEW))
    assert '<option value="programs">' in shown
    assert '<option value="roles">' not in shown
    assert client.get(f"{NEW}?kind=roles").status_code == 403
    assert upload(client, GOOD).status_code == 403
    assert not Import.objects.exists()


def test_uploading_takes_a_permission(groups):
    viewer = pages.client("viewer")
    assert "not allowed to import files" in pages.text(viewer.get(NEW))
    assert "not allowed to import opportunities" in pages.text(upload(viewer, GOOD))


# --- columns ---


def waiting(**values):
    values = {"headers": ["External ID", "Deal", ""], "mapping": ["External ID", None, ""], **values}
    return made.imported(**{"state": ImportState.MAPPING, "checked_at": None, **values})


def said(*columns, constants=(), **data):
    given = {f"column-{index}": column for index, column in enumerate(columns)}
    for index, (name, text) in enumerate(constants):
        given |= {f"constant-{index}": name, f"value-{index}": text}
    return {**given, "check": "1", **data}


def test_each_column_is_shown_with_letter_header_and_samples(editor):
    shown = pages.text(editor.get(url(waiting())))
    assert '<span class="mo-subtle">B</span> Deal' in shown
    assert '<span class="mo-sample">One</span>' in shown
    assert "Choose what it means, or leave it out." in shown
    assert "Column “Deal” is not matched yet" in shown
    assert '<option value="=External ID" selected>' in shown
    assert '<option value="-" selected>' in shown


def test_check_keeps_the_columns_and_asks_for_the_check(editor):
    imported = waiting()
    data = said("=External ID", "=Name", "-", constants=[("=Stage", "Won")])
    answer = editor.post(url(imported), data)
    imported.refresh_from_db()
    assert answer["Location"] == url(imported, "import-review")
    assert imported.state == ImportState.CHECKING
    assert imported.mapping == ["External ID", "Name", ""]
    assert imported.constants == {"Stage": "Won"}


def test_what_blank_cells_do_is_asked_for_each_column(editor):
    imported = waiting(blank_clears=["External ID"])
    shown = pages.text(editor.get(url(imported)))
    assert "What a blank cell in column B does" in shown
    assert shown.count('<option value="clear" selected>') == 1
    editor.post(url(imported), said("=External ID", "=Stage", "-", **{"blank-1": "clear", "blank-2": "clear"}))
    imported.refresh_from_db()
    assert (imported.state, imported.blank_clears) == (ImportState.CHECKING, ["Stage"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (said("=External ID", "", "-"), "Column “Deal” is not matched yet"),
        (said("=Name", "=Name", "-"), "Columns A and B mean the same; keep one."),
        (said("=Name", "-", "-"), "The file lacks a key column"),
        (said("=External ID", "=Nonsense", "-"), "not one of the available choices"),
        (said("=External ID", "-", "-", constants=[("", "Won")]), "Say which column gets “Won”."),
        (said("=External ID", "-", "-", constants=[("=Stage", "a"), ("=Stage", "b")]), "“Stage” is given twice."),
        (said("=External ID", "-", "-", constants=[("=Amount", "much")]), "Amount: "),
        (said("=External ID", "=Name", "-", constants=[("=Name", "x")]), "“Name” stands in the file"),
    ],
)
def test_columns_that_do_not_add_up_are_not_kept(editor, data, words):
    imported = waiting()
    answer = editor.post(url(imported), data)
    assert answer.status_code == 400
    assert words in pages.text(answer)
    imported.refresh_from_db()
    assert (imported.state, imported.mapping[1]) == (ImportState.MAPPING, None)


def test_what_was_chosen_stays_chosen_when_something_is_wrong(editor):
    shown = pages.text(editor.post(url(waiting()), said("=External ID", "=Stage", "")))
    assert '<option value="=Stage" selected>' in shown


def test_columns_can_be_changed_during_the_review(editor):
    imported = made.imported(counts={"new": 1})
    assert "Check again" in pages.text(editor.get(url(imported)))
    editor.post(url(imported), said("=External ID", "=Name", "-"))
    imported.refresh_from_db()
    assert (imported.state, imported.mapping) == (ImportState.CHECKING, ["External ID", "Name", ""])


@pytest.mark.parametrize("state", [ImportState.CHECKING, ImportState.COMMITTED, ImportState.DISCARDED])
def test_columns_stay_to_be_looked_at_but_not_changed(editor, state):
    imported = made.imported(state=state)
    shown = pages.text(editor.get(url(imported)))
    assert "The columns cannot be changed at this step." in shown
    assert 'name="check"' not in shown
    answer = editor.post(url(imported), said("=External ID", "=Stage", "-"), follow=True)
    imported.refresh_from_db()
    assert (imported.state, imported.mapping[1]) == (state, "Name")
    assert "Reload the page to see how it stands." in pages.text(answer)


def test_the_file_can_be_read_in_another_way(editor):
    upload(editor, "External ID;Deal\nA;1\n", encoding="utf-8")
    imported = Import.objects.get()
    shown = pages.text(editor.get(url(imported)))
    assert '<option value=";" selected>Semicolon' in shown
    answer = editor.post(url(imported), READ, follow=True)
    assert "Read again." in pages.text(answer)
    imported.refresh_from_db()
    assert imported.headers == ["External ID;Deal"]


def test_the_row_with_the_headers_is_shown_and_can_be_changed(editor):
    upload(editor, "Deals of May\nExternal ID,Name,Deal\nA,x,1\nKey,Sum,\nB,2,\n")
    imported = Import.objects.get()
    shown = pages.text(editor.get(url(imported)))
    assert "The headers stand in row 2; what stands above them (1 row) is not read." in shown
    assert 'name="header" value="2"' in shown
    editor.post(url(imported), {**READ, "header": "4"})
    imported.refresh_from_db()
    assert (imported.header_row, imported.headers) == (4, ["Key", "Sum"])
    editor.post(url(imported), {**READ, "delimiter": ";", "header": "4"})
    imported.refresh_from_db()
    assert imported.header_row == 1
    editor.post(url(imported), {**READ, "delimiter": ",", "header": ""})
    imported.refresh_from_db()
    assert imported.header_row == 2


@pytest.mark.parametrize("other", [{**READ, "header": "2"}, {"change_kind": "1", "kind": "roles"}])
def test_what_is_said_of_columns_that_another_tab_made_others_is_not_kept(editor, other):
    upload(editor, "External ID,Name,Role\nName,External ID,Role\nA,B,C\n")
    imported = Import.objects.get()
    (seen,) = pages.tree(editor.get(url(imported))).xpath("//input[@name='seen']/@value")
    editor.post(url(imported), other)
    imported.refresh_from_db()
    now = imported.mapping
    answer = editor.post(url(imported), said("=External ID", "=Name", "-", seen=seen), follow=True)
    imported.refresh_from_db()
    assert (imported.state, imported.mapping) == (ImportState.MAPPING, now)
    assert "Nothing was kept" in pages.text(answer)
    (seen,) = pages.tree(answer).xpath("//input[@name='seen']/@value")
    assert "Nothing was kept" not in pages.text(editor.post(url(imported), said("-", "-", "-", seen=seen), follow=True))


def test_a_refused_file_can_be_read_in_another_way(editor):
    upload(editor, "External ID,Deal\nA,서울\n".encode("cp949"), encoding="utf-8")
    imported = Import.objects.get()
    assert "Read it in another way…" in pages.text(editor.get(url(imported, "import")))
    assert editor.get(url(imported)).status_code == 200
    wrong = editor.post(url(imported), {"read": "1", "encoding": "utf-8", "delimiter": ","}, follow=True)
    assert "It cannot be read that way" in pages.text(wrong)
    editor.post(url(imported), {"read": "1", "encoding": "cp949", "delimiter": ","})
    imported.refresh_from_db()
    assert (imported.state, imported.samples[1]) == (ImportState.MAPPING, ["서울"])


def test_number_of_queries_does_not_grow_with_the_columns(editor, django_assert_max_num_queries):
    headers = [f"Column {number}" for number in range(100)]
    imported = waiting(headers=headers, mapping=[None] * 100, samples=[["x"]] * 100)
    with django_assert_max_num_queries(18):
        editor.get(url(imported))
