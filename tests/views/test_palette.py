"""Ctrl+K: pages, actions, records, jobs and imports, as far as one may see them; nothing that is out of date."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mobjects.models import SyncJobAction
from mobjects.presentation.job_titles import job_title
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


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_the_newest_jobs_are_found_by_their_title(zone):
    browser = pages.client()
    browser.cookies["time_zone"] = zone
    sent = pages.job(planned=1412, counts={"CREATED": 1412})
    pulled = pages.job(action=SyncJobAction.PULL, kind="Program")
    with timezone.override(zone):
        title = job_title(sent)
    for term in ("Sync of 1,412", "sync of 1412", "1412 opp"):
        assert found(browser, term) == {pages.job_url(sent): title}
    assert list(found(browser, "pull of programs")) == [pages.job_url(pulled)]
    assert found(browser, "Sync of 41 roles") == {}
    stranger = factories.user("records-only", group=None)
    stranger.is_staff = True
    stranger.save()
    browser.force_login(stranger)
    assert found(browser, "1412 opp") == {}


def test_titles_are_gone_through_in_one_statement_of_bounded_rows():
    browser = pages.client()

    def statements():
        with CaptureQueriesContext(connection) as caught:
            browser.get("/admin/search/", {"s": "sync of"})
        return [query["sql"] for query in caught]

    pages.job(action=SyncJobAction.DESCRIBE)
    statements()
    few = statements()
    for _ in range(9):
        pages.job(planned=2)
    many = statements()
    assert len(many) == len(few)
    assert [sql for sql in many if "LIMIT 300" in sql]


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
