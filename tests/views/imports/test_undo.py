"""The undo of an import: shown before it is done."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import ImportChange, ImportState
from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(groups):
    return pages.client()


@pytest.fixture
def editor(groups):
    return pages.client("editor")


def url(imported, name="import-review"):
    return reverse(f"mobjects:{name}", args=[imported.pk])


def committed(count=3):
    imported = made.imported(state=ImportState.COMMITTED, committed_to=count + 1, written={"changed": count})
    records = [factories.opportunity(name=f"After {number}") for number in range(count)]
    for number, record in enumerate(records, 2):
        values = {"data": {"name": record.name}, "old": {"name": "Before"}, "record_id": record.pk}
        made.row(imported, number, "changed", **values)
        made.change(imported, number, factories.fresh(record))
    return made.count(imported), records


def test_the_undo_is_shown_before_it_is_done(editor):
    imported, records = committed()
    records[0].name = "Edited since"
    records[0].save()
    shown = pages.text(editor.get(url(imported, "import-undo")))
    assert "restore 2 records, remove 0 that the import created, and leave 1 alone" in shown
    assert "was changed since" in shown
    assert "Undo: restore 2, remove 0" in shown
    imported.refresh_from_db()
    assert imported.state == ImportState.COMMITTED


def test_each_count_leads_to_exactly_its_rows(editor):
    imported, records = committed(4)
    ImportChange.objects.filter(imported=imported, number=5).update(created=True)
    type(records[0]).objects.filter(pk=records[0].pk).update(name="Edited since")
    first = editor.get(url(imported, "import-undo"))
    tabs = pages.tree(first).xpath("//nav[@class='mo-tabs']/a")
    assert {" ".join(tab.text_content().split()): tab.get("href") for tab in tabs} == {
        "Would be restored 2": "?show=restored",
        "Would be removed 1": "?show=removed",
        "Would be left alone 1": "?show=left",
    }
    for which, numbers in {"restored": [3, 4], "removed": [5], "left": [2], "nonsense": [2]}.items():
        shown = editor.get(f"{url(imported, 'import-undo')}?show={which}")
        assert [record.number for record in shown.context["records"]] == numbers, which


def test_what_is_left_alone_is_paged(editor, django_assert_max_num_queries):
    imported, records = committed(60)
    type(records[0]).objects.update(name="Edited since")
    with django_assert_max_num_queries(15):
        assert "Page 2 of 2 (60 in all)" in pages.text(editor.get(f"{url(imported, 'import-undo')}?page=2"))


def test_the_undo_is_asked_for_once(editor):
    imported, _ = committed()
    assert "Waits for a worker to undo it." in pages.text(editor.post(url(imported, "import-undo"), follow=True))
    assert "The import is being undone." in pages.text(editor.post(url(imported, "import-undo"), follow=True))
    imported.refresh_from_db()
    assert (imported.state, imported.undone_by) == (ImportState.UNDOING, "editor-user")
    assert ImportChange.objects.filter(undone="").count() == 3


def test_nothing_to_undo_is_said(editor):
    imported = made.imported()
    assert "There is nothing to undo." in pages.text(editor.get(url(imported, "import-undo"), follow=True))
