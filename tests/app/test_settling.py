"""What a record counts as after an outcome that was no success, and how it gets out of there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.models import Opportunity, State, SyncResult
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def edit(record: Opportunity, **values) -> None:
    Opportunity.objects.filter(pk=record.pk).update(**values)


@pytest.mark.parametrize(("before", "stored"), [("Open", "Open"), ("", "")])
def test_an_edit_taken_back_after_an_unknown_outcome_is_taken_back_in_marketo_too(sandbox, before, stored):
    record = factories.opportunity(stage=before)
    factories.sync(record)
    edit(record, stage="Won")
    sandbox.faults.add("cut_after")
    factories.sync(record)
    edit(record, stage=before)
    assert factories.sync(record).counts == {"UPDATED": 1}
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
    assert (record.state_now, record.last_error) == (State.SYNCED, "")


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
    edit(opportunity, claimed_by=other.batches.get())
    job = factories.sync(role)
    assert job.counts == {"HELD": 1}
    assert "opportunity" in job.results.get().error


def test_writing_down_held_records_takes_no_query_for_each(sandbox):
    def queries() -> int:
        SyncResult.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            factories.sync(*roles)
        return len(captured)

    roles = [factories.role(factories.opportunity())]
    few = queries()
    roles += [factories.role(factories.opportunity()) for _ in range(5)]
    assert queries() == few
    assert SyncResult.objects.filter(status="HELD").count() == len(roles)
