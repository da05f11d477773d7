"""The page of tokens: made and shown once, listed, revoked; also by who manages users."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mobjects.models import ApiToken, AuditEvent, EventKind
from tests import factories
from tests.api.clients import ApiClient, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]

PAGE = "/admin/api/tokens/"
ASKED = {"name": "nightly", "days": "30", "scopes": ["read"], "networks": "192.0.2.0/24\n127.0.0.1"}


def browser(name: str = "anna", group: str = "viewer") -> Client:
    """Somebody who has just confirmed who they are."""
    client = Client()
    client.force_login(factories.user(name, group=group))
    client.post("/admin/sign-in/confirm/", {"password": "secret"})
    return client


def manager() -> Client:
    client = browser("max", "operator")
    user = User.objects.get(username="max")
    user.user_permissions.add(Permission.objects.get(codename="manage_users"))
    return client


def shown(answer) -> str:
    found = re.search(r"data-token>(ma_[^<]+)<", answer.text)
    return found[1] if found else ""


def test_a_token_is_made_and_shown_once(settings):
    anna = browser()
    answer = anna.post(PAGE, ASKED)
    text = shown(answer)
    assert ApiClient(text).get("opportunities").status_code == 200
    assert "no-store" in answer["Cache-Control"]
    listed = anna.get(PAGE).text
    assert not shown(anna.get(PAGE))
    assert "nightly" in listed
    assert "Read records" in listed
    assert "192.0.2.0/24, 127.0.0.1/32" in listed


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("networks", "192.0.2.1/24", "192.0.2.1/24"),
        ("days", "9999", "365"),
        ("scopes", "everything", "everything"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(name, value, said):
    answer = browser().post(PAGE, {**ASKED, name: value})
    assert answer.status_code == 400
    assert said in answer.text
    assert not ApiToken.objects.exists()


def test_who_did_not_sign_in_lately_confirms_it_first():
    client = Client()
    client.force_login(factories.user("anna", group="viewer"))
    answer = client.post(PAGE, ASKED)
    assert answer.status_code == 302
    assert "confirm" in answer["Location"]
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_good_for_nothing():
    anna = browser()
    made, text = token(User.objects.get(username="anna"))
    anna.post(reverse("mobjects:api-token-revoke", args=[made.pk]))
    assert ApiClient(text).get("opportunities").status_code == 401
    assert AuditEvent.objects.get(kind=EventKind.TOKEN_REVOKED).detail["of"] == "anna"


def test_managers_make_and_revoke_tokens_of_who_may_no_more_than_they():
    max_, boss = manager(), factories.user("boss")
    boss.is_superuser = True
    boss.save()
    other, _text = token(factories.user("robot", group="editor"))
    of_boss, _text = token(boss)
    assert shown(max_.post(PAGE, {**ASKED, "username": "robot"}))
    assert "rights that you lack" in max_.post(PAGE, {**ASKED, "username": "boss"}).text
    assert max_.post(reverse("mobjects:api-token-revoke", args=[other.pk])).status_code == 302
    assert max_.post(reverse("mobjects:api-token-revoke", args=[of_boss.pk])).status_code == 403
    assert list(ApiToken.objects.exclude(revoked_at=None)) == [other]


def test_nobody_else_sees_or_revokes_a_token_of_another():
    made, _text = token(factories.user("robot", group="viewer"), name="secret plan")
    anna = browser()
    assert anna.post(reverse("mobjects:api-token-revoke", args=[made.pk])).status_code == 404
    assert "secret plan" not in anna.get(PAGE).text
    assert shown(anna.post(PAGE, {**ASKED, "username": "robot"}))
    assert ApiToken.objects.latest("pk").user.username == "anna"
