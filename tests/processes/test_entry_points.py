"""A worker runs this site's own functions only, whatever stands in Redis and whatever flags it was started with."""

from __future__ import annotations

import os
import pickle
import zlib
from pathlib import Path

import django_rq
import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from rq import Callback, Queue
from rq.job import Job
from rq.serializers import DefaultSerializer, JSONSerializer
from rq.webhook import Webhook

from mobjects import entry_points
from mobjects.entry_points import ENTRY_POINTS, EntryPointJob, WorkRefused
from mobjects.imports import runner as imports_runner
from mobjects.jobs.queue import RUNNER, enqueue_worker
from mobjects.models import SyncJobState
from mobjects.processes.refused_work import MOST, list_refused_work
from mobjects.processes.worker import SyncWorker
from mobjects.removals import service as removals_service
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("groups")]
JOB = "00000000-0000-4000-8000-000000000000"
TICK = "mobjects.processes.scheduler.tick"


class Trap:
    """Reading this pickle makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def plain(queue):
    """Our queue as somebody sees it who has nothing but Redis."""
    return Queue(queue.name, connection=queue.connection, serializer=JSONSerializer)


def run_worker(*flags: str) -> None:
    call_command("rqworker", "sync", "--burst", *flags, verbosity=0)


def test_each_entry_point_is_there_and_each_function_that_is_queued_is_an_entry_point():
    assert all(callable(import_string(name)) for name in ENTRY_POINTS)
    assert {RUNNER, imports_runner.RUNNER, removals_service.RUNNER, TICK} <= set(ENTRY_POINTS)


def test_our_own_work_is_run(queue):
    enqueue_worker(factories.job_in(SyncJobState.CANCELLED))
    django_rq.get_queue("sync").enqueue(TICK)
    run_worker()
    assert (queue.count, queue.failed_job_registry.count, list_refused_work()) == (0, 0, [])


@pytest.mark.parametrize("flags", [(), ("--serializer", "rq.serializers.DefaultSerializer"), ("--serializer", "json")])
def test_another_function_is_refused_without_running_and_said(plain, tmp_path, flags):
    plain.enqueue("os.mkdir", str(tmp_path / "made"))
    run_worker(*flags)
    assert not (tmp_path / "made").exists()
    (refused,) = list_refused_work()
    assert (refused.function, refused.reason) == ("os.mkdir", entry_points.NOT_OURS)
    assert plain.failed_job_registry.count == 1
    said = pages.text(pages.client().get("/admin/connection/"))
    assert "work into the queue that is none of this site's" in said
    assert "os.mkdir" in said


def test_a_module_that_another_function_stands_in_is_not_even_imported(plain, tmp_path, monkeypatch):
    (tmp_path / "trapped.py").write_text(f"open({str(tmp_path / 'made')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("trapped", "trapped.run", "trapped.a.b"):
        plain.enqueue(name)
    run_worker()
    assert not (tmp_path / "made").exists()
    assert len(list_refused_work()) == 3


@pytest.mark.parametrize("place", ["data", "meta", "result"])
@pytest.mark.parametrize(
    "flags", [(), ("--serializer", "rq.serializers.DefaultSerializer"), ("--serializer", "pickle")]
)
def test_no_pickle_is_read_whatever_the_flags(plain, queue, tmp_path, place, flags):
    job, trap = plain.enqueue(TICK), pickle.dumps(Trap(tmp_path / "made"))
    queue.connection.hset(job.key, place, zlib.compress(trap) if place == "data" else trap)
    run_worker(*flags)
    assert queue.count == 0
    assert not (tmp_path / "made").exists()
    assert [refused.reason for refused in list_refused_work()] == [entry_points.NOT_JSON] * (place == "data")


def test_in_no_process_that_knows_the_queue_rq_reads_a_pickle(tmp_path):
    with pytest.raises(ValueError, match="codec"):
        DefaultSerializer.loads(pickle.dumps(Trap(tmp_path / "made")))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("which", ["on_success", "on_failure", "on_stopped"])
def test_work_with_a_callback_is_refused(plain, which):
    plain.enqueue(TICK, **{which: Callback("os.getpid")})
    run_worker()
    assert [refused.reason for refused in list_refused_work()] == [entry_points.MORE]


def test_work_that_calls_an_address_is_refused_and_the_address_never_called(plain):
    plain.enqueue(TICK, webhooks=[Webhook("http://127.0.0.1:9/", "finished"), Webhook("http://127.0.0.1:9/", "failed")])
    run_worker()
    assert [refused.reason for refused in list_refused_work()] == [entry_points.MORE]


def test_a_callback_of_work_that_seems_lost_is_not_run_by_cleaning_up(plain, queue):
    job = plain.enqueue(TICK, on_failure=Callback("os.mkdir"))
    found = queue.fetch_job(job.id)
    assert isinstance(found, EntryPointJob)
    assert (found.success_callback, found.failure_callback, found.stopped_callback) == (None, None, None)


@pytest.mark.parametrize(
    ("function", "arguments", "options"),
    [
        (RUNNER, [], {}),
        (RUNNER, ["../x"], {}),
        (RUNNER, [JOB, 1], {}),
        (RUNNER, [JOB], {"pk": 1}),
        (imports_runner.RUNNER, [True], {}),
        (imports_runner.RUNNER, ["1"], {}),
        (imports_runner.RUNNER, [-1], {}),
        (removals_service.RUNNER, [{"pk": 1}], {}),
        (TICK, [1], {}),
    ],
)
def test_arguments_that_we_never_give_are_refused(plain, function, arguments, options):
    plain.enqueue(function, args=arguments, kwargs=options)
    run_worker()
    assert [refused.reason for refused in list_refused_work()] == [entry_points.NOT_SO]


def test_a_method_of_an_object_is_refused(queue):
    job = EntryPointJob(connection=queue.connection, serializer=JSONSerializer)
    job.data = JSONSerializer.dumps([TICK, {"tick": 1}, [], {}])
    assert job.why_refused() == entry_points.MORE
    job.data = JSONSerializer.dumps([["os", "getpid"], None, [], {}])
    assert job.why_refused() == entry_points.NOT_OURS
    job.data = b"[1, 2]"
    assert job.why_refused() == entry_points.NOT_JSON


def test_refused_work_does_not_come_back_and_only_the_newest_are_kept(plain, queue):
    for number in range(MOST + 2):
        job = plain.enqueue(f"os.getpid{number}")
        queue.connection.hset(job.key, mapping={"retries_left": 5, "repeats_left": 5, "number_of_retries": 5})
    run_worker()
    refused = list_refused_work()
    assert (len(refused), refused[0].function) == (MOST, f"os.getpid{MOST + 1}")
    assert (queue.count, queue.scheduled_job_registry.count) == (0, 0)
    assert queue.intermediate_queue.get_job_ids() == []


@pytest.mark.parametrize("flags", [("--worker-class", "rq.SimpleWorker"), ("--job-class", "rq.job.Job")])
def test_another_class_of_worker_or_job_by_a_flag_runs_nothing_else_either(plain, tmp_path, flags):
    plain.enqueue("os.mkdir", str(tmp_path / "made"))
    run_worker(*flags)
    assert not (tmp_path / "made").exists()
    assert plain.count == 0


def test_a_worker_of_ours_changes_a_queue_of_another_class(queue, plain):
    worker = SyncWorker([plain], connection=queue.connection)
    assert (type(worker.queues[0]), worker.job_class) == (type(queue), EntryPointJob)


def test_the_function_itself_is_not_given_out(queue):
    job = Job.create("os.getpid", connection=queue.connection, serializer=JSONSerializer)
    refused = EntryPointJob(connection=queue.connection, serializer=JSONSerializer)
    refused.data = job.data
    with pytest.raises(WorkRefused):
        refused.func  # noqa: B018
