"""Queries that are asked again and again are made into SQL once, and answer as they would anew."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import Exists, OuterRef

from mobjects.db.prepared import PreparedQueries, given
from mobjects.models import Opportunity, SyncResult

pytestmark = pytest.mark.django_db


@pytest.fixture
def records():
    return [Opportunity.objects.create(name=name, external_id=name) for name in ("one", "two", "three")]


def after():
    return Opportunity.objects.filter(pk__gt=given()).order_by("pk").values_list("name")


def test_the_same_query_answers_for_each_value_and_for_what_is_there_by_now(records):
    queries = PreparedQueries()
    first, second, _ = records
    assert list(queries.ask("after", after, first.pk)) == [("two",), ("three",)]
    assert list(queries.ask("after", after, second.pk)) == [("three",)]
    Opportunity.objects.filter(pk=records[2].pk).update(name="four")
    assert list(queries.ask("after", after, second.pk)) == [("four",)]


def test_a_query_is_made_once_and_anew_where_that_is_asked_for(records):
    queries, made = PreparedQueries(), []

    def make():
        made.append(len(made))
        return after()

    for anew in (False, False, True):
        list(queries.ask("after", make, 0, anew=anew))
    assert made == [0, 1]


def test_records_are_as_django_reads_them_with_what_they_are_annotated_with(records):
    (record, *_) = records
    values = {
        "amount": Decimal("12.50"),
        "close_date": date(2026, 1, 2),
        "external_created_date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "accepted": {"Name": "é"},
        "is_won": True,
    }
    Opportunity.objects.filter(pk=record.pk).update(**values)

    def make():
        results = SyncResult.objects.filter(record_id=OuterRef("pk"))
        found = Opportunity.objects.filter(pk=given()).defer("last_error")
        return found.annotate(ended=Exists(results))

    (found,) = PreparedQueries().ask_records("one", make, record.pk)
    assert {name: getattr(found, name) for name in values} == values
    assert (found, found.ended, found.last_error) == (record, False, "")
    found.name = "changed"
    found.save()
    assert Opportunity.objects.get(pk=record.pk).name == "changed"
