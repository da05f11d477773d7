"""The bar of a job."""

from __future__ import annotations

from mobjects.models import SyncJob, SyncJobState
from mobjects.presentation.status_bar import WIDTH, build_bar


def test_what_a_dry_run_would_send_has_its_part():
    job = SyncJob(state=SyncJobState.PROBLEMS, planned=12, counts={"PLANNED": 9, "HELD": 3})
    assert [(part.name, part.count, part.end) for part in build_bar(job)] == [("held", 3, 250), ("planned", 9, WIDTH)]
