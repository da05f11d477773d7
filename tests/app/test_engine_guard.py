"""The engine does not take a transport's word: an answer that does not fit the batch is an unknown outcome."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects import jobs
from mobjects.marketo.contract import Answer, Exchange, Kind, Outcome, Status
from mobjects.marketo.errors import OutcomeUnknown
from mobjects.models import Opportunity
from mobjects.sync import engine
from mobjects.sync.payloads import KeyFields
from mobjects.sync.selection import PART, Selection
from tests import factories

pytestmark = pytest.mark.django_db


class Answering:
    """A transport that answers every batch with the same rows."""

    name = endpoint = user_id = ""

    def __init__(self, *rows: Outcome) -> None:
        self.rows = rows

    def limit(self, kind, operation) -> int:
        return 100

    def problem(self, record, operation) -> str:
        return ""

    def send(self, batch) -> Answer:
        return Answer(self.rows, Exchange(request=""))


@pytest.mark.parametrize(
    "rows",
    [
        [Outcome(Status.UPDATED, 71)],
        [Outcome(Status.UPDATED, 71), Outcome(Status.UPDATED, 72), Outcome(Status.UPDATED, 73)],
        [Outcome(Status.UPDATED, 72), Outcome(Status.UPDATED, 71)],
    ],
    ids=["too few", "too many", "in another order"],
)
def test_rows_that_do_not_fit_the_records_are_an_unknown_outcome(rows):
    records = [factories.opportunity(marketo_id=number) for number in (71, 72)]
    job = jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))
    with pytest.raises(OutcomeUnknown):
        engine.run(job, Answering(*rows), KeyFields())
    assert [(each.last_status, each.is_dirty) for each in map(factories.fresh, records)] == [("UNKNOWN", True)] * 2
    assert job.counts == {"UNKNOWN": 2}


def test_an_id_given_to_two_new_records_is_taken_by_neither():
    records = [factories.opportunity() for _ in range(2)]
    job = jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))
    engine.run(job, Answering(*[Outcome(Status.CREATED, 71)] * 2), KeyFields())
    assert [(each.last_status, each.marketo_id) for each in map(factories.fresh, records)] == [("FAILED", None)] * 2


def test_a_record_that_was_never_accepted_stays_so_when_it_fails():
    record = factories.opportunity()
    type(record).objects.update(stage="Open")
    job = jobs.create_job(Selection(kinds=(Kind.OPPORTUNITY,)))
    engine.run(job, Answering(Outcome(Status.FAILED, message="no")), KeyFields())
    record = factories.fresh(record)
    assert (record.revision, record.synced_revision) == (2, 0)


def test_one_record_that_may_not_be_sent_does_not_stop_the_others(marketo_settings):
    good, bad = (factories.program(marketo_id=number, name=f"Program {number}") for number in (1001, 1002))
    factories.cost(good)
    # Past the checks of forms and imports, as SQL from outside would be.
    factories.cost(bad, marketo_cost_id=0)
    job = factories.sync(kinds=(Kind.PROGRAM,))
    assert dict(job.results.values_list("label", "status")) == {"Program 1001": "UPDATED", "Program 1002": "HELD"}
    assert "Cost ID 0 is not between 1 and" in job.results.get(status="HELD").error
    assert factories.fresh(bad).claimed_by is None


def test_a_long_selection_goes_out_in_parts_and_full_batches(marketo_settings, settings):
    opportunities = Opportunity.objects.bulk_create(
        Opportunity(external_id=f"L-{number}", name=f"Deal {number}") for number in range(PART + 100)
    )
    job = factories.sync(*opportunities)
    assert (job.planned, job.counts) == (PART + 100, {"CREATED": PART + 100})
    assert {batch.size for batch in job.batches.all()} == {100}


def test_the_history_of_a_record_needs_its_permission(client):
    client.force_login(factories.user("nobody"))
    record = factories.opportunity()
    assert client.get(reverse("mobjects:record-history", args=["Opportunity", record.pk])).status_code == 403


def test_a_cost_with_an_unknown_outcome_is_not_added_twice(marketo_settings, sandbox):
    known = len(sandbox.store.programs[1001].costs)
    factories.cost(factories.program())
    sandbox.faults.add("cut_after")
    factories.sync()
    assert factories.sync().counts == {"HELD": 1}
    assert len(sandbox.store.programs[1001].costs) == known + 1


def test_what_an_insert_creates_is_not_sent_again_in_the_same_job(marketo_settings, sandbox):
    # With "send unchanged too" a created record still matches, now as an UPDATE.
    factories.sync(factories.opportunity(), resend=True)
    assert [call.sync_operation for call in sandbox.calls] == ["INSERT"]
