"""A Redis that asks for TLS and lets its user do only what docs/operations.md gives it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import django_rq
import pytest
from django.core.management import call_command
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from mobjects.jobs.requests import request_sync
from mobjects.local import redis_server
from mobjects.local.ports import find_free_port
from mobjects.local.supervisor import Supervisor
from mobjects.marketo.types import Kind
from mobjects.models import SyncJob, SyncJobState
from mobjects.processes import scheduler
from mobjects.processes import status as queue_status
from mobjects.processes.refused_work import list_refused_work
from mobjects.queue_redis import connect_queue
from mobjects.sandbox import KEY, USER_ID
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import target
from tests import factories
from tests.files import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
PASSWORD = "only-for-this-test"


def documented_user() -> str:
    """The line of the ACL file that docs/operations.md gives."""
    (line,) = re.findall(r"^user marketo on .+$", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    return line.replace(">PASSWORD", f">{PASSWORD}")


def make_certificate(folder) -> None:
    """An authority and a certificate of 127.0.0.1."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "redis.key", "-out", folder / "redis.crt"),
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def guarded_redis(tmp_path, settings):
    """Its address, with the documented user in it; only TLS, and nobody else may do anything."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on PATH to make a certificate with")
    program = redis_server.find_program()
    make_certificate(tmp_path)
    (tmp_path / "users.acl").write_text(
        f"user default off\nuser tester on >{PASSWORD} ~* &* +@all\n{documented_user()}\n"
    )
    port = find_free_port()
    tls = {"port": 0, "tls-port": port, "tls-auth-clients": "no", "tls-ca-cert-file": tmp_path / "redis.crt"}
    tls |= {"tls-cert-file": tmp_path / "redis.crt", "tls-key-file": tmp_path / "redis.key"}
    command = [*redis_server.build_command(program, port, tmp_path / "data"), "--aclfile", str(tmp_path / "users.acl")]
    command += [word for name, value in tls.items() for word in (f"--{name}", str(value))]
    address = f"127.0.0.1:{port}/0?ssl_ca_certs={tmp_path}/redis.crt"
    with Supervisor(tmp_path / "log", os.environ, signals=False) as supervisor:
        tester = f"rediss://tester:{PASSWORD}@{address}"
        supervisor.start_child("redis", command, lambda: redis_server.is_answering(tester))
        url = f"rediss://marketo:{PASSWORD}@{address}"
        settings.REDIS_URL = url
        settings.INSTALLATION_FILE = str(tmp_path / "installation.json")
        settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}
        yield url, Redis.from_url(tester)


@pytest.fixture
def site(guarded_redis, sandbox, settings, groups):
    """The settings of a site that reaches a sandbox and that Redis; the Redis as its owner sees it."""
    given = {"SOAP_ENDPOINT": sandbox.endpoint, "USER_ID": USER_ID, "ENCRYPTION_KEY": KEY}
    settings.MARKETO = {**settings.MARKETO, **given}
    return guarded_redis[1]


def test_a_job_runs_and_nothing_that_we_do_is_refused(site):
    factories.opportunity()
    request_sync(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    queue = django_rq.get_queue("sync")
    # In this process: a forked one would write to its copy of a database in memory. Then our own worker and scheduler.
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(burst=True)
    scheduler.TickScheduler().register_birth()
    scheduler.queue_tick()
    call_command("rqworker", "sync", "--burst", "--with-scheduler", verbosity=0)
    found = queue_status.read()
    assert SyncJob.objects.get().state == SyncJobState.SUCCEEDED
    assert (found.reachable, found.problem, found.waiting, found.failed, found.clocks) == (True, "", 0, 0, 1)
    assert "mobjects" not in str(list_refused_work())
    assert RedisRateLimiter.from_settings(target()).read_usage()
    assert site.acl_log() == []


@pytest.mark.parametrize(
    "command", [("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("GET", "other"), ("SHUTDOWN",), ("ACL", "LIST")]
)
def test_its_user_can_do_nothing_else(site, command):
    with pytest.raises(NoPermissionError):
        connect_queue().execute_command(*command)


def test_without_the_authority_no_password_goes_out(site, settings):
    url = settings.REDIS_URL.partition("?")[0]
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": url}}
    with pytest.raises(RedisConnectionError, match="certificate verify failed"):
        connect_queue().ping()
    assert queue_status.read().problem == "cannot be reached"
