"""Deleting a record in a batch, or of unknown outcome, would leave an object in Marketo that nobody knows of."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from mobjects.models import Opportunity, OpportunityPersonRole
from mobjects.models.synced_record import RecordUnderWay
from tests import factories
from tests.support.concurrent import concurrently, postgresql
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]

IN_BATCH = "“Q1 2014” is in a batch right now; delete it when that is done."
NOT_ANSWERED = "“Q1 2014” was sent without an answer, so it may be in Marketo."


def claimed(record):
    type(record).objects.filter(pk=record.pk).update(claimed_by=pages.batch(pages.job()))
    return record


def unanswered(record):
    type(record).objects.filter(pk=record.pk).update(last_status="UNKNOWN")
    return record


@pytest.fixture
def record():
    return factories.opportunity()


@pytest.fixture
def browser():
    return pages.client("editor")


UNDER_WAY = pytest.mark.parametrize(("put", "words"), [(claimed, IN_BATCH), (unanswered, NOT_ANSWERED)])


@UNDER_WAY
def test_a_record_under_way_is_not_deleted(record, put, words):
    put(record)
    for delete in (factories.fresh(record).delete, Opportunity.objects.all().delete):
        with pytest.raises(RecordUnderWay, match=words):
            delete()
    assert Opportunity.objects.exists()


@UNDER_WAY
def test_an_opportunity_is_not_deleted_with_a_role_under_way(record, put, words):
    put(factories.role(record))
    for delete in (factories.fresh(record).delete, Opportunity.objects.all().delete):
        with pytest.raises(RecordUnderWay):
            delete()
    assert (Opportunity.objects.count(), OpportunityPersonRole.objects.count()) == (1, 1)


def test_what_is_not_under_way_is_deleted(record):
    factories.role(record)
    Opportunity.objects.all().delete()
    assert (Opportunity.objects.count(), OpportunityPersonRole.objects.count()) == (0, 0)


@UNDER_WAY
def test_the_page_that_asks_says_why_it_cannot_be_deleted(browser, record, put, words):
    put(record)
    address = reverse("admin:mobjects_opportunity_delete", args=[record.pk])
    assert words in pages.text(browser.get(address))
    browser.post(address, {"post": "yes"})
    assert Opportunity.objects.exists()


@UNDER_WAY
def test_the_page_that_asks_about_many_says_why_they_cannot_be_deleted(browser, record, put, words):
    put(record)
    factories.opportunity()
    chosen = {"action": "delete_selected", "_selected_action": [each.pk for each in Opportunity.objects.all()]}
    address = reverse("admin:mobjects_opportunity_changelist")
    asked = browser.post(address, chosen, follow=True)
    assert "left alone: in a batch, or with an unknown outcome" in pages.words(asked)
    done = browser.post(f"{asked.redirect_chain[-1][0]}confirm/", follow=True)
    assert "1 left alone, because they are in a batch" in pages.words(done)
    assert Opportunity.objects.get().pk == record.pk


def claim(record):
    batch = pages.batch(pages.job())
    return lambda: Opportunity.objects.filter(pk=record.pk).update(claimed_by=batch)


def test_a_record_that_was_claimed_since_the_page_was_shown_is_named(browser, record):
    address = reverse("admin:mobjects_opportunity_delete", args=[record.pk])
    seen = browser.get(address).context["seen"]
    claimed(record)
    response = browser.post(address, {"post": "yes", "seen": seen}, follow=True)
    assert IN_BATCH in pages.text(response)
    assert (Opportunity.objects.count(), LogEntry.objects.count()) == (1, 0)


@postgresql
@pytest.mark.django_db(transaction=True)
def test_while_a_record_is_being_deleted_no_batch_takes_it(record):
    with concurrently(claim(record), before='DELETE FROM "mobjects_opportunity"') as given:
        record.delete()
    assert (given, Opportunity.objects.count()) == ([0], 0)
