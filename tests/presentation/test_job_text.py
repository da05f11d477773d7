"""Jobs in plain sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from mobjects.models import SyncBatch, SyncBatchState, SyncJob, SyncJobState, SyncResult, SyncResultStatus
from mobjects.presentation import job_text, vocabulary
from mobjects.presentation.badges import BATCH_TONES, JOB_TONES, RESULT_TONES
from mobjects.presentation.job_titles import job_title

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITS_FOR_WORKER = "Waiting for a worker. 1 of 4 records done."


def job(state, **values):
    return SyncJob(state=state, **values)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (job(SyncJobState.SUCCEEDED), "Finished: there was nothing to send."),
        (job(SyncJobState.SUCCEEDED, planned=1, counts={"CREATED": 1}), "Finished: the record was accepted."),
        (
            job(SyncJobState.SUCCEEDED, planned=3, counts={"CREATED": 1, "EQUAL": 2}),
            "Finished: all 3 records were accepted.",
        ),
        (
            job(SyncJobState.PROBLEMS, planned=430, counts={"UPDATED": 412, "FAILED": 15, "HELD": 3}),
            "Finished: 412 of 430 accepted; 15 failed, 3 held back.",
        ),
        (job(SyncJobState.RUNNING, planned=1200, counts={"CREATED": 100}), "Running: 100 of 1,200 records done."),
        (job(SyncJobState.NOT_QUEUED), "Not queued. Nothing was sent."),
        (job(SyncJobState.NOT_QUEUED, problem_text="Redis is down."), "Not queued. Redis is down."),
        (job(SyncJobState.QUEUED), "Waiting for a worker."),
        (job(SyncJobState.CRASHED), "Crashed: no reason is known."),
        (job(SyncJobState.PAUSED), "Paused before it began. It goes on when somebody presses “Resume”."),
        (
            job(SyncJobState.PAUSED, planned=4, counts={"CREATED": 1}, started_at=NOW),
            "Paused: 1 of 4 records done. It goes on when somebody presses “Resume”.",
        ),
        (job(SyncJobState.WAITING, waits_for="Reset it."), "Waiting for a person: Reset it."),
        (
            job(SyncJobState.WAITING, waits_until=NOW + timedelta(seconds=10), waits_for="No answer.", planned=4),
            "Waiting until 12:00:10 UTC: No answer.",
        ),
        (job(SyncJobState.WAITING, waits_until=NOW, planned=4, counts={"CREATED": 1}), WAITS_FOR_WORKER),
        (
            job(SyncJobState.RUNNING, requested_action="pause", planned=4),
            "Running: 0 of 4 records done. It pauses after what is under way.",
        ),
        (
            job(SyncJobState.RUNNING, requested_action="cancel"),
            "Running: 0 of 0 records done. It is cancelled after what is under way.",
        ),
        (
            job(SyncJobState.CANCELLED, planned=9, counts={"CREATED": 4, "NOT_SENT": 1}, started_at=NOW),
            "Cancelled: 4 of 9 accepted. 5 records were left to be sent.",
        ),
        (job(SyncJobState.RUNNING, action="pull", counts={"ADDED": 40}), "Running: 40 records read so far."),
        (job(SyncJobState.RUNNING, action="describe", progress={"done": 2}), "Running: 2 of 4 lists read."),
        (job(SyncJobState.SUCCEEDED, action="pull"), "Finished: Marketo has nothing that fits."),
        (job(SyncJobState.SUCCEEDED, action="compare"), "Finished: there was nothing to compare."),
        (
            job(SyncJobState.PROBLEMS, action="compare", counts={"SAME": 97, "DIFFERS": 2, "MISSING": 1}),
            "Finished: 100 records compared; 2 different in Marketo, 1 not in Marketo, 97 without a difference.",
        ),
        (
            job(SyncJobState.SUCCEEDED, action="delete", counts={"DELETED": 3}),
            "Finished: all 3 records were deleted in Marketo.",
        ),
        (
            job(SyncJobState.PROBLEMS, action="delete", counts={"DELETED": 3, "HELD": 1}),
            "Finished: 3 of 4 deleted in Marketo; 1 held back.",
        ),
        (
            job(SyncJobState.STOPPED, action="pull", counts={"ADDED": 3}, problem_text="No answer."),
            "Stopped: No answer. What was read before is kept.",
        ),
        (job(SyncJobState.SUCCEEDED, action="identify"), "Finished: there was nothing to look up."),
        (
            job(SyncJobState.PROBLEMS, action="identify", counts={"TAKEN": 4, "MISSING": 2, "HELD": 1}),
            "Finished: 7 records looked up; 1 held back, 2 not in Marketo, 4 taken from Marketo.",
        ),
        (
            job(SyncJobState.STOPPED, action="identify", counts={"TAKEN": 3}, problem_text="No answer."),
            "Stopped: No answer. What was looked up before is kept.",
        ),
    ],
)
def test_a_job_is_said_in_one_sentence(given, said):
    with time_machine.travel(NOW, tick=False):
        assert job_text.describe_job(given) == said


def test_a_waiting_job_without_a_worker_says_so():
    assert "No worker is running" in job_text.describe_job(job(SyncJobState.QUEUED), worker_alive=False)
    assert "No worker" not in job_text.describe_job(job(SyncJobState.QUEUED), worker_alive=None)


def test_a_running_job_whose_worker_is_gone_says_so():
    assert "no worker is running" in job_text.describe_job(job(SyncJobState.RUNNING, planned=2), worker_alive=False)


def test_a_stopped_job_says_what_was_not_applied_and_what_is_left():
    stopped = job(
        SyncJobState.STOPPED, planned=430, counts={"CREATED": 100, "NOT_SENT": 100}, problem_text="Signature refused."
    )
    batch = SyncBatch(sequence=2, state=SyncBatchState.NOT_SENT)
    assert job_text.describe_job(stopped, [batch]) == (
        "Stopped: Signature refused. Nothing of batch 2 was applied. 330 records were left to be sent."
    )


def test_an_unknown_outcome_is_never_counted_as_left_to_send():
    stopped = job(SyncJobState.STOPPED, planned=101, counts={"UNKNOWN": 100}, problem_text="Cut off")
    batch = SyncBatch(sequence=1, state=SyncBatchState.UNKNOWN)
    assert job_text.describe_job(stopped, [batch]) == (
        "Stopped: Cut off. Batch 1 may or may not have been applied. "
        "What became of 100 records is not known. 1 record was left to be sent."
    )


def test_several_batches_in_doubt_are_named_together():
    stopped = job(SyncJobState.STOPPED, problem_text="Cut off")
    batches = [SyncBatch(sequence=number, state=SyncBatchState.UNKNOWN) for number in (1, 2, 5)]
    assert "Batches 1, 2 and 5 may or may not have been applied." in job_text.describe_job(stopped, batches)
    assert "30 batches may or may not" in job_text.describe_job(stopped, batches * 10)


def test_every_status_that_is_counted_has_its_place_and_words():
    assert {status.value for status in vocabulary.STATUS_ORDER} == set(
        SyncResultStatus.values
    ) - SyncResult.PASSING_STATUSES
    assert set(RESULT_TONES) == set(SyncResultStatus.values)
    assert set(JOB_TONES) == set(SyncJobState.values)
    assert set(BATCH_TONES) == set(SyncBatchState.values)


def test_counts_name_first_what_needs_a_person():
    assert job_text.counts_text({"CREATED": 412, "FAILED": 15}) == "15 failed · 412 created"
    assert job_text.counts_text({}) == "nothing sent"


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"kinds": ["Opportunity"], "ids": [1]}, "1 selected opportunity"),
        ({"kinds": ["Program"], "ids": [1, 2]}, "2 selected programs"),
        ({"kinds": ["Program", "Opportunity"], "ids": None}, "All changed programs, opportunities"),
        (
            {"kinds": ["Program"], "resend": True, "include_unknown": True, "read_first": True},
            "All programs, unchanged ones too, unknown outcomes again, each read in Marketo first",
        ),
        ({}, "All changed records"),
        (
            {"of_job": "1a2b3c4d-5", "of_statuses": ["FAILED", "HELD"], "of_error": "Bad"},
            (
                "The changed records of the job that this one repeats that were failed or held back there, "
                "with a reason like “Bad”"
            ),
        ),
    ],
)
def test_a_selection_is_said_in_words(selection, said):
    assert job_text.selection_text(selection) == said


@pytest.mark.parametrize(
    ("action", "selection", "said"),
    [
        ("pull", {"kind": "Program", "ids": [1, 2]}, "2 selected programs"),
        (
            "pull",
            {"kind": "Program", "tag_type": "Region", "tag_value": "EMEA", "workspace": "Asia", "archived": True},
            "All programs, in the workspace “Asia”, with the tag Region = EMEA, archived ones too",
        ),
        (
            "pull",
            {"kind": "Opportunity", "updated_since": "2026-03-01T00:00:00+00:00"},
            "All opportunities, updated since 2026-03-01 00:00:00 UTC",
        ),
        ("compare", {"kinds": ["Program"], "ids": None}, "All synced programs"),
        ("identify", {"kinds": ["Opportunity"], "ids": None}, "All opportunities without an ID"),
        (
            "identify",
            {"kinds": ["Opportunity"], "ids": [1], "key_field": "OldKey"},
            "1 selected opportunity without an ID, by the field OldKey",
        ),
        ("describe", {}, "The fields of opportunities and roles, tags and channels"),
        ("delete", {"kind": "Opportunity", "ids": [1]}, "1 selected opportunity, with their roles"),
        ("send", {"kinds": ["Program"]}, "All changed programs"),
    ],
)
def test_what_was_asked_is_said_in_words(action, selection, said):
    assert job_text.asked_text(SyncJob(action=action, selection=selection)) == said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (None, ""),
        (0.04, "40 ms"),
        (1.44, "1.4 s"),
        (timedelta(seconds=12.3), "12 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_time_span_is_short(span, said):
    assert vocabulary.format_duration(span) == said


def test_times_are_in_the_readers_zone():
    at = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert job_text.format_time(at) == "2026-03-01 12:30:05 UTC"
    with timezone.override("Asia/Seoul"):
        assert job_text.format_time(at) == "2026-03-01 21:30:05 KST"
        assert job_text.render_time(at) == (
            '<time datetime="2026-03-01T12:30:05+00:00" title="2026-03-01 12:30:05 UTC">2026-03-01 21:30:05 KST</time>'
        )
    with timezone.override("America/Sao_Paulo"):
        assert job_text.format_time(at) == "2026-03-01 09:30:05 UTC-03"
    assert job_text.format_time(None) == job_text.render_time(None) == ""


@time_machine.travel(datetime(2026, 3, 1, 20, tzinfo=UTC), tick=False)
def test_today_is_that_of_the_reader():
    at = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
    assert job_text.format_near_time(at) == "14:00:00 UTC"
    with timezone.override("Asia/Seoul"):
        assert job_text.format_near_time(at) == "2026-03-01 23:00:00 KST"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Cost 80", "Period cost"),
        ("Cost in Marketo, ID 6", "Cost in Marketo, ID 6"),
        ("Name", "Name"),
        ("CloseDate", "Close Date"),
    ],
)
def test_our_own_number_of_a_cost_is_not_shown(name, shown):
    assert vocabulary.field_text(name) == shown


def test_several_reasons_of_failures_are_counted_and_one_is_not_said():
    given = job(SyncJobState.PROBLEMS, planned=430, counts={"UPDATED": 412, "UNKNOWN": 3, "FAILED": 15})
    said = "Finished: 412 of 430 accepted; 15 failed for 2 reasons, 3 with an unknown outcome."
    assert job_text.describe_job(given, failed_for=2) == said
    assert job_text.describe_job(given, failed_for=1) == said.replace(" for 2 reasons", "")


@pytest.mark.parametrize(
    ("kind", "counts", "said"),
    [
        ("Opportunity", {}, "Deletion of 2 opportunities in Marketo"),
        ("Opportunity", {"DELETED": 3}, "Deletion of 3 records in Marketo"),
        ("OpportunityPersonRole", {"DELETED": 2}, "Deletion of 2 person roles in Marketo"),
    ],
)
def test_roles_that_were_deleted_with_opportunities_are_not_called_opportunities(kind, counts, said):
    deletion = job(SyncJobState.SUCCEEDED, action="delete", kind=kind, counts=counts, created_at=NOW)
    deletion.selection = {"kind": kind, "ids": [1, 2]}
    assert job_title(deletion).startswith(said)


@pytest.mark.parametrize("action", ["send", "undo"])
def test_records_that_another_job_sent_first_are_not_among_those_of_a_job_that_ended(action):
    """An undo knows beforehand of how many it sends the old values."""
    over = job(SyncJobState.SUCCEEDED, action=action, planned=3, counts={"UPDATED": 2})
    assert job_text.count_records(over) == 2
    assert job_text.describe_job(over).startswith("Finished: all 2 records were accepted. 1 more record was there ")
