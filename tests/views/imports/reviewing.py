"""An import that waits for review, its page, and what a person does there."""

from __future__ import annotations

from django.urls import reverse

from tests import factories
from tests.views import pages
from tests.views.imports import made_imports as made


def url(imported, name="import-review"):
    return reverse(f"mobjects:{name}", args=[imported.pk])


def seen(browser, imported, query=""):
    return pages.text(browser.get(url(imported) + query))


def mixed():
    imported = made.imported()
    known = factories.opportunity()
    made.row(imported, 2, "new", data={"external_id": "A", "name": "Alpha", "custom_attributes": {"Region": "EMEA"}})
    values = {"data": {"name": "New"}, "old": {"name": "Old"}, "record_id": known.pk}
    made.row(imported, 3, "changed", **values)
    made.row(imported, 4, "unchanged", record_id=known.pk)
    made.row(imported, 5, "error")
    made.problem(imported, 5, suggestion="12.5")
    made.group(imported, suggestion="12.5", first=5)
    made.row(imported, 6, "conflict", **values)
    made.problem(imported, 6, level="conflict", column="Name", position=2, value="New", rule="Would overwrite “Mine”.")
    return made.count(imported)


def fix(browser, imported, **data):
    answer = browser.post(url(imported, "import-fix"), data, follow=True)
    imported.refresh_from_db()
    return pages.text(answer)


def write(browser, imported, **data):
    stamp = browser.get(url(imported)).context["write"]["stamp"]
    answer = browser.post(url(imported, "import-write"), {"checked": stamp, **data}, follow=True)
    imported.refresh_from_db()
    return pages.text(answer)
