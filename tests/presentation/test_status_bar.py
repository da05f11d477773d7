"""The bar of a job."""

from __future__ import annotations

import pytest

from mobjects.models import SyncJob, SyncJobState
from mobjects.presentation.status_bar import WIDTH, build_bar


def test_what_a_dry_run_would_send_has_its_part():
    job = SyncJob(state=SyncJobState.PROBLEMS, planned=12, counts={"PLANNED": 9, "HELD": 3})
    assert [(part.name, part.count, part.end) for part in build_bar(job)] == [("held", 3, 250), ("planned", 9, WIDTH)]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"DELETED": 3}, "deleted in Marketo"),
        ({"TAKEN": 3}, "taken from Marketo"),
        ({"NOT_SENT": 2}, "not applied"),
        ({"CONFLICT": 1}, "waiting for a decision"),
        ({"EQUAL": 2}, "with nothing to send"),
        ({"FAILED": 1, "NOT_SENT": 2}, "failed or not applied"),
    ],
)
def test_a_part_says_what_became_of_its_records_not_of_others_with_its_pattern(counts, words):
    (part,) = build_bar(SyncJob(state=SyncJobState.PROBLEMS, counts=counts))
    assert (part.count, part.label) == (sum(counts.values()), words)
