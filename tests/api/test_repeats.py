"""A request that is sent again, because its answer never came, does nothing a second time."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mobjects.models import Import, Opportunity, Schedule, SyncJob
from tests.api.clients import program_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_rest_settings")]

KEY, HEADER = "2b1f6a0e", "Idempotent-Replayed"
DEAL = {"name": "Deal"}
NIGHTLY = {"name": "Nightly", "action": "send", "kinds": ["Opportunity"], "cron": "0 6 * * *"}


@pytest.fixture
def api():
    return program_of("operator")


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("opportunities", DEAL, Opportunity),
        ("jobs", {"action": "compare", "kind": "all"}, SyncJob),
        ("schedules", NIGHTLY, Schedule),
    ],
)
def test_what_is_sent_again_with_its_key_is_made_once(api, path, body, model):
    first = api.post(path, body, Idempotency_Key=KEY)
    again = api.post(path, body, Idempotency_Key=KEY)
    assert first.status_code == again.status_code == 201, again.content
    assert first.json() == again.json()
    assert first.get("Location") == again.get("Location")
    assert (HEADER in first, again[HEADER]) == (False, "true")
    assert model.objects.count() == 1


def test_a_file_is_kept_once(api):
    def upload(content, name="deals.csv"):
        headers = {**api.headers, "Idempotency-Key": KEY}
        return api.client.post("/api/v1/imports", {"file": SimpleUploadedFile(name, content)}, headers=headers)

    first, again = upload(b"External ID,Name\nE-1,Deal\n"), upload(b"External ID,Name\nE-1,Deal\n")
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"] == Import.objects.get().pk
    other = upload(b"External ID,Name\nE-1,Date\n")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "Idempotency-Key")
    assert Import.objects.count() == 1


def test_without_a_key_each_request_is_one(api):
    assert [api.post("opportunities", DEAL).status_code for _ in range(2)] == [201, 201]
    assert Opportunity.objects.count() == 2


def test_another_request_with_the_same_key_is_refused(api):
    api.post("opportunities", DEAL, Idempotency_Key=KEY)
    answer = api.post("opportunities", {"name": "Another"}, Idempotency_Key=KEY)
    assert answer.status_code == 422
    problem = answer.json()["errors"][0]
    assert (problem["pointer"], problem["value"]) == ("Idempotency-Key", KEY)
    assert "Another request has been made with this key" in problem["detail"]
    assert Opportunity.objects.get().name == "Deal"


def test_keys_of_two_people_are_two(api):
    api.post("opportunities", DEAL, Idempotency_Key=KEY)
    assert program_of("operator", "bob").post("opportunities", DEAL, Idempotency_Key=KEY).status_code == 201
    assert Opportunity.objects.count() == 2


def test_what_was_refused_may_be_corrected_under_the_same_key(api):
    assert api.post("opportunities", {"name": ""}, Idempotency_Key=KEY).status_code == 422
    assert api.post("opportunities", DEAL, Idempotency_Key=KEY).status_code == 201


def test_an_answer_that_was_lost_gives_nobody_a_right(api):
    api.post("opportunities", DEAL, Idempotency_Key=KEY)
    reader = program_of("viewer", "bob")
    assert reader.post("opportunities", DEAL, Idempotency_Key=KEY).status_code == 403


def test_a_key_has_a_length(api):
    answer = api.post("opportunities", DEAL, Idempotency_Key="x" * 256)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [("opportunities", DEAL, Opportunity), ("jobs", {"action": "compare", "kind": "all"}, SyncJob)],
)
def test_what_is_gone_by_now_is_not_found(api, path, body, model):
    api.post(path, body, Idempotency_Key=KEY)
    model.objects.all().delete()
    assert api.post(path, body, Idempotency_Key=KEY).status_code == 404
