"""The page that lists who did what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.audit.events import record_event
from mobjects.models import AuditEvent, EventKind
from tests import factories
from tests.support.rewriting import remove_rows
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]

URL = "/admin/audit/"


@pytest.fixture
def auditor() -> Client:
    """Somebody with that right and no other."""
    person: User = factories.user("auditor")
    person.user_permissions.add(factories.permission("view_auditevent"))
    browser = Client()
    browser.force_login(person)
    remove_rows(AuditEvent)
    return browser


@pytest.mark.parametrize("group", ["viewer", "editor", "operator"])
def test_it_takes_a_right_of_its_own(group):
    browser = pages.client(group)
    assert browser.get(URL).status_code == 403
    assert ">Audit<" not in pages.text(browser.get("/admin/"))


def test_it_is_empty_in_words_and_stands_in_the_menu(auditor):
    page = auditor.get(URL)
    assert "Nothing was recorded yet." in pages.words(page)
    assert "Audit" in pages.words(auditor.get("/admin/"))


def test_it_shows_who_what_when_where_and_leads_to_it(auditor):
    job = pages.job()
    record_event(EventKind.PAUSED, on=job, username="alice")
    record_event(EventKind.PAYLOAD_DOWNLOADED, words="batch 1", username="bob", detail={"part": "request"})
    page = auditor.get(URL)
    words = pages.words(page)
    assert words.index("Payload downloaded bob") < words.index("Paused alice")
    assert "part: request" in words
    assert pages.job_url(job) in pages.text(page)


def test_it_is_narrowed_by_kind_person_object_and_day(auditor):
    job = pages.job()
    record_event(EventKind.PAUSED, on=job, username="alice")
    record_event(EventKind.RESUMED, on=job, username="bob")
    record_event(EventKind.SIGNED_IN, username="alice")

    def shown(query: str) -> set[str]:
        return {cell.text for cell in pages.tree(auditor.get(URL + query)).xpath("//tbody//th")}

    assert shown("?kind=paused") == {"Paused"}
    assert shown("?person=alice") == {"Paused", "Signed in"}
    assert shown(f"?model=syncjob&object={job.pk}") == {"Paused", "Resumed"}
    assert shown("?since=2999-01-01") == set()
    assert shown("?until=2999-01-01&kind=resumed") == {"Resumed"}
    assert "No event fits." in pages.words(auditor.get(f"{URL}?kind=%00nonsense"))
    assert auditor.get(f"{URL}?after=nonsense").status_code == 302


def test_it_goes_on_page_by_page_without_more_queries(auditor):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            auditor.get(URL)
        return len(caught)

    record_event(EventKind.SIGNED_IN, username="p0")
    queries()
    few = queries()
    for number in range(1, 120):
        record_event(EventKind.SIGNED_IN, username=f"p{number}")
    page = auditor.get(URL)
    assert queries() <= few + 1  # and how many there are
    seen = 0
    while page is not None:
        tree = pages.tree(page)
        seen += len(tree.xpath("//tbody/tr"))
        further = tree.xpath("//a[@rel='next']/@href")
        page = auditor.get(URL + further[0]) if further else None
    assert seen == 120


def test_the_page_of_a_job_says_who_steered_it():
    job = pages.job(state="queued")
    browser = pages.client()
    browser.post(reverse("mobjects:job-pause", args=[job.pk]))
    assert "Paused operator-user" in pages.words(browser.get(pages.job_url(job)))
