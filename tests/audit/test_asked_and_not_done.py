"""What was asked for and not done, as things stood, is kept; and each event names the id of its request in the log."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects.models import AuditEvent, BulkDeletion, EventKind, Opportunity, SyncJobState
from tests import factories
from tests.api.clients import program_of
from tests.views import pages
from tests.views.imports.made_imports import imported as made_import

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]
ID = "click-0123456789"


@pytest.fixture
def browser():
    return pages.client()


def press(browser, name: str, pk: object, **fields):
    return browser.post(reverse(f"mobjects:{name}", args=[pk]), fields, headers={"X-Request-ID": ID})


def only(kind: EventKind) -> AuditEvent:
    return AuditEvent.objects.get(kind=kind)


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("job-retry", SyncJobState.RUNNING),
        ("send-rest", SyncJobState.SUCCEEDED),
        ("undo-sending", SyncJobState.RUNNING),
        ("job-pause", SyncJobState.SUCCEEDED),
        ("job-queue-again", SyncJobState.SUCCEEDED),
    ],
)
def test_work_on_a_job_that_its_state_does_not_allow(browser, address, state):
    job = pages.job(state=state)
    press(browser, address, job.pk)
    event = only(EventKind.NOT_DONE)
    assert (event.username, event.model, event.object_id) == ("operator-user", "syncjob", str(job.pk))
    assert event.detail == {"what": address, "why": state.value, "request": ID}


def test_an_import_that_was_undone_is_not_undone_again(browser):
    imported = made_import(state="committed")
    press(browser, "import-undo", imported.pk)
    asked = only(EventKind.ASKED)
    assert (asked.model, asked.object_id) == ("import", str(imported.pk))
    assert asked.detail == {"what": "undoing", "request": ID}
    press(browser, "import-undo", imported.pk)
    event = only(EventKind.NOT_DONE)
    assert (event.object_id, event.detail["what"]) == (str(imported.pk), "import-undo")


def test_a_deletion_and_its_undo_and_what_was_asked_twice(browser):
    record = factories.opportunity()
    chosen = {"action": "delete_selected", "_selected_action": [record.pk]}
    browser.post(reverse("admin:mobjects_opportunity_changelist"), chosen)
    deletion = BulkDeletion.objects.get()
    for name in ("deletion-confirm", "deletion-confirm", "deletion-undo"):
        browser.post(reverse(f"mobjects:{name}", args=[deletion.pk]), headers={"X-Request-ID": ID})
    assert Opportunity.objects.count() == 1
    kept = AuditEvent.objects.filter(model="bulkdeletion", object_id=str(deletion.pk)).order_by("pk")
    assert list(kept.values_list("kind", "detail")) == [
        ("asked", {"what": "deletion", "request": ID}),
        ("not_done", {"what": "deletion-confirm", "why": "deleted", "request": ID}),
        ("asked", {"what": "deletion-undo", "request": ID}),
    ]


def test_what_the_api_refuses_as_things_stand_is_kept_without_what_was_sent():
    job = pages.job(state=SyncJobState.SUCCEEDED)
    api = program_of()
    assert api.post(f"jobs/{job.pk}/cancel").status_code == 409
    event = only(EventKind.NOT_DONE)
    assert (event.username, event.words) == ("anna", f"POST /api/v1/jobs/{job.pk}/cancel")
    assert event.detail["why"] == "409"
    assert event.detail["token"].startswith("nightly (")
