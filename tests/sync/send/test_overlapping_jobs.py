"""Several jobs about one record: each sending has one end, and who finds it out writes it on every job that waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from mobjects.figures.daily import read_figures
from mobjects.formatting import format_moment
from mobjects.jobs.control import cancel_job
from mobjects.jobs.lifecycle import end_job
from mobjects.jobs.requests import create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.jobs.step_loop import StepLoop
from mobjects.marketo.types import Kind
from mobjects.models import (
    Notice,
    NoticeEvent,
    OpenCondition,
    Opportunity,
    ProgramCost,
    SyncJob,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.presentation import job_text
from mobjects.sync.job_results import end_waiting_results
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.send.task import SendTask
from mobjects.sync.send.unknown_outcomes import UnknownOutcomeResolver
from tests import factories
from tests.support.invariants import history_tells
from tests.support.meanwhile import SlowMarketo
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def lost(sandbox, *records, applied=True, **options) -> SyncJob:
    """A job that sent them without getting an answer, and waits."""
    sandbox.faults.add("cut_after" if applied else "cut_before", operation="syncMObjects")
    return factories.sync(*records, **options)


def ends(job) -> list[tuple[str, str]]:
    """The ends of its records: status and words."""
    return list(job.results.exclude(status__in=SyncResult.PASSING_STATUSES).values_list("status", "error"))


def later(*jobs) -> None:
    """Let one job after the other go on once Marketo can no longer be working on anything."""
    for job in jobs:
        factories.later(job)
        job.refresh_from_db()


def look_up(job, meanwhile=lambda page: None) -> bool:
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        here = factories.context(job, transport=SlowMarketo(meanwhile))
        return UnknownOutcomeResolver(here, SyncSelection.from_json(job.selection)).resolve_next()


def test_who_finds_what_arrived_gives_the_job_that_sent_it_its_end(sandbox):
    record = factories.opportunity()
    first = lost(sandbox, record)
    second = factories.sync(record)
    later(second, first)
    number = factories.fresh(record).marketo_id
    found = f"It arrived: found in Marketo as ID {number}."
    assert ends(first) == [("CREATED", found)]
    assert ends(second) == [("EQUAL", f"{found} The job of {format_moment(first.created_at)} had sent it.")]
    assert [(each.state, each.counts) for each in (first, second)] == [
        (SyncJobState.SUCCEEDED, {"CREATED": 1}),
        (SyncJobState.SUCCEEDED, {"EQUAL": 1}),
    ]
    history_tells(sandbox)


def test_who_finds_that_nothing_arrived_says_so_to_the_job_that_sent_it_and_sends_it(sandbox):
    record = factories.opportunity()
    first = lost(sandbox, record, applied=False)
    second = factories.sync(record)
    later(second, first)
    assert ends(first) == [("NOT_SENT", "It did not arrive: Marketo does not have it.")]
    assert (ends(second), first.counts) == ([("CREATED", "")], {"NOT_SENT": 1})
    assert len(sandbox.store.opportunities) == 1


def test_a_job_that_waits_for_what_another_one_sends_again_gets_that_answer(sandbox):
    factories.sync(record := factories.opportunity())
    Opportunity.objects.update(stage="Won")
    first = lost(sandbox, record)
    second = factories.sync(record)
    later(second, first)
    assert ends(second) == [("UNCHANGED", "")]
    assert ends(first) == [("EQUAL", f"The job of {format_moment(second.created_at)} sent it again: Unchanged.")]
    assert (first.state, first.counts) == (SyncJobState.SUCCEEDED, {"EQUAL": 1})


@pytest.mark.parametrize("fault", [{"kind": "bad_row", "text": "no"}, {"kind": "soap", "code": "20012"}])
def test_a_job_that_waits_is_told_when_the_sending_again_fails(sandbox, fault):
    factories.sync(record := factories.opportunity())
    Opportunity.objects.update(stage="Won")
    first, second = lost(sandbox, record), factories.sync(record)
    sandbox.faults.add(**fault)
    later(second, first)
    ((status, words),) = ends(first)
    assert (status, first.counts) == ("FAILED", {"FAILED": 1})
    assert words.startswith(f"The job of {format_moment(second.created_at)} sent it again: Failed. ")


def test_a_job_that_waits_is_told_that_a_person_has_to_decide(sandbox):
    record = factories.opportunity()
    first = lost(sandbox, record)
    sandbox.store.create_object("Opportunity", {"Name": "Q1 2014"})
    second = factories.sync(record)
    later(second, first)
    assert ends(first) == [("HELD", "Not clear: 2 objects in Marketo may be it. A person has to decide.")]
    assert first.counts == {"HELD": 1}


def test_of_two_lost_sendings_the_later_one_arrived(sandbox):
    program = factories.program()
    factories.cost(program)
    first = lost(sandbox, program, applied=False)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        second = lost(sandbox, program, include_unknown=True)
    later(first, second)
    assert [status for status, _ in ends(second)] == ["UPDATED"]
    assert [status for status, _ in ends(first)] == ["EQUAL"]
    history_tells(sandbox)


def test_a_job_that_is_done_with_a_record_does_not_look_up_what_another_one_lost(sandbox):
    program = factories.program()
    first = factories.sync(program, resend=True)
    factories.cost(program)
    lost(sandbox, program)
    calls = len(sandbox.calls)
    assert not look_up(first)
    assert (len(sandbox.calls), len(ends(first))) == (calls, 1)


def test_a_job_that_is_done_with_a_record_does_not_wait_for_what_another_one_lost(sandbox):
    program = factories.program()
    first = factories.sync(program, resend=True)
    factories.cost(program)
    lost(sandbox, program)
    assert factories.work(first).state == SyncJobState.SUCCEEDED


def test_what_was_seen_before_it_was_lost_again_says_nothing_of_the_later_loss(sandbox):
    record = factories.opportunity()
    job = lost(sandbox, record, applied=False)
    sent_again = timezone.now() + timedelta(minutes=5)
    assert look_up(job, lambda page: Opportunity.objects.update(unknown_since=sent_again) and None)
    assert (factories.fresh(record).last_status, factories.fresh(record).unknown_since) == ("UNKNOWN", sent_again)


def test_an_answer_that_comes_after_all_leaves_the_record_to_the_job_that_sends_it_again(sandbox):
    factories.sync(record := factories.opportunity())
    Opportunity.objects.update(stage="Won")
    selection = SyncSelection(kinds=(Kind.OPPORTUNITY,))
    first = factories.claim_next(factories.create_sync_job(selection), Kind.OPPORTUNITY)
    factories.give_up(first.batch)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        second = factories.claim_next(factories.create_sync_job(selection), Kind.OPPORTUNITY)
    factories.answer(first.batch.job, first)
    assert factories.fresh(record).claimed_by == second.batch
    assert ends(first.batch.job) == [("UPDATED", "")]
    assert factories.fresh(record).is_dirty


def test_a_cost_with_its_id_that_is_put_back_after_a_lost_sending_goes_out_again(sandbox):
    cost = factories.cost(program := factories.program())
    factories.sync(program)
    ProgramCost.objects.filter(pk=cost.pk).update(amount="77.00")
    job = lost(sandbox, program)
    ProgramCost.objects.filter(pk=cost.pk).update(amount="2000.00")
    later(job)
    (stored,) = sandbox.store.programs[1001].costs.values()
    assert stored.amount == "2000.00"


def test_a_result_that_gets_its_end_meanwhile_is_counted_once(sandbox):
    record = factories.opportunity()
    first = lost(sandbox, record)

    def end_of(waiting):
        # The job's own answer has come after all, between our look and our write.
        SyncResult.objects.filter(pk=waiting.pk).update(status="CREATED")
        SyncJob.objects.filter(pk=first.pk).update(counts={"CREATED": 1})
        return SyncResultStatus.NOT_SENT, "It did not arrive."

    end_waiting_results(pages.job(), Kind.OPPORTUNITY, [record.pk], end_of)
    first.refresh_from_db()
    assert (ends(first)[0][0], first.counts) == ("CREATED", {"CREATED": 1})


class BusyMarketo(SlowMarketo):
    """One that also takes long to answer what is sent."""

    def send(self, batch):
        answer = self._marketo.send(batch)
        self._meanwhile(answer)
        return answer


def test_a_job_speaks_only_of_what_it_sent_itself_where_others_came_before_its_turn(sandbox):
    deals, program = [factories.opportunity() for _ in range(2)], factories.program()
    factories.cost(program)
    job = create_sync_job(SyncSelection(kinds=(Kind.PROGRAM, Kind.OPPORTUNITY)))

    def others_come(answer):
        if Opportunity.objects.count() == 2:
            factories.work(create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,), ids=(deals[0].pk,))))
            deals[1].delete()

    here = factories.context(job, transport=BusyMarketo(others_come))
    task = SendTask(here)
    assert (task.wanted_workers(), job.planned) == (2, 3)
    StepLoop(here, task).run()
    job.refresh_from_db()
    assert ends(job) == [("UPDATED", "")]
    assert job_text.describe_job(job) == (
        "Finished: the record was accepted. 2 more records were there when it began and had nothing to send any more: "
        "another job sent them, or they are deleted here."
    )


def cancelled_without_an_answer(sandbox, *records) -> SyncJob:
    job = lost(sandbox, *records)
    assert cancel_job(job)
    job.refresh_from_db()
    return job


def test_what_another_job_finds_out_later_is_told_by_figures_and_notices(sandbox):
    deals = [factories.opportunity() for _ in range(2)]
    factories.sync(*deals)
    Opportunity.objects.update(stage="Won")
    job = cancelled_without_an_answer(sandbox, *deals)
    assert (job.counts, read_day("outcomes")) == ({"UNKNOWN": 2}, {"CREATED": 2, "UNKNOWN": 2})
    assert sum(read_day("reasons").values()) == 2
    about = {"event": NoticeEvent.JOB_UNKNOWN, "about__contains": str(job.pk)}
    sandbox.faults.add("bad_row", text="Locked")
    again = factories.later(create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,))))
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        run_job(again)
    job.refresh_from_db()
    again.refresh_from_db()
    assert (job.counts, again.counts) == ({"FAILED": 1, "EQUAL": 1}, {"FAILED": 1, "UNCHANGED": 1})
    assert read_day("outcomes") == {"CREATED": 2, "EQUAL": 1, "FAILED": 2, "UNCHANGED": 1, "UNKNOWN": 0}
    assert sum(read_day("reasons").values()) == 2
    assert "known" not in "".join(reason for reason, count in read_day("reasons").items() if count)
    assert not OpenCondition.objects.filter(**about).exists()
    notices = Notice.objects.filter(event=NoticeEvent.JOB_UNKNOWN).order_by("pk")
    assert [each.is_recovery for each in notices] == [False, True]


def test_an_answer_that_comes_after_the_end_of_its_job_is_told_by_the_figures(sandbox):
    record = factories.opportunity()
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    claim = factories.claim_next(job, Kind.OPPORTUNITY)
    factories.give_up(claim.batch)
    end_job(job, SyncJobState.STOPPED)
    assert read_day("outcomes") == {"UNKNOWN": 1}
    factories.answer(job, claim)
    assert (ends(job), factories.fresh(record).is_dirty) == ([("UPDATED", "")], False)
    assert (read_day("outcomes"), sum(read_day("reasons").values())) == ({"UPDATED": 1, "UNKNOWN": 0}, 0)


def test_the_figures_tell_what_an_undo_sent_too():
    job = create_sync_job(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    SyncJob.objects.filter(pk=job.pk).update(action="undo", state=SyncJobState.RUNNING, counts={"UPDATED": 3})
    end_job(job, SyncJobState.SUCCEEDED)
    assert read_day("outcomes") == {"UPDATED": 3}


def read_day(figure: str) -> dict[str, int]:
    """A figure of today by its keys."""
    (found,) = read_figures(1)[figure].values()
    return found
