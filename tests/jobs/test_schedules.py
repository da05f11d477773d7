"""What is started by the clock: once, on time, by who may, and what was missed is said."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import OperationalError, connection

from mobjects.jobs import schedules
from mobjects.models import Schedule, SyncJob, SyncJobState
from tests import factories
from tests.support.concurrent import concurrently

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue", "groups")]

SIX = datetime(2026, 1, 5, 6, tzinfo=UTC)  # A Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def early(time_machine):
    time_machine.move_to(SIX - HOUR, tick=False)


def schedule(**values) -> Schedule:
    """Daily at 06:00 UTC, by an operator, planned an hour before."""
    owner = values.pop("owner", None) or factories.user("olga", group="operator")
    made = Schedule(**{"name": "Daily", "kinds": ["Opportunity"], "cron": "0 6 * * *", "owner": owner, **values})
    schedules.plan_schedule(made)
    made.save()
    return made


def finish(*jobs):
    for job in jobs:
        SyncJob.objects.filter(pk=job.pk).update(state=SyncJobState.SUCCEEDED)


def test_nothing_is_started_before_its_time():
    schedule()
    assert schedules.run_due(SIX - MINUTE) == []


def test_a_due_run_makes_a_job_on_behalf_of_the_owner_and_is_due_again_next_time():
    daily = schedule(operation="UPSERT")
    (job,) = schedules.run_due(SIX + MINUTE)
    daily.refresh_from_db()
    job.refresh_from_db()
    assert (job.action, job.kind, job.operation, job.source) == ("send", "Opportunity", "UPSERT", "schedule")
    assert (job.username, job.reason, job.schedule) == ("olga", "Schedule “Daily”", daily)
    assert (job.selection["kinds"], job.selection["operation"]) == (["Opportunity"], "UPSERT")
    assert (daily.next_at, daily.last_job, daily.missed, daily.missed_text) == (SIX + DAY, job, 0, "")


def test_two_clocks_start_a_run_once():
    schedule()
    slow, quick = Schedule.objects.get(), [Schedule.objects.get()]

    def in_between(execute, sql, params, many, context):
        # Both have read it and found no unfinished job of it; neither has moved it on.
        if quick and sql.startswith('UPDATE "mobjects_schedule"'):
            assert len(schedules.start_if_due(quick.pop(), SIX)) == 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(in_between):
        assert schedules.start_if_due(slow, SIX) == []
    assert (quick, SyncJob.objects.count()) == ([], 1)


def test_a_schedule_that_was_switched_off_since_it_was_read_is_not_started():
    schedule()
    slow = Schedule.objects.get()
    Schedule.objects.update(enabled=False)
    assert schedules.start_if_due(slow, SIX) == []
    assert not SyncJob.objects.exists()


def test_a_run_that_could_not_be_started_is_still_due():
    schedule()

    def full(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "mobjects_syncjob"'):
            raise OperationalError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full), pytest.raises(OperationalError):
        schedules.run_due(SIX)
    assert len(schedules.run_due(SIX)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_the_button_at_once_one_starts_the_job():
    daily = schedule()

    def press():
        return schedules.start_by_hand(daily.pk, daily.owner)

    with concurrently(press, before='INSERT INTO "mobjects_syncjob"') as second:
        (job,), _ = press()
    (jobs, refused), *_ = second
    assert (jobs, SyncJob.objects.get()) == ([], job)
    assert "is not finished" in refused


def test_a_run_whose_job_is_done_already_is_not_started_by_a_clock_that_was_slow():
    schedule()
    slow = Schedule.objects.get()
    finish(*schedules.run_due(SIX))
    assert schedules.start_if_due(slow, SIX) == []


def test_after_an_absence_one_run_is_started_and_the_others_are_reported():
    hourly = schedule(cron="0 * * * *")
    assert len(schedules.run_due(SIX + 3 * HOUR + MINUTE)) == 1
    hourly.refresh_from_db()
    assert (hourly.missed, hourly.next_at) == (3, SIX + 4 * HOUR)
    assert hourly.missed_text == (
        "3 runs were missed between Mon 2026-01-05 06:00 UTC and Mon 2026-01-05 08:00 UTC: "
        "neither the clock nor a worker was there to start it."
    )


def test_after_an_absence_late_runs_are_left_out_where_that_was_chosen():
    hourly = schedule(cron="0 * * * *", late_runs="skip")
    assert schedules.run_due(SIX + 3 * HOUR + 6 * MINUTE) == []
    hourly.refresh_from_db()
    assert (hourly.missed, hourly.next_at) == (4, SIX + 4 * HOUR)
    assert hourly.missed_text.startswith("4 runs were missed between Mon 2026-01-05 06:00 UTC and")


def test_a_run_that_starts_within_five_minutes_is_not_late():
    hourly = schedule(cron="0 * * * *", late_runs="skip")
    assert len(schedules.run_due(SIX + 3 * HOUR + 5 * MINUTE)) == 1
    hourly.refresh_from_db()
    assert hourly.missed == 3


def test_late_runs_that_are_left_out_do_not_come_at_the_end_of_quiet_hours():
    daily = schedule(late_runs="skip", quiet_from=time(7), quiet_until=time(9))
    assert schedules.run_due(SIX + 2 * HOUR) == []
    daily.refresh_from_db()
    assert (daily.missed, daily.next_at) == (1, SIX + DAY)


def test_what_quiet_hours_put_off_is_not_late():
    daily = schedule(late_runs="skip", quiet_from=time(5), quiet_until=time(9))
    assert schedules.run_due(SIX + 2 * HOUR) == []
    assert len(schedules.run_due(SIX + 3 * HOUR)) == 1
    daily.refresh_from_db()
    assert daily.missed == 0


def test_after_a_long_absence_the_missed_runs_are_not_counted_to_the_last():
    each_minute = schedule(cron="* * * * *")
    assert len(schedules.run_due(SIX + 300 * DAY)) == 1
    each_minute.refresh_from_db()
    assert each_minute.missed_text.startswith("1,000 runs and more were missed from Mon 2026-01-05 05:01 UTC on")
    assert each_minute.next_at == SIX + 300 * DAY + MINUTE


@pytest.mark.parametrize("state", ["queued", "running", "waiting", "paused", "not_queued"])
def test_a_run_is_missed_while_the_job_before_is_not_finished(state):
    daily = schedule()
    (job,) = schedules.run_due(SIX)
    SyncJob.objects.filter(pk=job.pk).update(state=state)
    assert schedules.run_due(SIX + DAY) == []
    daily.refresh_from_db()
    assert (daily.missed, daily.next_at, daily.last_job) == (1, SIX + 2 * DAY, job)
    assert "is not finished" in daily.missed_text
    finish(job)
    assert len(schedules.run_due(SIX + 2 * DAY)) == 1


def test_in_quiet_hours_nothing_is_started_and_one_run_comes_at_their_end():
    hourly = schedule(cron="0 * * * *", quiet_from=time(6), quiet_until=time(9, 30))
    assert hourly.next_at == SIX + 3.5 * HOUR
    # Quiet hours that were set by other means than the form do not start what is due in them either.
    Schedule.objects.update(next_at=SIX)
    assert schedules.run_due(SIX + MINUTE) == []
    hourly.refresh_from_db()
    assert (hourly.next_at, hourly.missed) == (SIX + 3.5 * HOUR, 0)
    assert schedules.run_due(SIX + 3 * HOUR) == []
    assert len(schedules.run_due(SIX + 3.5 * HOUR)) == 1
    hourly.refresh_from_db()
    assert (hourly.next_at, hourly.missed) == (SIX + 4 * HOUR, 0)


@pytest.mark.parametrize(
    ("group", "action", "values", "words"),
    [
        ("operator", "send", {"is_active": False}, "its owner sam may not sign in any more"),
        ("viewer", "send", {}, "its owner sam may not send records to Marketo"),
        ("editor", "pull", {}, "its owner sam may not read records from Marketo"),
        ("editor", "compare", {}, "its owner sam may not read records from Marketo"),
        ("editor", "identify", {}, "its owner sam may not read records from Marketo"),
    ],
)
def test_a_run_whose_owner_may_not_start_it_is_missed(group, action, values, words):
    owner = factories.user("sam", group=group)
    daily = schedule(owner=owner, action=action)
    type(owner).objects.update(**values)
    assert schedules.run_due(SIX) == []
    daily.refresh_from_db()
    assert (daily.missed, daily.next_at) == (1, SIX + DAY)
    assert words in daily.missed_text


def test_a_run_without_an_owner_is_missed():
    daily = schedule()
    daily.owner.delete()
    assert schedules.run_due(SIX) == []
    daily.refresh_from_db()
    assert "no owner any more" in daily.missed_text


def test_the_missed_runs_add_up():
    daily = schedule()
    daily.owner.delete()
    for day in range(3):
        schedules.run_due(SIX + day * DAY)
    daily.refresh_from_db()
    assert daily.missed == 3
    assert daily.missed_text.startswith("1 run was missed at Wed 2026-01-07 06:00 UTC")


def test_what_is_switched_off_is_not_started():
    off = schedule(enabled=False)
    assert off.next_at is None
    Schedule.objects.update(next_at=SIX)
    assert schedules.run_due(SIX) == []


def test_a_schedule_that_was_never_planned_is_planned_and_not_started():
    daily = schedule()
    Schedule.objects.update(next_at=None)
    assert schedules.run_due(SIX + HOUR) == []
    daily.refresh_from_db()
    assert daily.next_at == SIX + DAY


def test_a_schedule_that_was_mended_since_it_was_read_is_not_switched_off():
    daily = schedule()
    Schedule.objects.update(cron="0 6 * *", next_at=SIX)
    slow = Schedule.objects.get()
    schedules.plan_schedule(daily, SIX)
    daily.save()
    assert schedules.start_if_due(slow, SIX) == []
    assert Schedule.objects.get().enabled


def test_a_damaged_schedule_that_is_off_is_left_alone():
    schedule(enabled=False)
    Schedule.objects.update(cron="0 6 * *", missed_text="Read me.")
    assert schedules.run_due(SIX) == []
    assert Schedule.objects.get().missed_text == "Read me."


@pytest.mark.parametrize("wrong", [{"cron": "0 6 * *"}, {"time_zone": "Berlin"}, {"quiet_from": time(6)}])
def test_one_damaged_schedule_is_switched_off_and_the_others_run(wrong):
    damaged = schedule()
    Schedule.objects.filter(pk=damaged.pk).update(**wrong)
    schedule(name="Other", owner=damaged.owner)
    assert len(schedules.run_due(SIX)) == 1
    damaged.refresh_from_db()
    assert not damaged.enabled
    assert damaged.missed_text.startswith("Switched off: ")


def test_pulling_makes_one_job_for_each_kind_in_order():
    schedule(action="pull", kinds=["OpportunityPersonRole", "Program", "Opportunity"])
    jobs = schedules.run_due(SIX)
    assert [job.kind for job in jobs] == ["Program", "Opportunity", "OpportunityPersonRole"]
    assert {(job.action, job.operation) for job in jobs} == {("pull", "AUTO")}
    assert [job.selection["kind"] for job in jobs] == [job.kind for job in jobs]
    finish(*jobs[:2])
    assert schedules.run_due(SIX + DAY) == []


def test_looking_up_ids_is_one_job_and_needs_the_right_to_read():
    schedule(action="identify", kinds=["Opportunity", "OpportunityPersonRole"])
    (job,) = schedules.run_due(SIX)
    assert (job.action, job.kind, job.operation) == ("identify", "several", "AUTO")
    assert job.selection == {"kinds": ["Opportunity", "OpportunityPersonRole"], "ids": None, "key_field": ""}


def test_comparing_several_kinds_is_one_job():
    schedule(action="compare", kinds=["Opportunity", "OpportunityPersonRole"])
    (job,) = schedules.run_due(SIX)
    assert (job.action, job.kind) == ("compare", "several")
    assert job.selection == {"kinds": ["Opportunity", "OpportunityPersonRole"], "ids": None}
