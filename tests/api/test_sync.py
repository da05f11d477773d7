"""Previews, jobs and schedules through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobjects import clock
from mobjects.models import AuditEvent, EventKind, Schedule, SyncJob, SyncJobSource
from tests import factories
from tests.api.clients import ApiClient, program_of, token
from tests.support.approvals import make_rule
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("groups")]


@pytest.fixture
def api(queue, marketo_settings):
    return program_of("operator")


def test_a_sending_is_previewed_started_and_read(api, work):
    deal = factories.opportunity()
    preview = api.post("previews", {"kind": "Opportunity", "ids": [deal.pk]}).json()
    assert (preview["ready"], preview["sendable"], preview["lines"][0]["count"]) == (True, 1, 1)
    answer = api.post("jobs", {"action": "send", "kind": "Opportunity", "ids": [deal.pk], "reason": "nightly"})
    assert answer.status_code == 201, answer.content
    one = f"jobs/{answer.json()['id']}"
    work()
    job = api.get(one).json()
    assert (job["state"], job["source"], job["username"]) == ("succeeded", "api", "anna")
    assert job["by_token"].startswith("nightly (")
    (result,) = api.get(f"{one}/results").json()["items"]
    assert (result["record_id"], result["status"]) == (deal.pk, "CREATED")
    (batch,) = api.get(f"{one}/batches").json()["items"]
    assert (batch["size"], batch["state"]) == (1, "answered")
    assert api.get("jobs", state="succeeded").json()["items"] == [job]
    again = api.post("jobs", {"action": "send", "kind": "Opportunity", "ids": [deal.pk]})
    assert (again.status_code, SyncJob.objects.count()) == (409, 1)


def test_a_preview_says_what_marketo_would_skip(api):
    factories.opportunity(marketo_id=7)
    factories.opportunity()
    preview = api.post("previews", {"kind": "Opportunity", "operation": "INSERT"}).json()
    (line,) = preview["lines"]
    assert (preview["created"], preview["skipped"], line["created"], line["skipped"]) == (1, 1, 1, 1)


def test_exactly_what_a_dry_run_found_is_sent(api, work):
    factories.opportunity()
    kept = api.post("jobs", {"action": "dry_run"}).json()
    work()
    later = factories.opportunity()
    sent = api.post("jobs", {"action": "send", "of_dry_run": kept["id"]}).json()
    work()
    assert api.get(f"jobs/{sent['id']}").json()["counts"] == {"CREATED": 1}
    assert factories.fresh(later).state == "never"


def test_a_dry_run_that_goes_on_is_not_sent_yet(api):
    factories.opportunity()
    kept = api.post("jobs", {"action": "dry_run"}).json()
    answer = api.post("jobs", {"action": "send", "of_dry_run": kept["id"]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["detail"] == "Only a dry run that is over and found something can be sent."


def test_a_sending_that_a_rule_holds_is_answered_so(api):
    make_rule()
    deal = factories.opportunity()
    answer = api.post("jobs", {"action": "send", "kind": "Opportunity", "ids": [deal.pk]})
    assert (answer.status_code, answer.json()["state"]) == (202, "held")


@pytest.mark.parametrize("right", [[], ["view_opportunity"]])
def test_values_of_results_are_for_those_who_may_see_the_kind(right):
    person = factories.user("watcher")
    person.user_permissions.add(*map(factories.permission, [*right, "view_syncjob", "view_syncresult"]))
    diff = [["Stage", "Open", "Won"]]
    job = pages.result(pages.job(), diff=diff).job
    (result,) = ApiClient(token(person)[1]).get(f"jobs/{job.pk}/results").json()["items"]
    assert result["changes"] == (diff if right else [])
    assert result["changes_missing"] == (
        "" if right else "Not shown: you may not see records of this kind, or not all that belongs to them."
    )


def test_values_that_were_removed_are_told_from_such_as_never_were(api):
    now = clock.now()
    job = pages.job(finished_at=now - timedelta(days=800), values_removed_at=now - timedelta(days=70))
    pages.result(job)
    (result,) = api.get(f"jobs/{job.pk}/results").json()["items"]
    assert (result["changes"], result["changes_missing"]) == ([], "The values were removed after 730 days.")


def test_jobs_are_steered_and_listed_by_key(api):
    first, second = (api.post("jobs", {"action": "pull", "kind": kind}).json() for kind in ("Program", "Opportunity"))
    page = api.get("jobs", limit=1).json()
    assert [each["id"] for each in page["items"]] == [second["id"]]
    rest = api.client.get(page["next"], headers=api.headers).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([first["id"]], None)
    assert api.post(f"jobs/{first['id']}/pause").json()["state"] == "paused"
    assert api.post(f"jobs/{first['id']}/resume").json()["state"] == "queued"
    assert api.post(f"jobs/{first['id']}/cancel").json()["state"] == "cancelled"
    assert api.post(f"jobs/{first['id']}/cancel").status_code == 409
    token = AuditEvent.objects.get(kind=EventKind.CANCELLED).detail["token"]
    assert token.startswith("nightly (")
    assert {job.source for job in SyncJob.objects.all()} == {SyncJobSource.API}


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"action": "send", "ids": [1]}, ""),
        ({"action": "send", "kind": "Program", "ids": []}, "/ids"),
        ({"action": "send", "of_dry_run": "00000000-0000-0000-0000-000000000001"}, "/of_dry_run"),
        ({"action": "pull"}, "/kind"),
        ({"action": "explode"}, "/action"),
    ],
)
def test_what_cannot_be_started_is_said(api, sent, pointer):
    factories.opportunity()
    answer = api.post("jobs", sent)
    assert answer.status_code == 422, answer.content
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert not SyncJob.objects.exists()


def test_a_schedule_is_created_changed_and_paused(api):
    sent = {"name": "Nightly", "action": "send", "kinds": ["Opportunity"], "cron": "0 6 * * 1-5"}
    answer = api.post("schedules", sent)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["owner"], made["enabled"], made["next_at"] is None) == ("anna", True, False)
    one = f"schedules/{made['id']}"
    assert (answer["ETag"], answer["Location"]) == (made["etag"], f"/api/v1/{one}")
    assert api.patch(one, {"cron": "0 6 * *"}, if_match=made["etag"]).json()["errors"][0]["pointer"] == "/cron"
    moved = api.patch(one, {"cron": "0 7 * * 1-5"}, if_match=made["etag"])
    assert moved.json()["cron"] == "0 7 * * 1-5"
    paused = api.patch(one, {"enabled": False}, if_match=moved["ETag"]).json()
    assert (paused["enabled"], paused["next_at"], paused["cron"]) == (False, None, "0 7 * * 1-5")
    assert Schedule.objects.count() == 1
    kinds = (EventKind.ADDED, EventKind.CHANGED)
    events = AuditEvent.objects.filter(kind__in=kinds, model="schedule").order_by("pk")
    assert [event.kind for event in events] == [EventKind.ADDED, EventKind.CHANGED, EventKind.CHANGED]
    assert all(event.detail["token"].startswith("nightly (") for event in events)


def test_a_schedule_is_changed_only_as_it_was_seen(api):
    made = api.post("schedules", {"name": "N", "action": "send", "kinds": ["Opportunity"], "cron": "0 6 * * *"}).json()
    one = f"schedules/{made['id']}"
    unseen = api.patch(one, {"enabled": False})
    assert (unseen.status_code, unseen["ETag"]) == (428, made["etag"])
    # That it ran is no change of what people say of it; that somebody else paused it is.
    Schedule.objects.update(last_at=clock.now())
    assert api.get(one)["ETag"] == made["etag"]
    Schedule.objects.update(enabled=False)
    late = api.patch(one, {"cron": "0 7 * * *"}, if_match=made["etag"])
    assert (late.status_code, late["ETag"] == made["etag"]) == (412, False)
    assert Schedule.objects.get().cron == "0 6 * * *"
    assert api.patch(one, {"cron": "0 7 * * *"}, if_match=f"W/{late['ETag']}").json()["cron"] == "0 7 * * *"


def test_nobody_has_done_by_the_clock_what_they_may_not_do():
    api = program_of("operator", name="olga", scopes=["schedules"])
    sent = {"name": "Nightly", "action": "send", "kinds": ["Opportunity"], "cron": "0 6 * * *"}
    assert api.post("schedules", sent).json()["errors"][0]["pointer"] == "/action"
    assert api.post("jobs", {"action": "send"}).status_code == 403
