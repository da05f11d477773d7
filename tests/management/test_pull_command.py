"""``pull_mobjects`` and ``compare_mobjects``: the same jobs as the pages, told by exit codes."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from mobjects.models import Opportunity, Program, SyncJob
from tests import factories
from tests.factories import fresh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def run(capsys, *arguments):
    """Exit code and output."""
    with pytest.raises(SystemExit) as end:
        call_command(*arguments)
    return end.value.code, capsys.readouterr().out


def test_a_pull_fills_the_copies_and_tells_the_counts(capsys, sandbox):
    code, output = run(capsys, "pull_mobjects", "--kind", "programs", "--tag", "Region=EMEA", "--inline", "--json")
    told = json.loads(output)
    assert (code, told["state"], told["counts"]) == (0, "succeeded", {"ADDED": Program.objects.count()})
    assert 0 < Program.objects.count() < len(sandbox.store.programs)


@pytest.mark.django_db(transaction=True)
def test_without_inline_the_job_is_queued(capsys):
    code, output = run(capsys, "compare_mobjects", "--reason", "nightly")
    job = SyncJob.objects.get()
    assert (code, job.state, job.source, job.reason) == (0, "queued", "command", "nightly")
    assert job.selection["kinds"] == ["Program", "Opportunity", "OpportunityPersonRole"]
    assert str(job.pk) in output


def test_a_drift_is_exit_code_1(capsys, sandbox):
    record = factories.opportunity()
    factories.sync(record)
    sandbox.store.opportunities[fresh(record).marketo_id].values["Stage"] = "Won"
    code, output = run(capsys, "compare_mobjects", "--kind", "opportunities", "--ids", str(record.pk), "--inline")
    assert code == 1
    assert "1 record compared; 1 different in Marketo" in output
    assert Opportunity.objects.get().stage == ""


def test_wrong_credentials_are_exit_code_2(capsys, settings):
    settings.MARKETO = {**settings.MARKETO, "ENCRYPTION_KEY": "wrong"}
    assert run(capsys, "pull_mobjects", "--kind", "opportunities", "--inline")[0] == 2


def test_a_job_that_has_to_wait_is_exit_code_3(capsys, sandbox):
    sandbox.faults.add("soap", code="20015", operation="getMObjects")
    assert run(capsys, "pull_mobjects", "--kind", "opportunities", "--inline")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--kind", "programs", "--updated-since", "yesterday"),
            "“yesterday” is no day or time. Write it as 2026-03-31",
        ),
        (("--kind", "roles", "--name", "Ann"), "Name “Ann”: Marketo cannot look for this here."),
        (("--kind", "programs", "--tag", "Region"), "Tag: give its type and its value, or neither."),
        (("--kind", "programs", "--ids", "one"), "The list of records is damaged"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(arguments, said):
    with pytest.raises(CommandError, match=said) as refused:
        call_command("pull_mobjects", *arguments)
    assert refused.value.returncode == 2
    assert not SyncJob.objects.exists()
