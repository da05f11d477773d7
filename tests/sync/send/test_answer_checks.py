"""The engine does not take a transport's word: an answer that does not fit the batch is an unknown outcome."""

from __future__ import annotations

from itertools import count

import pytest
from django.urls import reverse

from mobjects.jobs.requests import create_sync_job
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import BatchResponse, Exchange, Kind, Operation, OutcomeStatus, RecordOutcome
from mobjects.models import Opportunity, SyncJobState, SyncResult, SyncResultStatus
from mobjects.sync import job_results
from mobjects.sync.send import claims, task
from mobjects.sync.send.selection import PART_SIZE, SyncSelection
from tests import factories

pytestmark = pytest.mark.django_db


class Answering:
    """A transport that answers every batch with the same rows."""

    name = endpoint = caller = ""

    def __init__(self, *rows: RecordOutcome) -> None:
        self.rows = rows

    def limit(self, kind, operation) -> int:
        return 100

    def problem(self, record, operation) -> str:
        return ""

    def send(self, batch) -> BatchResponse:
        return BatchResponse(self.rows, Exchange(request=""))


class Refusing(Answering):
    """Refuses every batch that holds one of these names, and creates what is in the others."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names
        self.sizes: list[int] = []
        self.ids = count(71)

    def send(self, batch) -> BatchResponse:
        self.sizes.append(len(batch.records))
        if any(record.values["Name"] in self.names for record in batch.records):
            raise Rejected("A parameter is bad.", code="20110", exchange=Exchange(request="<sent/>"))
        return BatchResponse(
            [RecordOutcome(OutcomeStatus.CREATED, next(self.ids)) for _ in batch.records], Exchange(request="")
        )


def test_a_refused_batch_is_halved_until_the_bad_record_stands_alone():
    records = [factories.opportunity(name=f"Deal {number}") for number in range(5)]
    transport = Refusing("Deal 1")
    job = factories.work(create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,))), transport=transport)
    assert (job.state, job.counts) == (SyncJobState.PROBLEMS, {"CREATED": 4, "FAILED": 1})
    now = [factories.fresh(record) for record in records]
    assert [record.last_status for record in now] == ["CREATED", "FAILED", "CREATED", "CREATED", "CREATED"]
    assert [record.claimed_by for record in now] == [None] * 5
    assert transport.sizes == [5, 2, 3, 1, 2, 1, 1]
    halves = job.batches.exclude(part_of=None).order_by("sequence").values_list("part_of__sequence", flat=True)
    assert list(halves) == [1, 1, 2, 2, 4, 4]


def test_a_job_whose_every_call_is_refused_stops_instead_of_halving_on():
    names = [f"Deal {number}" for number in range(100)]
    for name in names:
        factories.opportunity(name=name)
    transport = Refusing(*names)
    job = factories.work(create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,))), transport=transport)
    assert (job.state, len(transport.sizes)) == (SyncJobState.STOPPED, task.REFUSED_IN_A_ROW)
    assert "A parameter is bad." in job.problem_text
    assert not Opportunity.objects.exclude(claimed_by=None).exists()
    assert Opportunity.objects.dirty().count() == 100


@pytest.mark.parametrize(
    "rows",
    [
        [RecordOutcome(OutcomeStatus.UPDATED, 71)],
        [
            RecordOutcome(OutcomeStatus.UPDATED, 71),
            RecordOutcome(OutcomeStatus.UPDATED, 72),
            RecordOutcome(OutcomeStatus.UPDATED, 73),
        ],
        [RecordOutcome(OutcomeStatus.UPDATED, 72), RecordOutcome(OutcomeStatus.UPDATED, 71)],
    ],
    ids=["too few", "too many", "in another order"],
)
def test_rows_that_do_not_fit_the_records_are_an_unknown_outcome(rows):
    records = [factories.opportunity(marketo_id=number) for number in (71, 72)]
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    factories.work(job, transport=Answering(*rows))
    assert [(each.last_status, each.is_dirty) for each in map(factories.fresh, records)] == [("UNKNOWN", True)] * 2
    assert job.counts == {"UNKNOWN": 2}


def test_an_id_given_to_two_new_records_is_taken_by_neither():
    records = [factories.opportunity() for _ in range(2)]
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    factories.work(job, transport=Answering(*[RecordOutcome(OutcomeStatus.CREATED, 71)] * 2))
    assert [(each.last_status, each.marketo_id) for each in map(factories.fresh, records)] == [("FAILED", None)] * 2


def test_a_record_that_was_never_accepted_stays_so_when_it_fails():
    record = factories.opportunity()
    type(record).objects.update(stage="Open")
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    factories.work(job, transport=Answering(RecordOutcome(OutcomeStatus.FAILED, message="no")))
    record = factories.fresh(record)
    assert (record.revision, record.synced_revision) == (2, 0)


def test_one_record_that_may_not_be_sent_does_not_stop_the_others(marketo_settings):
    good, bad = (factories.program(marketo_id=number, name=f"Program {number}") for number in (1001, 1002))
    factories.cost(good)
    # Past the checks of forms and imports, as SQL from outside would be.
    factories.cost(bad, marketo_cost_id=0)
    job = factories.sync(kinds=(Kind.PROGRAM,))
    ends = job.results.exclude(status__in=SyncResult.PASSING_STATUSES).values_list("label", "status")
    assert dict(ends) == {"Program 1001": "UPDATED", "Program 1002": "HELD"}
    assert "Cost ID 0 is not between 1 and" in job.results.get(status="HELD").error
    assert factories.fresh(bad).claimed_by is None


@pytest.mark.timeout(360)  # 17 s on PostgreSQL where nothing else runs
def test_a_long_selection_goes_out_in_parts_and_full_batches(marketo_settings, settings):
    opportunities = Opportunity.objects.bulk_create(
        Opportunity(external_id=f"L-{number}", name=f"Deal {number}") for number in range(PART_SIZE + 100)
    )
    job = factories.sync(*opportunities)
    assert (job.planned, job.counts) == (PART_SIZE + 100, {"CREATED": PART_SIZE + 100})
    assert {batch.size for batch in job.batches.all()} == {100}


def test_the_history_of_a_record_needs_its_permission(client):
    client.force_login(factories.user("nobody"))
    record = factories.opportunity()
    assert client.get(reverse("mobjects:record-history", args=["Opportunity", record.pk])).status_code == 403


def test_a_cost_with_an_unknown_outcome_is_not_added_twice(marketo_settings, sandbox):
    known = len(sandbox.store.programs[1001].costs)
    factories.cost(factories.program())
    sandbox.faults.add("cut_after")
    job = factories.sync()
    assert factories.sync().state == SyncJobState.WAITING
    assert len(sandbox.store.programs[1001].costs) == known + 1
    assert factories.later(job).counts == {"UPDATED": 1}
    assert len(sandbox.store.programs[1001].costs) == known + 1


def test_what_an_insert_creates_is_not_sent_again_in_the_same_job(marketo_settings, sandbox):
    # With "send unchanged too" a created record still matches, now as an UPDATE.
    factories.sync(factories.opportunity(), resend=True)
    assert [call.sync_operation for call in sandbox.calls] == ["INSERT"]


def test_a_record_that_has_its_result_in_this_job_by_the_time_its_batch_begins_is_let_go(marketo_settings, sandbox):
    record = factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,), resend=True))
    here = factories.context(job)
    batch, _ = claims.claim_batch(
        here, Kind.OPPORTUNITY, Operation.INSERT, SyncSelection(resend=True), after=0, limit=9
    )
    job_results.build_result(job, record, SyncResultStatus.CREATED).save()
    assert claims.start_batch(here, batch, SyncSelection(resend=True)) == claims.StartedBatch(None, ())
    assert factories.fresh(record).claimed_by is None


def test_a_batch_of_a_worker_that_waits_is_left_to_it_and_to_others_once_it_is_gone(marketo_settings, sandbox):
    factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    first, second = factories.context(job), factories.context(job)
    claims.claim_batch(first, Kind.OPPORTUNITY, Operation.INSERT, SyncSelection(), after=0, limit=9)
    assert not task.SendTask(second).step()
    first.lease.delete()
    assert task.SendTask(second).step()
    assert len(sandbox.calls) == 1


@pytest.mark.django_db
def test_a_change_made_in_marketo_meanwhile_is_not_overwritten_where_it_is_read_first(sandbox, marketo_settings):
    disputed, free = (factories.opportunity(name=name, stage="Open") for name in ("disputed", "free"))
    factories.sync()
    Opportunity.objects.update(stage="Won")
    sandbox.store.opportunities[factories.fresh(disputed).marketo_id].values["Stage"] = "Lost"
    job = factories.sync(disputed, free, read_first=True)
    assert job.counts == {"UPDATED": 1, "HELD": 1}
    assert "person has to decide" in job.results.get(status="HELD").error
    assert sandbox.store.opportunities[factories.fresh(disputed).marketo_id].values["Stage"] == "Lost"
    assert sandbox.store.opportunities[factories.fresh(free).marketo_id].values["Stage"] == "Won"
