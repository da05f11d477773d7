"""The page of an import: where it stands, what it did, who may see and do what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mobjects.models import Import, ImportState, SyncJob, UndoOutcome
from mobjects.presentation import import_text as words
from mobjects.presentation import navigation
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups):
    return pages.client()


def url(imported, name="import"):
    return reverse(f"mobjects:{name}", args=[imported.pk])


def seen(browser, imported, name="import"):
    return pages.text(browser.get(url(imported, name)))


# --- where it stands ---


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": ImportState.MAPPING}, "Waits for a person to say what each column of the file means."),
        ({"state": ImportState.CHECKING}, "Waits for a worker to check it."),
        ({"counts": {"new": 312, "error": 1}, "rows": 313}, "Checked 313 rows: 312 new, 1 with errors."),
        ({"state": ImportState.COMMITTED, "written": {"created": 2, "left": 1}}, "Written: 2 created, 1 left out."),
        (
            {"state": ImportState.COMMITTED, "written": {"created": 2}, "counts": {"error": 3, "conflict": 1}},
            "Written: 2 created. Not written: 3 rows with errors, 1 row in conflict.",
        ),
        ({"state": ImportState.UNDONE, "undone": {"restored": 2}}, "Undone: 2 restored."),
        ({"state": ImportState.REFUSED, "problem": "It is empty."}, "Refused: It is empty."),
        ({"state": ImportState.DISCARDED}, "Discarded: nothing of it was written."),
        ({"committed_to": 7, "written": {"changed": 3}}, "broken off after row 7: 3 changed so far."),
    ],
)
def test_the_page_says_where_the_import_stands(browser, values, said):
    assert said in seen(browser, made.imported(**values))


def test_conflicts_that_were_overwritten_are_not_told_as_missing(browser):
    values = {"written": {"changed": 1}, "counts": {"conflict": 1}, "overwrite": True}
    assert "Not written" not in seen(browser, made.imported(state=ImportState.COMMITTED, **values))


@pytest.mark.parametrize(
    ("state", "step"), [("mapping", "Columns"), ("review", "Review"), ("committing", "Write"), ("committed", "Result")]
)
def test_the_current_step_is_marked_in_words(browser, state, step):
    imported = made.imported(state=state)
    assert [(each.name, each.words) for each in words.wizard_steps(imported) if each.current] == [(step, "now")]
    assert seen(browser, imported).count('aria-current="step"') == 1


def test_progress_is_told_with_rate_and_time_left(browser):
    begun = timezone.now() - timedelta(seconds=10)
    values = {"begun_at": begun, "reported_at": begun + timedelta(seconds=10), "rows": 4000, "committed_to": 1001}
    shown = seen(browser, made.imported(state=ImportState.COMMITTING, **values))
    assert "Being written: 1,000 of 4,000 rows so far, 100 rows a second, about 30 s left." in shown
    assert '<progress class="mo-progress" max="4000" value="1000"' in shown


def test_facts_tell_the_file_and_how_it_is_read(browser):
    imported = made.imported(delimiter=";", notes=["The rows end in two ways."], reason="Quarter end")
    shown = seen(browser, imported)
    for words_shown in ("deals.csv", "2.0", "abababababababab…", "Semicolon", "two ways", "Quarter end", "alice"):
        assert words_shown in shown


def test_the_same_file_before_is_a_warning_with_a_link(browser):
    first = made.imported()
    assert "uploaded before" not in seen(browser, first)
    second = made.imported()
    for name in PAGES:
        shown = seen(browser, second, name)
        assert "The same file was uploaded before" in shown
        assert f'<a href="{url(first)}">Import {first.pk}</a>' in shown


def test_a_correction_and_what_it_corrects_lead_to_each_other(browser):
    first = made.imported()
    second = made.imported(correction_of=first, sha256="cd" * 32)
    assert url(first) in seen(browser, second)
    assert url(second) in seen(browser, first)


def test_file_name_is_escaped(browser):
    assert "<b>x" not in seen(browser, made.imported(file_name="<b>x.csv"))


# --- the part that renews itself ---


def test_the_live_part_renews_itself_while_the_import_works(browser):
    imported = made.imported(state=ImportState.CHECKING)
    assert f'hx-get="{url(imported, "import-live")}"' in seen(browser, imported)
    assert browser.get(url(imported, "import-live")).status_code == 200
    Import.objects.update(state=ImportState.REVIEW)
    over = browser.get(url(imported, "import-live"))
    assert (over.status_code, over["HX-Refresh"]) == (286, "true")
    assert f'hx-get="{url(imported, "import-live")}"' not in seen(browser, imported)


def test_the_live_part_of_a_user_who_is_logged_out_says_so():
    answer = Client().get(url(made.imported(state=ImportState.CHECKING), "import-live"))
    assert answer.status_code == 286
    assert "logged out" in pages.text(answer)


# --- after it is written ---


def written(**values):
    imported = made.imported(state=ImportState.COMMITTED, committed_at=timezone.now(), written={"changed": 1}, **values)
    record = factories.opportunity()
    made.row(imported, 2, "changed", record_id=record.pk, data={"name": "New"}, old={"name": "Old"})
    made.change(imported, 2, record)
    return imported, record


def test_its_records_can_be_synced_and_the_jobs_are_listed(browser, marketo_settings):
    imported, _ = written()
    shown = seen(browser, imported)
    address = f"{reverse('mobjects:sync')}?kind=Opportunity&amp;of_import={imported.pk}"
    assert address in shown
    assert "Sync this record…" in shown
    assert "None of its records has been in a sync job since." in shown
    factories.opportunity(name="Another")
    page = browser.get(address.replace("&amp;", "&"))
    assert "1 record in 1 batch" in pages.text(page)
    form = page.context["form"]
    data = {name: value for name, value in form.data.items() if value is not None}
    browser.post(reverse("mobjects:sync"), {**data, "send": "1"})
    job = SyncJob.objects.get()
    assert str(job.pk) in seen(browser, imported)


def test_a_later_job_that_dealt_with_its_records_is_listed(browser):
    imported, record = written()
    job = pages.job()
    pages.result(job, record_id=record.pk)
    other = pages.job()
    pages.result(other, record_id=record.pk + 1)
    shown = seen(browser, imported)
    assert pages.job_url(job) in shown
    assert pages.job_url(other) not in shown


def test_an_undo_leaves_the_jobs_that_its_records_went_out_with(browser):
    imported, record = written()
    job = pages.job()
    pages.result(job, record_id=record.pk)
    imported.changes.update(undone=UndoOutcome.RESTORED)
    Import.objects.filter(pk=imported.pk).update(state=ImportState.UNDONE, undone_at=timezone.now(), undone_by="bob")
    assert pages.job_url(job) in seen(browser, imported)


@pytest.mark.parametrize(
    ("undone", "said", "values"),
    [
        (UndoOutcome.RESTORED, "Undo of an import: restored", [("Name", "New", "Old")]),
        (UndoOutcome.LEFT, "was changed since", []),
    ],
)
def test_an_undo_is_an_event_of_its_own_in_the_record_s_history(browser, undone, said, values):
    imported, record = written(committed_by="ann", undone_by="bob", undone_at=timezone.now() + timedelta(minutes=5))
    imported.changes.update(undone=undone, undone_note="was changed since" if undone == UndoOutcome.LEFT else "")
    answer = browser.get(reverse("mobjects:record-history", args=["Opportunity", record.pk]))
    undo, done = [entry for entry in answer.context["page"].entries if entry.imported]
    assert [(entry.kind, entry.person) for entry in (undo, done)] == [("undo", "bob"), ("import", "ann")]
    assert undo.at - done.at >= timedelta(minutes=4)
    assert said in pages.text(answer)
    assert (undo.changes, done.changes) == (values, [("Name", "Old", "New")])


def test_number_of_queries_does_not_grow_with_the_records(browser, django_assert_max_num_queries):
    imported, _ = written()
    for number in range(3, 30):
        made.change(imported, number, factories.opportunity())
    for _ in range(10):
        pages.job()
    with django_assert_max_num_queries(25):
        browser.get(url(imported))


def test_the_record_s_history_tells_the_import_with_old_and_new(browser, django_assert_max_num_queries):
    imported, record = written()
    address = reverse("mobjects:record-history", args=["Opportunity", record.pk])
    shown = pages.text(browser.get(address))
    assert url(imported) in shown
    assert "Old</s>" in shown
    assert "New</dd>" in shown
    for number in range(30):
        again = made.imported(state=ImportState.COMMITTED, committed_at=timezone.now())
        made.row(again, number, "changed", record_id=record.pk, data={"name": "x"}, old={"name": "y"})
        made.change(again, number, record)
    with django_assert_max_num_queries(25):
        assert "Older" in pages.text(browser.get(address))


def test_the_history_of_a_record_hides_imports_from_those_who_may_not_see_them(client):
    person = factories.user()
    person.user_permissions.add(factories.permission("view_syncresult"), factories.permission("view_opportunity"))
    client.force_login(person)
    imported, record = written()
    shown = pages.text(client.get(reverse("mobjects:record-history", args=["Opportunity", record.pk])))
    assert url(imported) not in shown


# --- discarding ---


def test_discarding_takes_a_post_and_is_said(browser):
    imported = made.imported()
    assert browser.get(url(imported, "import-discard")).url == url(imported)
    assert "Nothing of the file was written." in pages.text(browser.post(url(imported, "import-discard"), follow=True))
    imported.refresh_from_db()
    assert imported.state == ImportState.DISCARDED


def test_discarding_what_is_written_is_refused_in_words(browser):
    imported, _ = written()
    assert "The rows are written." in pages.text(browser.post(url(imported, "import-discard"), follow=True))
    imported.refresh_from_db()
    assert imported.state == ImportState.COMMITTED


# --- who may what ---

PAGES = ["import", "import-columns", "import-review"]
ACTIONS = ["import-discard", "import-fix", "import-write", "import-undo", "import-check"]


@pytest.mark.parametrize("name", PAGES)
def test_seeing_takes_a_permission(client, name):
    client.force_login(factories.user())
    answer = client.get(url(made.imported(), name))
    assert answer.status_code == 403
    assert "not allowed to see imports" in pages.text(answer)


@pytest.mark.parametrize("name", ["import-columns", "import-review"])
def test_rows_take_the_permission_for_their_records(client, name):
    person = factories.user()
    person.user_permissions.add(factories.permission("view_import"))
    client.force_login(person)
    imported = made.imported()
    answer = client.get(url(imported, name))
    assert answer.status_code == 403
    assert "not allowed to see opportunities" in pages.text(answer)
    assert client.get(url(imported)).status_code == 200


@pytest.mark.parametrize("name", ACTIONS)
def test_doing_takes_the_permission_to_import(groups, name):
    imported = made.imported()
    answer = pages.client("viewer").post(url(imported, name))
    assert answer.status_code == 403
    assert "not allowed to import opportunities" in pages.text(answer)
    imported.refresh_from_db()
    assert imported.state == ImportState.REVIEW


def test_changing_columns_takes_the_permission_to_import(groups):
    viewer = pages.client("viewer")
    imported = made.imported(state=ImportState.MAPPING)
    assert 'name="check"' not in pages.text(viewer.get(url(imported, "import-columns")))
    assert viewer.post(url(imported, "import-columns"), {"check": "1"}).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_people_who_are_not_logged_in_are_led_to_the_login(client, name):
    assert client.get(url(made.imported(), name)).status_code == 302


def test_an_unknown_import_is_not_found(browser):
    assert browser.get(reverse("mobjects:import", args=[2**64])).status_code == 404


# --- lists ---


def test_the_list_is_read_only_and_leads_to_the_import(browser):
    imported = made.imported(counts={"new": 3})
    shown = pages.text(browser.get(reverse("admin:mobjects_import_changelist")))
    assert "Waits for review" in shown
    assert "3 new" in shown
    answer = browser.get(reverse("admin:mobjects_import_change", args=[imported.pk]))
    assert answer["Location"] == url(imported)
    assert browser.get(reverse("admin:mobjects_import_change", args=["x"])).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"), [("q=deal", 1), ("q=nothing", 0), ("waiting=yes", 1), ("q=9" + "9" * 20, 0)]
)
def test_the_list_is_searched_and_filtered(browser, query, found):
    made.imported()
    made.imported(state=ImportState.COMMITTED, file_name="x.csv")
    page = browser.get(f"{reverse('admin:mobjects_import_changelist')}?{query}")
    assert page.context["cl"].result_count == found


def test_number_of_queries_of_the_list_does_not_grow(browser, django_assert_max_num_queries):
    for _ in range(20):
        made.imported()
    with django_assert_max_num_queries(12):
        browser.get(reverse("admin:mobjects_import_changelist"))


def test_downloads_are_listed(browser):
    imported = made.imported()
    imported.downloads.create(what="errors", kind="opportunities", format="csv", rows=3, username="bob")
    shown = pages.text(browser.get(reverse("admin:mobjects_download_changelist")))
    assert "Error file" in shown
    assert url(imported) in shown


def test_the_dashboard_tells_what_waits(browser):
    assert "wait for a person" not in pages.text(browser.get("/admin/"))
    made.imported()
    assert "1 import waits" not in pages.text(Client().get("/admin/", follow=True))
    assert "1 import waits for a person" in pages.text(browser.get("/admin/"))


@pytest.mark.parametrize(("group", "names"), [("editor", ["Import", "Import history", "Downloads"]), ("", [])])
def test_the_sidebar_shows_what_one_may_use(rf, groups, group, names):
    request = rf.get("/")
    request.user = factories.user(group=group)
    found = [entry["items"] for entry in navigation.build_navigation(request) if entry.get("title") == "Files"]
    assert [item["title"] for items in found for item in items] == names
