"""What Prometheus is told: valid, guarded, and what database and Redis hold."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from mobjects.jobs.lifecycle import end_job
from mobjects.local.ports import HOST, find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.models import Circuit, Import, SyncBatchState, SyncJobState
from mobjects.operations.metric_families import METRICS, PREFIX
from mobjects.processes.scheduler import TickScheduler
from mobjects.processes.worker import SyncWorker
from tests import factories
from tests.files import ROOT
from tests.views import pages

TOKEN = "a-token-of-monitoring"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def token(settings):
    settings.METRICS_TOKEN = TOKEN


def read(**headers):
    """Each sample by name and labels."""
    response = Client().get("/metrics", headers={**BEARER, **headers})
    assert response.status_code == 200
    families = list(text_string_to_metric_families(response.content.decode()))
    return {
        (sample.name.removeprefix(PREFIX), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}])
def test_who_does_not_know_the_token_learns_nothing(header):
    response = Client().get("/metrics", headers=header)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert TOKEN not in response.content.decode()


@pytest.mark.django_db
def test_without_a_token_there_is_no_such_page(settings):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_all_that_is_declared_is_there_in_both_formats_and_under_any_host_name(queue, settings):
    settings.ALLOWED_HOSTS = ["marketo.example.com"]
    plain = Client().get("/metrics", headers=BEARER | {"host": "10.0.0.7"}).content.decode()
    openmetrics = Client().get("/metrics", headers=BEARER | {"accept": "application/openmetrics-text"})
    assert openmetrics.content.endswith(b"# EOF\n")
    declared = {f"{PREFIX}{metric.name}".removesuffix("_total"): metric.says for metric in METRICS}
    for families in (text_string_to_metric_families(plain), parse_openmetrics(openmetrics.content.decode())):
        assert {family.name: family.documentation for family in families} == declared


@pytest.mark.django_db
def test_jobs_that_end_are_counted_by_api_action_and_state(queue):
    for _ in range(2):
        job = pages.job(state=SyncJobState.RUNNING, transport="rest", counts={"CREATED": 3, "FAILED": 1})
        pages.batch(job, sent_at=timezone.now(), seconds=1.5).earlier_calls.create(position=1, request="", seconds=0.25)
        end_job(job, SyncJobState.PROBLEMS)
        end_job(job, SyncJobState.PROBLEMS)
    end_job(pages.job(state=SyncJobState.RUNNING, action="pull"), SyncJobState.STOPPED)
    found = read()
    assert found["jobs_ended_total", "send", "rest", "problems"] == 2
    assert found["jobs_ended_total", "pull", "none", "stopped"] == 1
    assert (found["rows_total", "rest", "CREATED"], found["rows_total", "rest", "FAILED"]) == (6, 2)
    assert (found["calls_total", "rest"], found["call_seconds_total", "rest"]) == (
        4,
        3.0,
    )  # a batch's seconds hold those of its earlier calls


@pytest.mark.django_db
def test_what_is_under_way_and_what_is_left_is_told_as_it_is_now(queue, settings):
    now = timezone.now()
    pages.job(state=SyncJobState.QUEUED, queued_at=now - timedelta(seconds=90))
    running = pages.job(state=SyncJobState.RUNNING, transport="rest")
    running.leases.create(process="host 1", renewed_at=now)
    running.leases.create(process="host 2", renewed_at=now - timedelta(seconds=60))
    pages.batch(running, sent_at=now, seconds=2.0)
    pages.batch(running, sequence=2, sent_at=now, seconds=0.5, state=SyncBatchState.UNKNOWN)
    pages.batch(running, sequence=3, sent_at=now - timedelta(minutes=6), seconds=50)
    Import.objects.create(kind="opportunities", state="checking", file_name="a.csv", size=1, sha256="", format="csv")
    Circuit.objects.create(reason="The key is wrong.")
    factories.opportunity()
    found = read()
    assert (found["jobs", "soap", "queued"], found["jobs", "rest", "running"], found["jobs", "soap", "paused"]) == (
        1,
        1,
        0,
    )
    assert 90 <= found[("queue_oldest_seconds",)] < 120
    assert (found["lanes", "job"], found["lanes", "import"]) == (1, 0)
    assert (found["recent_batches", "rest", "answered"], found["recent_batches", "rest", "unknown"]) == (1, 1)
    assert (found["recent_call_seconds_sum", "rest"], found["recent_call_seconds_max", "rest"]) == (2.5, 2.0)
    assert (found["imports", "checking"], found[("halts",)], found["records", "Opportunity", "unsent"]) == (1, 1, 1)


@pytest.mark.django_db
def test_queue_workers_and_limits_are_told(queue, settings):
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    TickScheduler().register_birth()
    queue.enqueue("anything.at.all")
    found = read()
    assert (found["queue_work", "waiting"], found[("clocks",)]) == (1, 1)
    assert [found["workers", state] for state in ("idle", "busy", "silent")] == [1, 0, 0]
    assert (found["quota_calls", "soap", "used"], found["quota_calls", "soap", "share"]) == (0, 5000)
    assert (found["window_calls", "soap", "limit"], found["call_slots", "soap", "set"]) == (100, 10)


@pytest.mark.django_db
def test_without_redis_the_rest_is_there_and_no_figure_is_made_up(settings, caplog):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://:very-secret@127.0.0.1:9/0"}}
    found = read()
    assert (found["up", "redis"], found["up", "database"], found["jobs", "soap", "queued"]) == (0, 1, 0)
    assert not [name for name, *_ in found if name in ("clocks", "queue_work", "workers", "quota_calls")]
    assert "very-secret" not in caplog.text


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_what_there_is(queue):
    with CaptureQueriesContext(connection) as empty:
        read()
    for number in range(5):
        job = pages.job(state=SyncJobState.RUNNING)
        pages.batch(job, sequence=number + 1, sent_at=timezone.now())
        factories.opportunity()
    with CaptureQueriesContext(connection) as filled:
        read()
    assert len(filled) == len(empty) <= 25


@pytest.mark.processes
def test_web_processes_count_together_how_long_pages_take(tmp_path):
    """With one folder; also those of a process that has ended."""
    port, folder = find_free_port(), tmp_path / "metrics"
    environment = {"PATH": os.environ["PATH"], "DJANGO_ENV_FILE": os.devnull, "DJANGO_SECRET_KEY": "x" * 50}
    environment |= {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "DJANGO_HTTPS": "false", "DJANGO_DEBUG": "true"}
    environment |= {"METRICS_TOKEN": TOKEN, "METRICS_FOLDER": str(folder)}
    command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--bind", f"{HOST}:{port}", "--chdir", str(ROOT)]

    def get(path):
        asked = urllib.request.Request(f"http://{HOST}:{port}{path}", headers=BEARER)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    with Supervisor(tmp_path / "log", environment, signals=False) as supervisor:
        # Each process ends after three requests or so, and another one comes.
        command += ["--workers", "2", "--max-requests", "3"]
        supervisor.start_child("web", command, lambda: bool(get("/healthz")), timeout_seconds=60)
        asked = sum(bool(get("/static/mobjects/keys.css") or True) for _ in range(12))
        text = get("/metrics")
    assert {
        family.name for family in text_string_to_metric_families(text) if not family.name.startswith(PREFIX)
    } == set()
    counted = [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{PREFIX}http_seconds_count"
    ]
    assert sum(sample.value for sample in counted) == asked, json.dumps([str(sample) for sample in counted])
    assert len({path.name for path in folder.iterdir()}) > 1
