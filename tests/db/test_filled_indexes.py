"""Indexes that leave empty columns out are still what the engine, imports and deletions look records up by."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from mobjects.db.prepared import given_among
from mobjects.imports.validators.record_lookup import RecordLookup, prefer_index_lookups
from mobjects.models import RECORD_MODELS, Opportunity, RecordStatus
from tests import factories

pytestmark = pytest.mark.django_db

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's indexes hold empty columns, too")
CLAIMED, ID, GUID = (f"mobjects_opportunity_{column}" for column in ("claimed_by_id", "marketo_id", "marketo_guid"))
STATUS = "opportunity_last_status"
LOOKUPS = {
    "a batch": (CLAIMED, Q(claimed_by=1)),
    "batches": (CLAIMED, Q(claimed_by__in=[1, 2])),
    "batches of a job": (CLAIMED, Q(claimed_by__job=1)),
    "all batches": (CLAIMED, Q(claimed_by__isnull=False)),
    "an ID": (ID, Q(marketo_id=1)),
    "IDs": (ID, Q(marketo_id__in=[1, 2])),
    "a GUID": (GUID, Q(marketo_guid="a")),
    "GUIDs": (GUID, Q(marketo_guid__in=["a", "b"])),
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
def test_ids_are_found_by_their_index_where_the_statement_is_made_once():
    field = Opportunity._meta.get_field("marketo_id")
    listed = Opportunity.objects.filter(marketo_id__in=given_among(field))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, _ = listed.order_by().query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", ["[1, 2]"])
        assert ID in str(cursor.fetchall())


@postgresql
@pytest.mark.parametrize(("field", "values", "index"), [("marketo_id", [1], ID), ("marketo_guid", ["a"], GUID)])
def test_an_import_looks_ids_up_by_their_index(field, values, index):
    select = RecordLookup(Opportunity, (), ())._select
    with prefer_index_lookups(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {select} WHERE t.{field} = ANY(%s)", ["{" + str(values[0]) + "}"])
        assert index in str(cursor.fetchall())


@postgresql
def test_a_new_record_is_in_none_of_these_indexes():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE indexdef LIKE '%% WHERE %%') FROM pg_indexes "
            "WHERE tablename = ANY(%s) AND indexdef ~ '\\((claimed_by_id|marketo_id|marketo_guid|last_status)\\)'",
            [[model._meta.db_table for model in RECORD_MODELS.values()]],
        )
        assert cursor.fetchone() == (11, 11)


@pytest.mark.parametrize("same", [{"marketo_id": 1}, {"marketo_guid": "a"}])
def test_an_id_of_marketo_is_still_there_once(same):
    factories.opportunity(**same)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.opportunity(**same)
