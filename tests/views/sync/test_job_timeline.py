"""A job's page says in order what happened to it as a whole: who, when, why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from mobjects import clock
from mobjects.models import Circuit, SyncBatchState, SyncJob, SyncJobState
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]


def moments(answer) -> list[list[str]]:
    rows = pages.tree(answer).xpath("//*[@id='job-timeline']//tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row.xpath("*")][1:] for row in rows]


@pytest.fixture
def told(db):
    """A job of an hour ago that was tried again, halted and let go on, stopped, and is repeated."""
    began = clock.now() - timedelta(hours=1)
    at = {minute: began + timedelta(minutes=minute) for minute in range(10)}
    job = pages.job(state=SyncJobState.RUNNING, username="anna", reason="Quarter end", problem_text="Marketo said no.")
    fault = {"fault_text": "Too many calls.", "state": SyncBatchState.REFUSED}
    for number, values in enumerate(({}, fault, {"attempt": 2, "cause": "No answer came."})):
        batch = pages.batch(job, sequence=number + 1, state=SyncBatchState.SENDING)
        given = {"state": SyncBatchState.ANSWERED, **values, "created_at": at[3 + number]}
        type(batch).objects.filter(pk=batch.pk).update(**given)
    circuit = Circuit.objects.create(job=job, reason="Access denied.", reset_at=at[7], username="boss")
    Circuit.objects.filter(pk=circuit.pk).update(opened_at=at[6])
    times = {"created_at": at[0], "queued_at": at[1], "started_at": at[2], "finished_at": at[8]}
    SyncJob.objects.filter(pk=job.pk).update(state=SyncJobState.STOPPED, **times)
    pages.job(origin=job, username="carla")
    return job


def test_it_is_told_in_order_with_who_and_why(told):
    found = moments(pages.client().get(pages.job_url(told)))
    assert found[:9] == [
        ["Asked for", "anna", "Quarter end"],
        ["Queued", "", ""],
        ["Started", "", ""],
        ["Batch 2: Refused, nothing applied", "", "Too many calls."],
        ["Batch 3: attempt 2", "", "No answer came."],
        ["Sending was halted", "", "Access denied."],
        ["Sending may go on", "boss", ""],
        ["Stopped", "", "Marketo said no."],
        [found[8][0], "carla", ""],
    ]
    assert found[8][0].startswith("Followed by: ")
    assert len(found) == 9


def test_what_people_press_stands_in_it_and_in_what_renews_itself():
    job, browser = pages.job(state=SyncJobState.QUEUED), pages.client()
    browser.post(reverse("mobjects:job-pause", args=[job.pk]))
    browser.post(reverse("mobjects:job-resume", args=[job.pk]))
    words = [row[0] for row in moments(browser.get(reverse("mobjects:job-live", args=[job.pk])))]
    assert [word for word in words if word in ("Paused", "Resumed")] == ["Paused", "Resumed"]
    assert [row[1] for row in moments(browser.get(pages.job_url(job))) if row[0] == "Paused"] == ["operator-user"]
