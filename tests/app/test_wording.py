"""Jobs in plain sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mobjects import wording
from mobjects.models import SyncBatch, SyncJob

S = SyncJob.State


def job(state, **values):
    return SyncJob(state=state, **values)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (job(S.SUCCEEDED), "Finished: there was nothing to send."),
        (job(S.SUCCEEDED, planned=1, counts={"CREATED": 1}), "Finished: the record was accepted."),
        (job(S.SUCCEEDED, planned=3, counts={"CREATED": 1, "EQUAL": 2}), "Finished: all 3 records were accepted."),
        (
            job(S.PROBLEMS, planned=430, counts={"UPDATED": 412, "FAILED": 15, "HELD": 3}),
            "Finished: 412 of 430 accepted; 15 failed, 3 held back.",
        ),
        (job(S.RUNNING, planned=1200, counts={"CREATED": 100}), "Running: 100 of 1,200 records done."),
        (job(S.NOT_QUEUED), "Not queued. Nothing was sent."),
        (job(S.NOT_QUEUED, problem_text="Redis is down."), "Not queued. Redis is down."),
        (job(S.QUEUED), "Waiting for a worker."),
        (job(S.CRASHED), "Crashed: no reason is known."),
    ],
)
def test_a_job_is_said_in_one_sentence(given, said):
    assert wording.sentence(given) == said


def test_a_waiting_job_without_a_worker_says_so():
    assert "No worker is running" in wording.sentence(job(S.QUEUED), worker_alive=False)
    assert "No worker" not in wording.sentence(job(S.QUEUED), worker_alive=None)


def test_a_running_job_whose_worker_is_gone_says_so():
    assert "no worker is running" in wording.sentence(job(S.RUNNING, planned=2), worker_alive=False)


def test_a_stopped_job_says_what_was_not_applied_and_what_is_left():
    stopped = job(S.STOPPED, planned=430, counts={"CREATED": 100, "NOT_SENT": 100}, problem_text="Signature refused.")
    batch = SyncBatch(sequence=2, state=SyncBatch.State.NOT_SENT)
    assert wording.sentence(stopped, [batch]) == (
        "Stopped: Signature refused. Nothing of batch 2 was applied. 330 records stay to be sent."
    )


def test_an_unknown_outcome_is_never_counted_as_left_to_send():
    stopped = job(S.STOPPED, planned=101, counts={"UNKNOWN": 100}, problem_text="Cut off")
    batch = SyncBatch(sequence=1, state=SyncBatch.State.UNKNOWN)
    assert wording.sentence(stopped, [batch]) == (
        "Stopped: Cut off. Batch 1 may or may not have been applied. "
        "What became of 100 records is not known. 1 record stays to be sent."
    )


def test_counts_name_first_what_needs_a_person():
    assert wording.counts_text({"CREATED": 412, "FAILED": 15}) == "15 failed · 412 created"
    assert wording.counts_text({}) == "nothing sent"


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"kinds": ["Opportunity"], "ids": [1]}, "1 selected opportunity"),
        ({"kinds": ["Program"], "ids": [1, 2]}, "2 selected programs"),
        ({"kinds": ["Program", "Opportunity"], "ids": None}, "All changed programs, opportunities"),
        (
            {"kinds": ["OpportunityPersonRole"], "ids": None, "resend": True, "include_unknown": True},
            "All person roles, unchanged ones too, unknown outcomes again",
        ),
        ({}, "All changed records"),
    ],
)
def test_a_selection_is_said_in_words(selection, said):
    assert wording.selection_text(selection) == said


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
    assert wording.duration(span) == said


def test_a_time_is_shown_in_utc_with_its_zone():
    seoul = timezone(timedelta(hours=9))
    assert wording.moment(datetime(2026, 3, 1, 9, 0, 5, tzinfo=seoul)) == "2026-03-01 00:00:05 UTC"
    assert wording.moment(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01 00:00:00 UTC"
    assert wording.moment(None) == ""
