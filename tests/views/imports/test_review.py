"""The review of an import: tabs, rows, problems, corrections, and writing."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import Import, ImportState
from mobjects.views.imports.row_table import html_size, truncate_html
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made
from tests.views.imports.reviewing import fix, mixed, seen, url, write

pytestmark = pytest.mark.django_db

LONG = "길다<&>'" + "y" * 250


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def editor(groups):
    return pages.client("editor")


# --- tabs and rows ---


def test_tabs_tell_their_counts_and_errors_come_first(browser):
    shown = seen(browser, mixed())
    for words in ("Errors: 1 row", "Conflicts: 1 row", "New: 1 row", "Changed: 1 row", "Unchanged: 1 row"):
        assert words in shown
    assert 'href="?tab=error" aria-current="page"' in shown
    assert "C Amount:" in shown
    assert "“much” is not a number." in shown


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("new", "<dt>Name:</dt> <dd>Alpha</dd>"),
        ("new", "<dt>Region:</dt> <dd>EMEA</dd>"),
        ("changed", "<s>Old</s> → New"),
        ("conflict", "Would overwrite “Mine”."),
        ("conflict", "<s>Old</s> → New"),
        ("unchanged", "Deal 4"),
    ],
)
def test_each_tab_shows_its_rows(browser, tab, words):
    assert words in seen(browser, mixed(), f"?tab={tab}")


def test_links_to_other_records_are_told_by_name_and_months_as_such(browser):
    program = factories.program(name="Webinar 7")
    imported = made.imported(kind="program-costs")
    data = {"program_id": str(program.pk), "month": "2026-06-01", "amount": "3"}
    made.row(imported, 2, "new", data=data)
    shown = seen(browser, made.count(imported))
    assert "<dt>Program:</dt> <dd>Webinar 7" in shown
    assert "<dd>2026-06</dd>" in shown


def test_a_row_leads_to_its_record_while_that_exists(browser):
    imported = mixed()
    record = imported.found.get(number=3).record_id
    address = reverse("admin:mobjects_opportunity_change", args=[record])
    assert address in seen(browser, imported, "?tab=changed")
    imported.found.update(record_id=record + 1)
    assert address not in seen(browser, imported, "?tab=changed")


def test_fifty_rows_a_page(browser):
    imported = made.imported()
    for number in range(2, 122):
        made.row(imported, number, "new", data={"name": f"Name {number}"})
    made.count(imported)
    assert "Page 1 of 3 (120 in all)" in seen(browser, imported)
    shown = seen(browser, imported, "?tab=new&page=3")
    assert "Name 102<" in shown
    assert "Name 101<" not in shown


FIELDS = [f"Custom field number {number}" for number in range(20)]


@pytest.mark.parametrize("outcome", ["new", "changed", "conflict"])
def test_a_page_of_rows_with_many_long_values_stays_small(browser, outcome):
    imported = made.imported()
    data = {"custom_attributes": dict.fromkeys(FIELDS, LONG)}
    old = {"custom_attributes": dict.fromkeys(FIELDS, LONG[::-1])}
    for number in range(2, 52):
        label, record = LONG[:255], None if outcome == "new" else number
        made.row(imported, number, outcome, label=label, data=data, old=old if record else {}, record_id=record)
    made.count(imported)
    answer = browser.get(f"{url(imported)}?tab={outcome}")
    assert len(answer.content) < 190_000
    assert pages.text(answer).count("Custom field number 0:") == 50
    whole = seen(browser, imported, "?row=7")
    assert whole.count("y" * 250) == 20 * (1 if outcome == "new" else 2)


def test_a_page_of_errors_with_long_values_and_many_groups_stays_small(editor):
    imported = made.imported()
    for number in range(2, 52):
        made.row(imported, number, "error", label=LONG[:255])
        for position in range(1, 21):
            rule, name = f"“{LONG}” is not right.", f"Column {position} " + "z" * 200
            made.problem(imported, number, value=LONG, rule=rule, column=name, position=position, suggestion=LONG)
        made.group(imported, value=LONG, rule=rule, column=name, suggestion=LONG, first=number)
    answer = editor.get(url(made.count(imported)))
    assert len(answer.content) < 190_000
    assert "more<span" in pages.text(answer)
    assert seen(editor, imported, "?row=2").count("is not right.") == 20


def test_what_is_cut_has_the_whole_as_title_where_there_is_room(browser):
    imported = made.imported()
    made.row(imported, 2, "new", data={"name": "x" * 400})
    shown = seen(browser, made.count(imported))
    assert f'<span title="{"x" * 400}">{"x" * 117}…</span>' in shown


@pytest.mark.parametrize("text", ["", "short", LONG, "길" * 300, "<" * 300])
def test_cut_text_is_no_longer_than_asked(text):
    assert html_size(truncate_html(text, 100)) <= 100
    assert truncate_html(text, 10**6) == text


@pytest.mark.parametrize("tab", ["error", "new", "changed", "conflict"])
def test_number_of_queries_of_a_page_does_not_grow(editor, django_assert_max_num_queries, tab):
    imported = mixed()
    for number in range(10, 60):
        made.row(imported, number, tab, record_id=factories.opportunity().pk, data={"name": "x"}, old={"name": "y"})
        made.problem(imported, number, position=2)
        made.group(imported, first=number, value=str(number))
    made.count(imported)
    with django_assert_max_num_queries(22):
        editor.get(f"{url(imported)}?tab={tab}")


@pytest.mark.parametrize("query", ["?row=999", "?row=x", "?tab=x", "?page=x", "?groups=99"])
def test_odd_addresses_are_answered(browser, query):
    assert browser.get(url(mixed()) + query).status_code == 200


def test_while_it_is_checked_the_page_renews_itself(browser):
    imported = made.imported(state=ImportState.CHECKING)
    assert "Waits for a worker to check it." in seen(browser, imported)
    assert reverse("mobjects:import-live", args=[imported.pk]) in seen(browser, imported)


def test_how_the_file_was_read_is_told_where_it_is_decided(browser):
    imported = mixed()
    assert "How the file was read" not in seen(browser, imported)
    Import.objects.update(notes=["The encoding was guessed: CP949 <Korean>."])
    assert "The encoding was guessed: CP949 &lt;Korean&gt;." in browser.get(url(imported)).content.decode()


def test_values_are_escaped(browser):
    imported = made.imported()
    made.row(imported, 2, "new", label="<i>x", data={"name": "<script>1"})
    shown = seen(browser, made.count(imported))
    assert "<i>x" not in shown
    assert "<script>1" not in shown


# --- writing ---


def test_the_buttons_say_what_would_be_written(editor):
    shown = seen(editor, mixed())
    assert "Write 1 new and 1 changed" in shown
    assert "Overwrite the conflicts, too: write 1 new and 2 changed" in shown
    assert "Not possible while 1 row has errors." in shown
    assert 'value="all" disabled' in shown


def test_values_that_blank_cells_clear_are_counted_and_lead_to_their_rows(editor):
    imported = made.imported(blanks={"changed": 1000, "conflict": 2, "kept": 1}, counts={"changed": 2})
    made.row(imported, 2, "changed", label="Wiped", cleared=2)
    made.row(imported, 3, "changed", label="Renamed")
    shown = seen(editor, imported)
    assert (
        "Blank cells clear 1,000 values and would clear 2 values in rows with conflicts and leave 1 value as it is."
    ) in shown
    assert "<strong>1,000 values will be cleared</strong>" in shown
    only = seen(editor, imported, "?tab=changed&cleared=1")
    assert "Wiped" in only
    assert "Renamed" not in only


def test_writing_is_asked_for_once(editor):
    imported = mixed()
    stamp = editor.get(url(imported)).context["write"]["stamp"]
    data = {"checked": stamp, "mode": "valid", "overwrite": "1"}
    first = editor.post(url(imported, "import-write"), data, follow=True)
    assert "Waits for a worker to write it." in pages.text(first)
    second = editor.post(url(imported, "import-write"), data, follow=True)
    assert "The rows are being written." in pages.text(second)
    imported.refresh_from_db()
    assert (imported.state, imported.mode, imported.overwrite) == (ImportState.COMMITTING, "valid", True)
    assert imported.committed_by == "editor-user"


def test_a_page_from_before_another_check_writes_nothing(editor):
    imported = mixed()
    assert "checked again since you opened the page" in write(editor, imported, checked="2020", mode="valid")
    assert imported.state == ImportState.REVIEW


def test_without_a_mode_nothing_is_written(editor):
    imported = mixed()
    assert "all or nothing" in write(editor, imported)
    assert imported.state == ImportState.REVIEW


def test_all_or_nothing_with_errors_is_refused_in_words(editor):
    imported = mixed()
    assert "1 row with errors: all or nothing is nothing." in write(editor, imported, mode="all")
    assert imported.state == ImportState.REVIEW


def test_nothing_to_write_is_said(editor):
    imported = made.imported()
    made.row(imported, 2, "unchanged")
    shown = seen(editor, made.count(imported))
    assert "There is nothing to write: every row equals what is here already." in shown
    assert 'name="mode"' not in shown


def test_what_was_changed_since_the_check_has_to_be_checked_first(editor):
    imported = mixed()
    Import.objects.update(checked_at=None)
    shown = seen(editor, imported)
    assert "has to be checked again before it can be written" in shown
    editor.post(url(imported, "import-check"))
    imported.refresh_from_db()
    assert imported.state == ImportState.CHECKING


def test_after_nothing_was_written_it_can_be_checked_again(editor):
    imported = mixed()
    assert "Check again" not in seen(editor, imported)
    Import.objects.update(problem="Nothing was written, because not everything could be.", mode="all")
    shown = seen(editor, imported)
    assert "Check again" in shown
    fix(editor, imported, act="check")
    assert (imported.state, imported.problem) == (ImportState.CHECKING, "")


def test_a_commit_that_was_broken_off_can_be_ended_or_undone(editor):
    imported = mixed()
    Import.objects.update(committed_to=3, mode="valid", written={"created": 1})
    shown = seen(editor, imported)
    assert "Write the rest" in shown
    assert url(imported, "import-undo") in shown
    assert "Apply in" not in shown
    write(editor, imported)
    assert imported.state == ImportState.COMMITTING


@pytest.mark.parametrize("name", ["import-fix", "import-write", "import-check", "import-discard"])
def test_looking_changes_nothing(editor, name):
    imported = mixed()
    before = Import.objects.filter(pk=imported.pk).values().get()
    assert editor.get(url(imported, name)).status_code == 302
    assert Import.objects.filter(pk=imported.pk).values().get() == before
