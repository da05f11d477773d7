"""One notice for each change of state: of jobs by their life cycle, of what lasts by looking at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import translation
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.jobs.control import reset_circuit
from mobjects.jobs.lifecycle import JOB_STATES, end_job, open_circuit
from mobjects.marketo.errors import AuthError
from mobjects.models import Circuit, Import, Notice, NoticeDelivery, OpenCondition, Schedule, SyncJobState
from mobjects.notices import standing
from mobjects.notices.choices import save_choice
from mobjects.notices.wording import describe_notice
from mobjects.processes.scheduler import queue_tick
from mobjects.retention.kinds_of_records import NoticeKind
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from tests import factories
from tests.support.concurrent import Concurrently, postgresql
from tests.support.rewriting import rewrite
from tests.views.imports.made_imports import imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "redis_url")]


def said() -> list[str]:
    return [describe_notice(notice).title for notice in Notice.objects.order_by("pk")]


def events() -> list[tuple[str, bool]]:
    return list(Notice.objects.order_by("pk").values_list("event", "is_recovery"))


def ended(state=SyncJobState.SUCCEEDED, **values):
    job = factories.job_in(SyncJobState.RUNNING, **values)
    end_job(job, state, "crashed" if state == SyncJobState.CRASHED else "", "It broke.")
    return job


def schedule(**values) -> Schedule:
    return Schedule.objects.create(**{"name": "Nightly", "kinds": ["Program"], "cron": "0 6 * * *", **values})


def test_a_failed_job_is_one_notice_in_the_inbox_of_operators_only():
    operator, _viewer = factories.user("op", group="operator"), factories.user("see", group="viewer")
    job = ended(SyncJobState.CRASHED, counts={"FAILED": 3, "CREATED": 4}, planned=7)
    end_job(job, SyncJobState.CRASHED)
    assert events() == [("job_failed", False)]
    assert list(NoticeDelivery.objects.values_list("channel", "user", "read_at")) == [("inbox", operator.pk, None)]
    text = describe_notice(Notice.objects.get())
    assert text.title.startswith("Failed: Sync of 7 opportunities")
    assert text.detail == "It broke. 3 failed · 4 created"
    assert text.url.endswith(f"/admin/mobjects/syncjob/{job.pk}/change/")
    assert text.url.startswith("http")


def test_nobody_hears_of_what_they_may_not_see():
    stranger = factories.user("nobody")
    save_choice(stranger, ["job_failed"], [])
    ended(SyncJobState.CRASHED)
    assert not NoticeDelivery.objects.exists()


def test_a_notice_is_undone_with_the_change_that_it_tells_of():
    job = factories.job_in(SyncJobState.RUNNING)
    assert not JOB_STATES.change(job, SyncJobState.CRASHED, only_from=(SyncJobState.RUNNING,), where=_never())
    assert events() == []


def _never():
    return Q(pk__isnull=True)


@pytest.mark.parametrize(
    ("counts", "state", "event"),
    [
        ({"UNKNOWN": 1, "CREATED": 99}, SyncJobState.PROBLEMS, ["job_unknown"]),
        ({"FAILED": 10, "CREATED": 90}, SyncJobState.PROBLEMS, ["failed_share"]),
        ({"FAILED": 9, "CREATED": 91}, SyncJobState.PROBLEMS, []),
        ({"CREATED": 1}, SyncJobState.SUCCEEDED, []),
        ({}, SyncJobState.CANCELLED, []),
        ({}, SyncJobState.STOPPED, ["job_failed"]),
    ],
)
def test_what_of_a_job_is_spoken_of(counts, state, event):
    ended(state, counts=counts)
    assert [name for name, _over in events()] == event


def test_the_next_good_job_of_a_schedule_is_its_recovery_once():
    nightly = schedule()
    ended(SyncJobState.CRASHED, schedule=nightly)
    ended(SyncJobState.CRASHED, schedule=nightly)
    ended(counts={"CREATED": 1}, schedule=nightly)
    ended(counts={"CREATED": 1}, schedule=nightly)
    assert events() == [("job_failed", False), ("job_failed", False), ("job_failed", True)]


def test_a_job_that_follows_a_failed_one_and_goes_well_is_its_recovery():
    first = ended(SyncJobState.STOPPED)
    ended(counts={"CREATED": 1}, origin=first)
    assert events() == [("job_failed", False), ("job_failed", True)]
    assert said()[1].startswith("Over: Failed: Sync of")


def test_a_further_attempt_at_a_scheduled_job_is_its_recovery():
    first = ended(SyncJobState.STOPPED, schedule=schedule())
    ended(counts={"CREATED": 1}, origin=first)
    assert events() == [("job_failed", False), ("job_failed", True)]


def test_what_follows_an_earlier_run_of_a_schedule_is_no_recovery_of_a_later_one():
    nightly = schedule()
    first = ended(counts={"CREATED": 1}, schedule=nightly)
    ended(SyncJobState.STOPPED, schedule=nightly)
    ended(counts={"UPDATED": 1}, origin=first)
    assert events() == [("job_failed", False)]
    ended(counts={"UPDATED": 1}, schedule=nightly)
    assert events() == [("job_failed", False), ("job_failed", True)]


def test_the_attempt_that_goes_well_is_the_recovery_of_all_before_it():
    first = ended(SyncJobState.STOPPED)
    second = ended(SyncJobState.STOPPED, origin=first)
    ended(counts={"PLANNED": 1}, origin=second, action="dry_run")
    assert events() == [("job_failed", False)] * 2
    ended(counts={"CREATED": 1}, origin=second)
    assert events()[2:] == [("job_failed", True)] * 2
    assert not OpenCondition.objects.exists()


def test_a_schedule_without_records_is_spoken_of_when_it_begins_and_when_it_is_over():
    nightly = schedule()
    for counts in ({}, {}, {"CREATED": 2}):
        ended(counts=counts, schedule=nightly)
    ended()
    assert events() == [("no_records", False), ("no_records", True)]


def test_a_halt_and_its_end_are_one_notice_each_however_often_it_is_looked():
    job = factories.job_in(SyncJobState.RUNNING)
    open_circuit(job, AuthError("Marketo does not know this user.", code="20016"))
    JOB_STATES.change(job, SyncJobState.WAITING, waits_until=None)
    for _ in range(3):
        standing.look_at_halts()
    assert events() == [("halted", False)]
    reset_circuit(factories.user())
    for _ in range(3):
        standing.look_at_halts()
    assert said() == ["Sending is halted", "Over: Sending is halted"]


def test_a_schedule_that_nobody_starts_is_late_until_it_runs():
    now = datetime.now(UTC)
    nightly = schedule(next_at=now - timedelta(hours=1, minutes=50))
    standing.look_at_schedules()
    assert events() == []
    Schedule.objects.update(next_at=now - timedelta(hours=2, minutes=1))
    standing.look_at_schedules()
    standing.look_at_schedules()
    Schedule.objects.filter(pk=nightly.pk).update(next_at=now + timedelta(hours=1), last_at=now)
    standing.look_at_schedules()
    assert events() == [("schedule_late", False), ("schedule_late", True)]


def test_a_schedule_whose_runs_are_refused_is_late():
    now = datetime.now(UTC)
    missed = schedule(
        next_at=now + timedelta(hours=5), last_at=now - timedelta(days=3), missed=2, missed_text="2 runs were missed."
    )
    schedule(name="Fine", next_at=now + timedelta(hours=5), last_at=now - timedelta(days=3))
    standing.look_at_schedules()
    assert list(Notice.objects.values_list("about", flat=True)) == [f"schedule:{missed.pk}"]


def test_an_import_that_waits_too_long_and_is_seen_to():
    waits = imported()
    assert waits.state in ("mapping", "review")
    standing.look_at_imports()
    assert events() == []
    old = datetime.now(UTC) - timedelta(hours=25)
    Import.objects.update(created_at=old, step_at=old, checked_at=old)
    standing.look_at_imports()
    standing.look_at_imports()
    rewrite(waits, state="discarded")
    standing.look_at_imports()
    assert events() == [("import_waits", False), ("import_waits", True)]
    assert said()[0] == f"The import of “{waits.file_name}” waits for a person"


def test_a_worker_that_is_gone_is_spoken_of_after_the_grace_and_when_one_is_back(queue, settings):
    assert standing.look_at_processes() == "worker"
    assert events() == []
    OpenCondition.objects.update(since=datetime.now(UTC) - timedelta(minutes=3))
    standing.watch_processes(None)
    standing.watch_processes(None)
    assert said() == ["No worker gives signs of life"]
    worker = _begin_worker(queue)
    standing.look_at_processes()
    assert said()[1:] == ["Over: No worker gives signs of life"]
    worker.register_death()


def test_a_worker_that_is_away_for_a_moment_is_not_spoken_of(queue):
    standing.look_at_processes()
    worker = _begin_worker(queue)
    standing.look_at_processes()
    assert (events(), OpenCondition.objects.filter(about="worker").count()) == ([], 0)
    worker.register_death()


def test_a_quota_near_its_end_is_spoken_of_once(marketo_settings, settings):
    factories.sync(factories.program(marketo_id=1001))
    used = RedisRateLimiter.from_settings(target()).read_usage().used_today
    assert used
    standing.look_at_quota()
    assert events() == []
    settings.MARKETO = {**settings.MARKETO, "DAILY_QUOTA": used, "DAILY_SHARE": 100}
    standing.look_at_quota()
    standing.look_at_quota()
    assert said() == [f"0 of our {used} calls to Marketo today are left"]
    settings.MARKETO = {**settings.MARKETO, "DAILY_QUOTA": 10_000}
    standing.look_at_quota()
    assert events() == [("quota_low", False), ("quota_low", True)]


def test_a_tick_looks_at_what_lasts(queue, work, settings):
    factories.user("op", group="operator")
    Circuit.objects.create(reason="Something.")
    queue_tick()
    work()
    assert ("halted", False) in events()


def test_words_come_in_the_language_of_the_reader():
    ended(SyncJobState.CRASHED)
    with translation.override("ko"):
        assert describe_notice(Notice.objects.get()).title.startswith("실패: ")


def test_what_is_older_than_its_period_goes_and_a_condition_that_lasts_stays():
    factories.user("op", group="operator")
    ended(SyncJobState.CRASHED)
    Circuit.objects.create(reason="Something.")
    standing.look_at_halts()
    for chunk in list(NoticeKind().iter_chunks(datetime.now(UTC) + timedelta(minutes=5))):
        chunk()
    assert not Notice.objects.exists()
    assert not NoticeDelivery.objects.exists()
    assert [each.event for each in OpenCondition.objects.all()] == ["halted"]


@postgresql
@pytest.mark.django_db(transaction=True)
def test_two_that_find_the_same_halt_make_one_notice():
    Circuit.objects.create(reason="Something.")
    others = [Concurrently(standing.look_at_halts) for _ in range(4)]
    standing.look_at_halts()
    for other in others:
        other.result()
    assert events() == [("halted", False)]


def test_a_halt_that_begins_while_another_looks_is_not_over():
    begun = []

    def begin_meanwhile(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if 'FROM "mobjects_circuit"' in sql and not begun:
            begun.append(Circuit.objects.create(reason="Something."))
            standing.look_at_halts()
        return answer

    with connection.execute_wrapper(begin_meanwhile):
        standing.look_at_halts()
    standing.look_at_halts()
    assert events() == [("halted", False)]


def _begin_worker(queue):
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.register_birth()
    return worker
