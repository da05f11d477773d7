"""Ctrl+K: pages, actions, records, jobs and imports, as far as one may see them; nothing that is out of date."""

from __future__ import annotations

import pytest

from tests import factories
from tests.views import pages
from tests.views.imports import made_imports

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]


def found(browser, term):
    """What is found, by address."""
    shown = browser.get("/admin/search/", {"s": term, "extended": "1"})
    return {} if not shown.content else {item.link: item.title for item in shown.context["results"]}


def test_it_finds_pages_actions_records_jobs_and_imports():
    browser = pages.client()
    record = factories.opportunity(name="Acme renewal", marketo_id=123456, external_id="E-acme")
    job, imported = pages.job(reason="after the Acme call"), made_imports.imported(file_name="acme.csv")
    address = f"/admin/mobjects/opportunity/{record.pk}/change/"
    assert found(browser, "sync hist") == {"/admin/mobjects/syncjob/": "Sync history"}
    assert found(browser, "test conn") == {"/admin/connection/": "Test the connection"}
    assert found(browser, "acme").keys() == {address, pages.job_url(job), f"/admin/imports/{imported.pk}/"}
    for term in ("123456", "E-acme"):
        assert found(browser, term) == {address: "Acme renewal"}
    assert pages.job_url(job) in found(browser, str(job.pk)[:8])
    record.delete()
    assert address not in found(browser, "acme")
    assert found(browser, "  ") == found(browser, "no such thing \0") == {}


def test_it_says_so_where_nothing_fits():
    shown = pages.client().get("/admin/search/", {"s": "no <such> thing", "extended": "1"}).text
    assert "No page, action, record, job or import fits “no &lt;such&gt; thing”." in shown
    assert "/admin/mobjects/syncresult/?q=no+%3Csuch%3E+thing" in shown


def test_it_shows_nobody_what_they_may_not_see():
    factories.opportunity(name="Acme renewal")
    pages.job(reason="Acme")
    made_imports.imported(file_name="acme.csv")
    stranger = pages.client("viewer")
    assert not {words for words in found(stranger, "sync").values() if words.startswith("Sync all")}
    factories.user("nobody")
    stranger.logout()
    assert stranger.get("/admin/search/", {"s": "acme"}).status_code == 302
