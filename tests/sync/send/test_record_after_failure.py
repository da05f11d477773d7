"""What a record counts as after an outcome that was no success, and how it gets out of there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.audit.door import history_opened
from mobjects.models import Opportunity, RecordState, SyncResult
from mobjects.sync.marketo_settings import unknown_outcome_delay
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def sendings(sandbox) -> int:
    return sum(call.operation == "syncMObjects" for call in sandbox.calls)


def edit(record: Opportunity, **values) -> None:
    Opportunity.objects.filter(pk=record.pk).update(**values)


@pytest.mark.parametrize(("before", "stored"), [("Open", "Open"), ("", "")])
def test_an_edit_taken_back_after_an_unknown_outcome_is_taken_back_in_marketo_too(sandbox, before, stored):
    record = factories.opportunity(stage=before)
    factories.sync(record)
    edit(record, stage="Won")
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    edit(record, stage=before)
    assert factories.later(job).counts == {"UPDATED": 1}
    assert sandbox.store.opportunities[factories.fresh(record).marketo_id].values.get("Stage", "") == stored


def test_a_failed_edit_that_is_taken_back_leaves_no_failure_behind(sandbox):
    record = factories.opportunity(stage="Open")
    factories.sync(record)
    edit(record, stage="Won")
    sandbox.faults.add("bad_row", text="no such stage")
    factories.sync(record)
    edit(record, stage="Open")
    assert factories.sync(record).counts == {"EQUAL": 1}
    record = factories.fresh(record)
    assert (record.current_state, record.last_error) == (RecordState.SYNCED, "")


@pytest.mark.parametrize("fault", [{"kind": "soap", "code": "20012"}, {"kind": "cut_before"}])
def test_an_unchanged_record_sent_again_in_vain_is_left_to_be_sent(sandbox, fault):
    record = factories.opportunity()
    factories.sync(record)
    sandbox.faults.add(**fault)
    factories.sync(record, resend=True)
    assert factories.fresh(record).is_dirty


def test_a_role_waits_for_the_live_batch_of_its_opportunity(sandbox, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    opportunity = factories.opportunity()
    role = factories.role(opportunity)
    other = factories.sync(factories.opportunity())
    edit(opportunity, claimed_by=other.batches.get(), last_status="UPDATED")
    job = factories.sync(role)
    assert job.counts == {"HELD": 1}
    assert "opportunity" in job.results.get().error


@pytest.mark.parametrize("status", ["", "FAILED", "SKIPPED", "UNKNOWN"])
def test_a_role_waits_for_an_opportunity_that_may_not_be_in_marketo(sandbox, settings, status):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "ExternalOpportunityId"}
    opportunity = factories.opportunity()
    edit(opportunity, last_status=status)
    assert factories.sync(factories.role(opportunity)).counts == {"HELD": 1}
    assert sendings(sandbox) == 0


def test_writing_down_held_records_takes_no_query_for_each(sandbox):
    def queries() -> int:
        with history_opened("so that each run begins with none"):
            SyncResult.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            factories.sync(*roles)
        return len(captured)

    roles = [factories.role(factories.opportunity())]
    queries()  # The first job of all finds out which installation this is.
    few = queries()
    roles += [factories.role(factories.opportunity()) for _ in range(5)]
    assert queries() == few
    assert SyncResult.objects.filter(status="HELD").count() == len(roles)


@pytest.mark.parametrize(
    ("fault", "job_state", "record_status", "batch_state"),
    [
        ({"kind": "soap", "code": "20014"}, "stopped", "", "not_sent"),
        ({"kind": "soap", "code": "20023"}, "waiting", "", "not_sent"),
        ({"kind": "soap", "code": "10001"}, "waiting", "UNKNOWN", "unknown"),
        ({"kind": "http", "status": 502}, "waiting", "UNKNOWN", "unknown"),
        ({"kind": "http", "status": 200}, "waiting", "UNKNOWN", "unknown"),
        ({"kind": "cut_after"}, "waiting", "UNKNOWN", "unknown"),
        ({"kind": "short"}, "waiting", "UNKNOWN", "unknown"),
        ({"kind": "empty"}, "waiting", "UNKNOWN", "unknown"),
    ],
)
def test_a_fault_never_marks_as_sent_what_was_not(sandbox, fault, job_state, record_status, batch_state):
    records = [factories.opportunity(), factories.opportunity()]
    sandbox.faults.add(**fault)
    job = factories.sync(*records)
    assert job.state == job_state
    assert job.batches.get(attempt=1).state == batch_state
    for now in map(factories.fresh, records):
        assert (now.last_status, now.is_dirty) == (record_status, True)
        assert now.marketo_id is None


def test_a_lost_insert_is_looked_up_and_not_sent_again(sandbox):
    record = factories.opportunity()
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    assert sendings(sandbox) == 1
    job = factories.later(job)
    assert sendings(sandbox) == 1
    record = factories.fresh(record)
    assert (job.state, record.is_dirty, record.marketo_id) == ("succeeded", False, *sandbox.store.opportunities)


def test_an_insert_that_never_arrived_is_sent_again(sandbox):
    record = factories.opportunity()
    sandbox.faults.add("soap", code="10001")
    job = factories.later(factories.sync(record))
    assert (job.state, job.counts) == ("succeeded", {"CREATED": 1})
    assert len(sandbox.store.opportunities) == 1


def test_a_job_waits_until_marketo_can_no_longer_be_working_on_what_was_not_answered(sandbox):
    record = factories.opportunity()
    factories.sync(record)
    edit(record, stage="Won")
    sandbox.faults.add("cut_after")
    factories.sync(record)
    assert factories.sync(record).waits_until == factories.fresh(record).unknown_since + unknown_outcome_delay()


def test_an_unknown_update_is_sent_again_once_the_first_can_no_longer_run(sandbox):
    record = factories.opportunity()
    factories.sync(record)
    Opportunity.objects.update(stage="Won")
    sandbox.faults.add("cut_after")
    job = factories.sync(record)
    assert sendings(sandbox) == 2
    assert factories.sync(record).state == "waiting"
    assert sendings(sandbox) == 2
    assert factories.later(job).counts == {"UNCHANGED": 1}
