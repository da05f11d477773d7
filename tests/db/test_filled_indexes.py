"""Indexes that leave empty columns out are still what the engine, imports and deletions look records up by."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.models import F, Q

from mobjects.models import RECORD_MODELS, Opportunity, RecordStatus

pytestmark = pytest.mark.django_db

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's indexes hold empty columns, too")
CLAIMED, ID, GUID = (f"mobjects_opportunity_{column}" for column in ("claimed_by_id", "marketo_id", "marketo_guid"))
STATUS = "opportunity_last_status"
LOOKUPS = {
    "a batch": (CLAIMED, Q(claimed_by=1)),
    "batches": (CLAIMED, Q(claimed_by__in=[1, 2])),
    "batches of a job": (CLAIMED, Q(claimed_by__job=1)),
    "all batches": (CLAIMED, Q(claimed_by__isnull=False)),
}


def plan_of(found) -> str:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        return str(found.order_by().explain())


@postgresql
@pytest.mark.parametrize("name", LOOKUPS)
def test_what_is_filled_is_found_by_its_index(name):
    index, condition = LOOKUPS[name]
    assert index in plan_of(Opportunity.objects.filter(condition))


@pytest.mark.parametrize("status", [RecordStatus.UNKNOWN, RecordStatus.CREATED])
def test_a_status_is_found_by_its_index(status):
    assert STATUS in plan_of(Opportunity.objects.filter(last_status=status))
    assert STATUS in plan_of(Opportunity.objects.filter(last_status__in=[status, RecordStatus.FAILED]))


@postgresql
def test_a_batch_or_what_was_lost_of_it_is_found_by_both_indexes():
    lost = Q(claimed_by=None, last_status=RecordStatus.UNKNOWN, unknown_since=F("modified_at"))
    plan = plan_of(Opportunity.objects.filter(Q(claimed_by=1) | lost))
    assert CLAIMED in plan
    assert STATUS in plan


@postgresql
@pytest.mark.parametrize(("order", "index"), [("marketo_id", ID), ("-marketo_guid", GUID)])
def test_a_list_is_sorted_by_the_index_of_an_id_that_most_have_not(order, index):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert index in Opportunity.objects.order_by(order, "-pk")[:51].explain()


@postgresql
def test_a_new_record_is_in_none_of_these_indexes():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE indexdef LIKE '%% WHERE %%') FROM pg_indexes "
            "WHERE tablename = ANY(%s) AND indexdef ~ '\\((claimed_by_id|last_status)\\)'",
            [[model._meta.db_table for model in RECORD_MODELS.values()]],
        )
        assert cursor.fetchone() == (6, 6)
