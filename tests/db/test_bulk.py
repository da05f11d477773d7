"""Many rows in one statement: what is written, and that nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.db.bulk import bulk_insert_rows, bulk_update_rows
from mobjects.models import Opportunity, SyncJobState, SyncResult
from tests.factories import job_in

pytestmark = pytest.mark.django_db
NAMED = (("one", 1), ("two", None), ("three", None))
AWKWARD = {"Name": "50 % “é” \\ 'x' \U0001f600", "Zero": "0", "Line": "a\nb"}


def test_rows_get_their_own_values_and_those_that_all_share() -> None:
    first, second, _ = (Opportunity.objects.create(name=name, external_id=name, marketo_id=n) for name, n in NAMED)
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    bulk_update_rows(
        Opportunity,
        {"accepted": "%s", "marketo_id": "COALESCE(marketo_id, %s)", "last_error": "%s", "external_id": "%s"},
        [(AWKWARD, 7, "50 %", None, first.pk), ({}, 8, "", "E\"'\\", second.pk)],
        same={"last_synced_at": moment, "claimed_by": None, "last_status": "CREATED"},
    )
    names = ("accepted", "marketo_id", "last_error", "external_id", "last_synced_at", "last_status", "revision")
    found = Opportunity.objects.order_by("pk").values_list(*names)
    # Both got another key, which is content; what the engine writes is none.
    assert list(found) == [
        (AWKWARD, 1, "50 %", None, moment, "CREATED", 2),
        ({}, 8, "", "E\"'\\", moment, "CREATED", 2),
        ({}, None, "", "three", None, "", 1),
    ]


def test_rows_are_inserted_with_what_all_share() -> None:
    job, moment = job_in(SyncJobState.RUNNING), datetime(2026, 1, 2, tzinfo=UTC)
    same = {"job": job.pk, "batch": None, "kind": "Opportunity", "status": "PENDING", "error": "", "created_at": moment}
    columns = ("record_id", "label", "position", "revision", "sent", "diff", "marketo_id", "marketo_guid")
    rows = [
        (2**40, AWKWARD["Name"], 1, 3, AWKWARD, [["Name", "", AWKWARD["Name"]]], None, ""),
        (2, "", None, 1, {}, [], 5, "x"),
    ]
    bulk_insert_rows(SyncResult, same, columns, rows)
    assert list(SyncResult.objects.order_by("pk").values_list(*columns)) == rows
    assert set(SyncResult.objects.values_list("job", "status", "created_at")) == {(job.pk, "PENDING", moment)}


def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as asked:
        bulk_update_rows(Opportunity, {"last_error": "%s"}, [])
        bulk_insert_rows(SyncResult, {"job": None}, ("label",), [])
    assert not asked.captured_queries


def test_a_value_may_come_from_another_row_by_its_id() -> None:
    job = job_in(SyncJobState.RUNNING)
    record = Opportunity.objects.create(name="one", external_id="one")
    same = {"job": job, "kind": "Opportunity", "record_id": record.pk, "revision": 1}
    result = SyncResult.objects.create(**same, sent=AWKWARD)
    SyncResult.objects.create(**same, sent={"Name": "another"})
    bulk_update_rows(
        Opportunity,
        {"accepted": "(SELECT sent FROM mobjects_syncresult WHERE id = %s)"},
        [(result.pk, record.pk)],
        by_id=("accepted",),
    )
    record.refresh_from_db()
    assert record.accepted == AWKWARD
