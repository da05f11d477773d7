"""Deleting in Marketo: roles before their opportunity, here only what is gone there, and safe to be cut off."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs.job_lease import expire_job
from mobjects.jobs.requests import create_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import BatchResponse, Exchange, Kind, OutcomeStatus, RecordOutcome
from mobjects.models import (
    Conflict,
    Opportunity,
    OpportunityPersonRole,
    RecordStatus,
    SyncBatchState,
    SyncJobAction,
    SyncJobState,
    SyncResult,
    WorkerLease,
    records_of_kind,
)
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.delete.task import KEPT_HERE, DeleteTask, records_to_delete, revisions_to_delete
from tests import factories
from tests.support.meanwhile import SlowMarketo
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]


def new_job(*rows):
    """A job that deletes these records (of one kind)."""
    kind = rows[0].KIND.value
    selection = {"kind": kind, "ids": [row.pk for row in rows]}
    return create_job(SyncJobAction.DELETE, kind, selection)


def delete(*rows):
    job = new_job(*rows)
    run_job(job)
    job.refresh_from_db()
    return job


def sent(*rows):
    """The records, as Marketo has them too."""
    for row in rows:
        factories.sync(row)
    return [factories.fresh(row) for row in rows]


def deal(name="Q1 2014", roles=1):
    (parent,) = sent(factories.opportunity(name=name))
    return parent, sent(*(factories.role(parent, person_id=19 + number) for number in range(roles)))


def results(job):
    return sorted(job.results.values_list("kind", "status"))


def in_marketo(sandbox):
    return len(sandbox.store.opportunities), len(sandbox.store.roles)


def test_an_opportunity_goes_with_its_roles_in_marketo_and_here(sandbox):
    parent, _ = deal(roles=2)
    deal(name="Stays")
    job = delete(parent)
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"DELETED": 3})
    assert in_marketo(sandbox) == (1, 1)
    assert [str(each) for each in Opportunity.objects.all()] == ["Stays"]
    assert OpportunityPersonRole.objects.count() == 1


def test_roles_are_deleted_before_their_opportunity():
    job = delete(deal()[0])
    calls = job.batches.order_by("sequence").values_list("kind", "operation", "state", "size")
    assert list(calls) == [
        ("OpportunityPersonRole", "DELETE", "answered", 1),
        ("Opportunity", "DELETE", "answered", 1),
    ]


def test_a_role_goes_alone(sandbox):
    parent, (first, second) = deal(roles=2)
    delete(first)
    assert in_marketo(sandbox) == (1, 1)
    assert list(OpportunityPersonRole.objects.all()) == [second]
    assert Opportunity.objects.get() == parent


def test_what_marketo_no_longer_has_is_deleted_here_and_the_history_says_so(sandbox):
    parent, _ = deal(roles=0)
    sandbox.store.opportunities.clear()
    job = delete(parent)
    assert job.results.get().error == "Marketo no longer had it."
    assert not Opportunity.objects.exists()


def test_what_was_never_sent_is_not_chosen_and_stays():
    never = factories.opportunity()
    job = delete(never)
    assert (job.counts, job.batches.count()) == ({}, 0)
    assert factories.fresh(never) == never


def test_an_opportunity_stays_while_one_of_its_roles_cannot_be_deleted(sandbox):
    parent, (role,) = deal()
    sandbox.faults.add("bad_row", operation="deleteMObjects", row=0, text="locked")
    job = delete(parent)
    assert job.state == SyncJobState.PROBLEMS
    assert results(job) == [("Opportunity", "HELD"), ("OpportunityPersonRole", "FAILED")]
    assert job.results.get(status="FAILED").error == "locked"
    assert in_marketo(sandbox) == (1, 1)
    assert (factories.fresh(parent), factories.fresh(role)) == (parent, role)


def test_a_record_in_a_batch_of_another_job_is_held_and_let_be():
    parent, _ = deal(roles=0)
    other = pages.batch(pages.job(), state=SyncBatchState.SENDING)
    records_of_kind(Kind.OPPORTUNITY).filter(pk=parent.pk).update(claimed_by=other)
    job = delete(parent)
    assert results(job) == [("Opportunity", "HELD")]
    assert factories.fresh(parent).claimed_by == other


def test_an_opportunity_waits_for_a_role_of_which_nobody_knows_whether_it_arrived():
    parent, _ = deal(roles=0)
    lost = factories.role(parent)
    records_of_kind(Kind.ROLE).filter(pk=lost.pk).update(last_status=RecordStatus.UNKNOWN, unknown_since=timezone.now())
    job = delete(parent)
    assert results(job) == [("Opportunity", "HELD")]
    assert Opportunity.objects.exists()


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_stays(sandbox):
    parent, _ = deal()
    sandbox.faults.add("cut_after", operation="deleteMObjects")
    job = factories.later(delete(parent))
    assert job.state == SyncJobState.SUCCEEDED
    assert in_marketo(sandbox) == (0, 0)
    assert results(job) == [
        ("Opportunity", "DELETED"),
        ("OpportunityPersonRole", "DELETED"),
        ("OpportunityPersonRole", "RETRIED"),
    ]
    assert not OpportunityPersonRole.objects.exists()


def test_a_worker_that_dies_while_it_deletes_leaves_nothing_undone(sandbox):
    parent, _ = deal(roles=0)
    job = new_job(parent)
    here = factories.context(job, transport=Dying())
    with pytest.raises(KeyboardInterrupt):
        DeleteTask(here).step()
    sandbox.store.opportunities.clear()
    expire_job(WorkerLease.objects.get(job=job), Q())
    assert factories.fresh(parent).last_status == parent.last_status
    job.refresh_from_db()
    run_job(job)
    job.refresh_from_db()
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"DELETED": 1})
    assert not Opportunity.objects.exists()


def test_records_that_another_job_takes_at_the_last_moment_leave_no_open_call():
    parent, _ = deal(roles=0)
    job = new_job(parent)
    other = pages.batch(pages.job(), state=SyncBatchState.SENDING)
    here = factories.context(job, rate_limiter=Meanwhile(parent, other))
    assert DeleteTask(here).step()
    assert not job.batches.exists()


def seen(job):
    """The job as the page makes it: it knows what was shown."""
    job.selection["revisions"] = revisions_to_delete(job.selection, KeyFields().id_column)
    job.save()
    return job


def test_what_was_changed_since_it_was_asked_for_is_held_back(sandbox):
    one, two = sent(factories.opportunity(name="One"), factories.opportunity(name="Two"))
    job = seen(new_job(one, two))
    Opportunity.objects.filter(pk=one.pk).update(stage="Won")
    run_job(job)
    assert {row.label: row.status for row in job.results.all()} == {"One": "HELD", "Two": "DELETED"}
    assert "changed here since its deletion was asked for" in job.results.get(label="One").error
    assert [record.name for record in Opportunity.objects.all()] == ["One"]
    assert in_marketo(sandbox) == (1, 0)


def test_an_opportunity_whose_unsent_role_was_changed_since_is_held_back():
    (parent,) = sent(factories.opportunity())
    factories.role(parent)
    job = seen(new_job(parent))
    OpportunityPersonRole.objects.update(role="Other")
    run_job(job)
    assert [row.status for row in job.results.all()] == ["HELD"]
    assert OpportunityPersonRole.objects.exists()


def test_what_was_changed_while_marketo_deleted_it_stays_here_and_says_so():
    (record,) = sent(factories.opportunity())
    job = seen(new_job(record))

    def edit(_):
        Opportunity.objects.update(stage="Won")

    here = factories.context(job, transport=SlowMarketo(edit))
    assert DeleteTask(here).step()
    (row,) = job.results.all()
    assert (row.status, row.error) == ("DELETED", KEPT_HERE)
    assert factories.fresh(record).stage == "Won"


def test_the_rows_of_an_answer_land_on_their_own_records():
    rows = sent(*(factories.opportunity(name=name) for name in "ABC"))
    job = new_job(*rows)
    answers = [
        RecordOutcome(OutcomeStatus.DELETED, rows[0].marketo_id),
        RecordOutcome(OutcomeStatus.FAILED, None, "no"),
        RecordOutcome(OutcomeStatus.DELETED),
    ]
    task = DeleteTask(factories.context(job, transport=Answering(answers)))
    assert task.step()
    assert not task.step()
    assert [each.name for each in Opportunity.objects.all()] == ["B"]
    assert dict(job.results.values_list("label", "status")) == {"A": "DELETED", "B": "FAILED", "C": "DELETED"}


def test_what_had_to_be_decided_about_a_deleted_record_is_closed():
    (record,) = sent(factories.opportunity())
    Conflict.objects.create(kind=Kind.OPPORTUNITY, record_id=record.pk, label="Q1", reason="both")
    delete(record)
    assert Conflict.objects.get().answer_text == "The record was deleted here."


def test_more_than_a_call_takes_go_in_several_calls(sandbox):
    rows = [factories.opportunity(marketo_id=number) for number in range(1, 102)]
    job = delete(*rows)
    assert sorted(job.batches.values_list("size", flat=True)) == [1, 100]
    assert not Opportunity.objects.exists()


def test_roles_are_chosen_with_their_opportunity_only_if_that_is_in_marketo():
    parent = factories.opportunity(marketo_id=71)
    role = factories.role(parent, marketo_id=81)
    factories.role(factories.opportunity(), marketo_id=82)
    ids = list(Opportunity.objects.values_list("pk", flat=True))
    column = KeyFields().id_column
    assert list(records_to_delete(Kind.ROLE, {"kind": "Opportunity", "ids": ids}, column)) == [role]
    assert list(records_to_delete(Kind.OPPORTUNITY, {"kind": "OpportunityPersonRole", "ids": ids}, column)) == []


def test_a_job_that_was_cut_off_tells_each_try_in_the_history():
    parent, _ = deal(roles=0)
    job = new_job(parent)
    with pytest.raises(KeyboardInterrupt):
        DeleteTask(factories.context(job, transport=Dying())).step()
    expire_job(WorkerLease.objects.get(job=job), Q())
    assert SyncResult.objects.get(job=job).status == "RETRIED"
    assert job.batches.get().state == SyncBatchState.UNKNOWN


class Dying:
    """A transport that takes its process with it."""

    delete_limit = 100

    def delete(self, kind, ids):
        raise KeyboardInterrupt


class Answering(Dying):
    """A transport that gives the same outcomes to every call."""

    def __init__(self, outcomes):
        self.outcomes = outcomes

    def delete(self, kind, ids):
        return BatchResponse(self.outcomes, Exchange(request=""))


class Meanwhile(factories.Unlimited):
    """Permission for everything; while it is asked for, another job takes a record."""

    def __init__(self, record, batch):
        self.record, self.batch = record, batch

    def permit_call(self):
        records_of_kind(self.record.KIND).filter(pk=self.record.pk).update(claimed_by=self.batch)
        return super().permit_call()


def test_what_is_being_deleted_is_in_no_other_batch():
    parent, _ = deal(roles=0)
    claimed = []
    here = factories.context(
        new_job(parent), transport=SlowMarketo(lambda answer: claimed.append(factories.fresh(parent).claimed_by))
    )
    DeleteTask(here).step()
    assert claimed == [here.job.batches.get()]


def test_what_marketo_deleted_stays_here_until_its_answer_is_saved():
    parent, _ = deal(roles=0)

    def broken(execute, sql, params, many, context):
        if sql.startswith('UPDATE "mobjects_syncbatch"'):
            raise RuntimeError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken), pytest.raises(RuntimeError):
        DeleteTask(factories.context(new_job(parent))).step()
    assert factories.fresh(parent).claimed_by is not None


def test_a_record_of_unknown_outcome_is_not_deleted_before_it_was_looked_up(sandbox):
    (record,) = sent(factories.opportunity())
    Opportunity.objects.update(last_status=RecordStatus.UNKNOWN)
    job = delete(record)
    assert (job.counts, job.results.get().error) == (
        {"HELD": 1},
        "It was sent without an answer, and that has to be looked up first: sync it, then delete it again.",
    )
    assert len(sandbox.store.opportunities) == 1


def test_an_opportunity_stays_here_while_a_role_of_it_is_being_sent(sandbox):
    (parent,) = sent(factories.opportunity())
    factories.role(parent)
    other = pages.batch(pages.job())
    taken_by = SlowMarketo(lambda answer: OpportunityPersonRole.objects.update(claimed_by=other) and None)
    job = new_job(parent)
    while DeleteTask(factories.context(job, transport=taken_by)).step():
        pass
    job.refresh_from_db()
    assert job.counts == {"DELETED": 1}
    assert job.results.get().error.endswith(
        "One of its roles is being sent right now, so it stays here; delete it again."
    )
    assert (Opportunity.objects.count(), OpportunityPersonRole.objects.count()) == (1, 1)
    OpportunityPersonRole.objects.update(claimed_by=None)
    assert delete(parent).counts == {"DELETED": 1}
    assert not Opportunity.objects.exists()
