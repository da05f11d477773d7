"""``sync_mobjects`` and ``test_connection``: the same jobs, told by exit codes."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from mobjects.models import Circuit, SyncJob, SyncJobState
from tests import factories

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def run(capsys, command, *arguments, **options) -> tuple[int, str]:
    """Exit code and output."""
    try:
        call_command(command, *arguments, **options)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_inline_sync_counts_as_json(capsys):
    factories.opportunity()
    code, output = run(capsys, "sync_mobjects", "--inline", "--json", "--reason", "nightly")
    summary = json.loads(output)
    assert (code, summary["state"], summary["counts"], summary["batches"]) == (0, "succeeded", {"CREATED": 1}, 1)
    job = SyncJob.objects.get(pk=summary["job"])
    assert (job.source, job.reason, job.username) == ("command", "nightly", getpass.getuser())


def test_exit_code_1_when_a_record_was_not_accepted(capsys, sandbox):
    factories.opportunity()
    sandbox.faults.add("bad_row", row=0, text="no")
    code, output = run(capsys, "sync_mobjects", "--inline")
    assert code == 1
    assert "1 failed" in output


def test_exit_code_2_when_the_job_could_not_run(capsys, settings):
    settings.MARKETO = {**settings.MARKETO, "ENCRYPTION_KEY": "wrong"}
    factories.opportunity()
    code, output = run(capsys, "sync_mobjects", "--inline")
    assert code == 2
    assert "stopped" in output


def test_inline_waits_as_long_as_it_is_told_to_and_says_what_for(capsys, sandbox):
    factories.opportunity()
    sandbox.faults.add("soap", code="20015", operation="syncMObjects")
    code, output = run(capsys, "sync_mobjects", "--inline", "--timeout", "0.1")
    job = SyncJob.objects.get()
    assert (code, job.state) == (3, SyncJobState.WAITING)
    assert "waiting; no records. Waiting until" in output
    assert job.waits_for in output


def test_inline_ends_where_a_person_is_needed(capsys):
    factories.opportunity()
    Circuit.objects.create(reason="The signature was refused.")
    code, output = run(capsys, "sync_mobjects", "--inline")
    assert code == 3
    assert "Waiting for a person" in output


@pytest.mark.django_db(transaction=True)
def test_waiting_without_a_worker_says_so_and_gives_up_in_time(capsys, queue):
    factories.opportunity()
    errors = StringIO()
    code, _ = run(capsys, "sync_mobjects", "--wait", "--timeout", "0", stderr=errors)
    assert code == 3
    assert SyncJob.objects.get().state == SyncJobState.QUEUED
    assert errors.getvalue().count("No worker is running; the job goes on once one is started.") == 1
    assert "Given up waiting" in errors.getvalue()


@pytest.mark.django_db(transaction=True)
def test_without_waiting_a_queued_job_is_enough(capsys, queue):
    factories.opportunity()
    errors = StringIO()
    assert run(capsys, "sync_mobjects", "--read-first")[0] == 0
    assert run(capsys, "sync_mobjects", "--read-first", stderr=errors)[0] == 0
    job = SyncJob.objects.get()
    assert job.selection["read_first"] is True
    assert f"That is queued already: job {job.pk}." in errors.getvalue()


def test_a_timeout_needs_something_to_wait_for():
    with pytest.raises(CommandError, match="--timeout needs --wait or --inline"):
        call_command("sync_mobjects", "--timeout", "5")


def test_exit_code_2_when_a_setting_makes_no_sense(settings):
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "pigeon"}
    with pytest.raises(SystemCheckError) as caught:
        call_command("sync_mobjects", "--inline", skip_checks=False)
    assert caught.value.returncode == 2


@pytest.mark.parametrize("setting", [{"MARKETO_TIMEOUT_SECONDS": "soon"}, {"DJANGO_SECRET_KEY": ""}], ids=str)
def test_exit_code_2_when_a_setting_cannot_be_read(setting):
    environment = {**os.environ, "DJANGO_ENV_FILE": os.devnull, "DJANGO_SECRET_KEY": "x" * 50, **setting}
    del environment["DJANGO_SETTINGS_MODULE"]
    command = [sys.executable, "manage.py", "sync_mobjects", "--inline"]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert next(iter(setting)) in done.stderr
    assert "Traceback" not in done.stderr


def test_ids_and_operation_choose_what_is_sent(capsys, sandbox):
    first = factories.opportunity(name="first")
    factories.opportunity(name="second")
    code, _ = run(
        capsys, "sync_mobjects", "--inline", "--kind", "opportunities", "--ids", str(first.pk), "--operation", "insert"
    )
    assert code == 0
    assert [stored.values["Name"] for stored in sandbox.store.opportunities.values()] == ["first"]


@pytest.mark.parametrize(
    "arguments",
    [["--ids", "1"], ["--kind", "roles", "--ids", "1,x"], ["--kind", "roles", "--ids", "1,999"]],
    ids=["no kind", "no number", "no record"],
)
def test_bad_ids_are_refused_in_words(arguments):
    with pytest.raises(CommandError, match="--ids"):
        call_command("sync_mobjects", "--inline", *arguments)


def test_dry_run_prints_the_requests_and_sends_nothing(capsys, sandbox):
    record = factories.opportunity(name="서울")
    code, output = run(capsys, "sync_mobjects", "--dry-run")
    assert code == 0
    assert "<value>서울</value>" in output
    assert "<!-- batch 1: INSERT of 1 Opportunity -->" in output
    assert not sandbox.calls
    assert factories.fresh(record).is_dirty
    assert not SyncJob.objects.exists()


def test_a_dry_run_says_how_many_marketo_would_skip(capsys):
    factories.opportunity(marketo_id=7)
    factories.opportunity()
    call_command("sync_mobjects", "--dry-run", "--operation", "insert")
    assert "1 record would be skipped: INSERT skips what Marketo has." in capsys.readouterr().err
    call_command("sync_mobjects", "--dry-run")
    assert "skipped" not in capsys.readouterr().err


def test_connection_test_says_ok(capsys, sandbox):
    code, output = run(capsys, "test_connection")
    assert code == 0
    assert f"soap {sandbox.endpoint}: ok." in output


def test_connection_test_says_what_is_wrong(capsys, settings):
    settings.MARKETO = {**settings.MARKETO, "ENCRYPTION_KEY": "wrong"}
    code, output = run(capsys, "test_connection")
    assert code == 2
    assert "credentials refused" in output
