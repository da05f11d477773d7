"""What the doctor says of an installation: each fault in words with what to do, and nothing secret."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from redis import Redis

from mobjects.models import Circuit
from mobjects.operations import database_door, deployment_checks, service_checks
from mobjects.operations.finding import FindingLevel
from mobjects.processes.scheduler import TickScheduler
from mobjects.processes.worker import SyncWorker
from tests.files import ROOT

BAD, WARNING, OK, SKIPPED = FindingLevel.BAD, FindingLevel.WARNING, FindingLevel.OK, FindingLevel.SKIPPED


def of(findings, name):
    """Level and words of what was found under a name."""
    return [(each.level, f"{each.says} {each.advice}".strip()) for each in findings if each.name == name]


def doctor(*options):
    out = StringIO()
    try:
        call_command("doctor", *options, stdout=out)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def running(queue):
    """A worker and a clock."""
    worker = SyncWorker([queue], connection=queue.connection, serializer=queue.serializer)
    worker.register_birth()
    worker.heartbeat()
    TickScheduler().register_birth()


@pytest.mark.django_db
def test_a_line_for_each_check_and_a_count_at_the_end(running, marketo_settings):
    code, said = doctor()
    lines = said.splitlines()
    assert (code, lines[-1]) == (0, "Nothing has to be put right.")
    assert all(line.split()[0] in list(FindingLevel) for line in lines[:-1])
    assert "skipped  Marketo: It is configured (SOAP); --connect would ask it." in lines


@pytest.mark.django_db
def test_a_warning_counts_only_where_that_is_asked_for(running, marketo_settings):
    Circuit.objects.create(reason="Marketo refused the key.")
    assert doctor()[0] == 0
    code, said = doctor("--strict", "--json")
    found = [finding for finding in json.loads(said) if finding["name"] == "sending"]
    assert code == 1
    assert found[0]["says"] == "It is halted. Marketo refused the key."


@pytest.mark.django_db
def test_marketo_is_asked_only_with_connect(running, marketo_settings, sandbox, settings):
    doctor()
    assert not sandbox.calls
    assert "ok       Marketo: SOAP: " in doctor("--connect")[1]
    settings.MARKETO = {**marketo_settings, "ENCRYPTION_KEY": "a-wrong-key-of-somebody"}
    code, said = doctor("--connect")
    assert code == 1
    assert "bad      Marketo: SOAP: " in said
    assert "a-wrong-key" not in said


@pytest.mark.django_db
def test_what_does_not_run_is_named(queue):
    found = list(service_checks.find_process_problems())
    assert of(found, "workers") == [
        (BAD, "None gives signs of life: nothing is sent or imported. Start manage.py rqworker.")
    ]
    assert of(found, "clock") == [(BAD, "None runs: schedules do not start. Start manage.py clock, on one host.")]


@pytest.mark.django_db
def test_a_database_and_a_redis_that_are_away_are_named_without_their_secrets(settings):
    def refuse(*args):
        raise DatabaseError("password=very-secret")

    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://:very-secret@127.0.0.1:9/0"}}
    with connection.execute_wrapper(refuse):
        code, said = doctor()
    assert code == 1
    assert "the database cannot be reached" in said
    assert "bad      Redis: Redis cannot be reached. Look at REDIS_URL" in said
    assert "very-secret" not in said


@pytest.mark.django_db
def test_migrations_that_are_missing_and_such_as_this_program_does_not_know_are_named():
    assert (OK, "All are applied.") in of(service_checks.find_database_problems(), "migrations")
    MigrationRecorder(connection).record_applied("mobjects", "9999_of_tomorrow")
    (newer,) = of(service_checks.find_database_problems(), "migrations")
    assert newer[0] == WARNING
    assert "does not know, such as 9999_of_tomorrow" in newer[1]
    MigrationRecorder(connection).record_unapplied("mobjects", "0001_initial")
    assert of(service_checks.find_database_problems(), "migrations") == [
        (BAD, "1 migrations are not applied; run manage.py migrate. Run manage.py migrate.")
    ]


@pytest.mark.django_db
def test_a_redis_that_throws_work_away_is_named(redis_url):
    with Redis.from_url(redis_url) as redis:
        before = redis.config_get("maxmemory*")
        try:
            redis.config_set("maxmemory-policy", "allkeys-lru")
            without_limit = of(service_checks.find_redis_problems(), "Redis")
            redis.config_set("maxmemory", 10**9)
            limited = of(service_checks.find_redis_problems(), "Redis")
        finally:
            redis.config_set("maxmemory", before["maxmemory"])
            redis.config_set("maxmemory-policy", before["maxmemory-policy"])
    words = "(maxmemory-policy allkeys-lru): work and limits can vanish. Set maxmemory-policy noeviction."
    assert [level for level, said in without_limit if words in said] == [WARNING]
    assert [level for level, said in limited if words in said] == [BAD]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://10.255.255.1/0", ["asks for no password", "travels unencrypted"]),
        ("redis://u:very-secret@redis.example.com/0", ["travels unencrypted"]),
        ("rediss://u:very-secret@redis.example.com/0", []),
        ("redis://127.0.0.1/0", []),
        ("unix:///run/redis.sock", []),
    ],
)
def test_a_redis_on_another_host_wants_a_password_and_tls(url, said):
    found = list(service_checks._find_door_problems(Redis.from_url(url)))
    assert len(found) == len(said)
    assert all(words in finding.says for words, finding in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("hosts", "level", "words"),
    [
        (["localhost", "127.0.0.1"], WARNING, "on this machine only"),
        (["*"], WARNING, "under any host name"),
        (["crm.example.com"], OK, "answers as crm.example.com"),
    ],
)
def test_the_names_of_the_site_are_looked_at(settings, hosts, level, words):
    settings.ALLOWED_HOSTS = hosts
    ((found, said),) = of(deployment_checks.find_address_problems(), "addresses")
    assert found == level
    assert words in said


def test_forms_of_strangers_are_named(settings):
    settings.ALLOWED_HOSTS = ["crm.example.com", ".intern.example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://crm.example.com:8443", "https://a.intern.example.com", "https://evil.org"]
    (_, (level, said)) = of(deployment_checks.find_address_problems(), "addresses")
    assert level == WARNING
    assert said.startswith("Forms from https://evil.org are accepted")


def test_static_files_that_were_not_collected_are_named(settings, tmp_path):
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    settings.STATIC_ROOT = tmp_path
    assert of(deployment_checks.find_static_file_problems(), "static files")[0][0] == BAD
    (tmp_path / "staticfiles.json").write_text('{"paths": {"a.css": "a.1.css", "b.css": "b.1.css"}}')
    (tmp_path / "a.1.css").touch()
    said = "1 of 2 files are missing, such as b.1.css. Run manage.py collectstatic --noinput."
    assert of(deployment_checks.find_static_file_problems(), "static files") == [(BAD, said)]
    (tmp_path / "b.1.css").touch()
    assert of(deployment_checks.find_static_file_problems(), "static files") == [(OK, "2 files are collected.")]


def test_a_file_of_secrets_that_others_may_read_is_named(settings, tmp_path):
    settings.BASE_DIR, settings.INSTALLATION_FILE = tmp_path, str(tmp_path / "installation.json")
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    assert str(tmp_path / ".env") in of(deployment_checks.find_folder_problems(), "secret files")[0][1]
    (tmp_path / ".env").chmod(0o600)
    assert of(deployment_checks.find_folder_problems(), "secret files") == []


def test_a_folder_that_cannot_be_written_is_named(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.INSTALLATION_FILE = str(tmp_path / "file" / "installation.json")
    ((level, said),) = of(deployment_checks.find_folder_problems(), "disk (own files)")
    assert level == BAD
    assert said.startswith(f"{tmp_path / 'file'} cannot be written")


def test_it_starts_where_the_settings_are_wrong():
    """In a process of its own: what stops every other command is a line of this one."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_ENV_FILE": os.devnull, "DJANGO_SECRET_KEY": "short-and-secret"}
    environment |= {"DATABASE_URL": "sqlite://:memory:", "REDIS_URL": "redis://127.0.0.1:9/0"}
    environment |= {"MARKETO_TRANSPORT": "telex", "INSTALLATION_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "bad      settings: MARKETO_TRANSPORT is “telex”" in done.stdout
    assert "(security.W009)" in done.stdout
    assert "migrations are not applied" in done.stdout
    assert "short-and-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "site"', "It refuses the user or the password."),
        ("connection to server at ... failed: timeout expired", "It does not answer within 5 s."),
        ("connection is bad: Connection refused\n\tIs the server running", "Nobody listens there."),
        ('FATAL:  database "site" does not exist', "It has no such database."),
        ('FATAL:  role "site" does not exist', "It has no such user."),
        ("could not translate host name", "No host of that name is found."),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1"',
            "It does not let this host, this user or this database in.",
        ),
        ("FATAL:  sorry, too many clients already", "It has no connection left."),
        ("FATAL:  the database system is starting up", "It is about to start or to stop."),
        ("unable to open database file", "Its file cannot be opened."),
        ("password=very-secret", "It cannot be reached (OperationalError)."),
    ],
)
def test_why_the_database_does_not_let_us_in_is_said_in_words(said, words):
    found = database_door.describe_closed_door(OperationalError(said))
    assert (found.level, found.says) == (BAD, words)
    assert found.advice
    assert "secret" not in found.says + found.advice


def test_a_database_that_does_not_answer_is_given_up_and_not_asked_again():
    """The doctor as an operator starts it, with a server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        values = {
            "PATH": os.environ["PATH"],
            "DJANGO_ENV_FILE": os.devnull,
            "DJANGO_SECRET_KEY": "x" * 60,
            "DATABASE_URL": f"postgres://site:very-secret@127.0.0.1:{port}/site?connect_timeout=2",
            "REDIS_URL": "redis://127.0.0.1:9/0",
        }
        command = [sys.executable, "manage.py", "doctor"]
        done = subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 1
    assert "bad      database: It does not answer within 5 s." in done.stdout
    assert "skipped  accounts, processes, Marketo: Nobody could look" in done.stdout
    assert "bad      Redis: Redis cannot be reached." in done.stdout
    assert "very-secret" not in done.stdout + done.stderr
