"""Lists are read from a place on: nothing is left out or shown twice, whatever they are sorted by."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.db.text_search import search_records
from mobjects.models import Opportunity, Program, SyncJob
from mobjects.views.keyset import AFTER, BEFORE, read_keyset_page
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


def walk(rows, way, size=3):
    """All pages of a list from one of its ends to the other, each in the list's order."""
    found, parameters = [], {} if way == "next" else {BEFORE: ""}
    while parameters is not None:
        page = read_keyset_page(rows, size, parameters)
        found.append([row.pk for row in page.rows])
        place = page.places.get(way)
        parameters = place and {name: value for name, value in place.items() if value is not None}
    return found


@pytest.mark.parametrize(
    "order", [("-pk",), ("amount",), ("-amount", "pk"), ("name", "pk"), ("-created_at",), ("is_won", "-amount", "name")]
)
def test_every_row_is_on_one_page_in_both_directions(order):
    for number in range(11):
        record = factories.opportunity(
            name=f"N{number % 3}", amount=[None, 1, 2, 2][number % 4], is_won=[None, True, False][number % 3]
        )
        at = record.created_at + timedelta(microseconds=number // 2)
        Opportunity.objects.filter(pk=record.pk).update(created_at=at)
    rows = Opportunity.objects.order_by(*order)
    whole = [row.pk for row in rows.order_by(*order, "-pk")]
    forward, backward = walk(rows, "next"), walk(rows, "previous")
    assert list(chain(*forward)) == whole
    assert list(chain(*reversed(backward))) == whole
    assert [len(page) for page in forward] == [3, 3, 3, 2]


@pytest.mark.parametrize("order", ["pk", "-pk"])
def test_a_narrowed_list_has_each_row_on_one_page_and_their_number(order):
    made = [factories.opportunity(name=f"N{number % 2}").pk for number in range(9)]
    rows = Opportunity.objects.filter(name="N0").order_by(order)
    whole = made[::2] if order == "pk" else made[::-2]
    assert list(chain(*walk(rows, "next", 2))) == whole
    assert list(chain(*reversed(walk(rows, "previous", 2)))) == whole
    assert [int(read_keyset_page(rows, 2, {AFTER: str(whole[2])}).count), len(whole)] == [5, 5]
    assert read_keyset_page(rows.filter(pk__in=()), 2, {}).rows == []
    assert read_keyset_page(rows.filter(name="N1"), 2, {BEFORE: ""}).rows == []
    with pytest.raises((ValueError, ValidationError)):
        read_keyset_page(rows, 2, {AFTER: "nothing"})


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite counts and reads a list by two statements")
def test_what_a_list_is_narrowed_to_is_looked_for_once():
    for _ in range(5):
        factories.opportunity(name="Deal")
    with CaptureQueriesContext(connection) as seen:
        page = read_keyset_page(search_records(Opportunity.objects.order_by("-pk"), "deal"), 2, {})
    assert (len(page.rows), int(page.count)) == (2, 5)
    assert sum("_search" in each["sql"] for each in seen) == 1


def test_a_place_shows_the_same_rows_when_others_come_in_before_or_go():
    made = [factories.opportunity() for _ in range(6)]
    place = dict(read_keyset_page(Opportunity.objects.all(), 2, {}).places["next"])
    after = {AFTER: place[AFTER]}
    shown = [row.pk for row in read_keyset_page(Opportunity.objects.all(), 2, after).rows]
    factories.opportunity()
    made[4].delete()  # The row that the place is about.
    assert [row.pk for row in read_keyset_page(Opportunity.objects.all(), 2, after).rows] == shown


@pytest.mark.parametrize(
    ("parameters", "order"),
    [({AFTER: "x"}, "-pk"), ({AFTER: "[1]"}, "name"), ({AFTER: "1"}, "name"), ({BEFORE: '["a", "b"]'}, "amount")],
)
def test_an_address_that_names_no_place_is_refused(parameters, order):
    with pytest.raises((ValueError, ValidationError)):
        read_keyset_page(Opportunity.objects.order_by(order), 2, parameters)


def test_the_list_leads_to_its_other_rows_and_forgets_the_place_in_another_filter(groups):
    Program.objects.bulk_create(Program(name=f"P{number:03}", marketo_id=number + 1) for number in range(120))
    browser = pages.client()
    address = reverse("admin:mobjects_program_changelist")
    seen, links = [], {"next": address}
    while "next" in links:
        page = browser.get(address + links["next"].removeprefix(address))
        changes = page.context["cl"]
        seen += [row.name for row in changes.result_list]
        links = changes.places
    assert seen == [f"P{number:03}" for number in range(120)]
    assert set(links) == {"first", "previous"}
    assert changes.result_count.words == "120"
    assert "after" not in changes.get_query_string({"state": "never"})
    assert 'name="after"' not in page.content.decode()
    assert browser.get(address, {AFTER: "no place"}).status_code == 302


def test_a_list_is_light_and_takes_few_queries(groups):
    Opportunity.objects.bulk_create(
        Opportunity(name=f"Renewal {number}", external_id=f"E-{number}", stage="Negotiation") for number in range(60)
    )
    browser = pages.client()
    address = reverse("admin:mobjects_opportunity_changelist")
    for query in ({}, {"q": "Renewal"}, {"state": "never"}, {AFTER: "999999"}):
        with CaptureQueriesContext(connection) as queries:
            page = browser.get(address, query)
        assert page.content.count(b'name="_selected_action"') == 50
        assert len(page.content) < 150_000
        assert len(queries) <= 12


def test_the_history_is_read_from_a_place_on_as_well(groups):
    SyncJob.objects.bulk_create(SyncJob(kind="Program", username=f"u{number}") for number in range(60))
    browser = pages.client()
    address = reverse("admin:mobjects_syncjob_changelist")
    first = browser.get(address).context["cl"]
    second = browser.get(address + first.places["next"]).context["cl"]
    assert len({job.pk for job in [*first.result_list, *second.result_list]}) == 60
