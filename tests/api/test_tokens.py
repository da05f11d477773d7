"""Tokens: what they may do, when they are refused, and what is kept about them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from mobjects.models import ApiToken, AuditEvent, EventKind
from tests import factories
from tests.api.clients import ApiClient, program_of, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def events(*kinds: EventKind) -> list[str]:
    return list(AuditEvent.objects.filter(kind__in=kinds).order_by("pk").values_list("kind", flat=True))


def test_only_a_digest_is_kept():
    made, text = token(factories.user("anna", group="viewer"))
    kept = " ".join(str(value) for value in ApiToken.objects.filter(pk=made.pk).values()[0].values())
    assert text not in kept
    assert text.rpartition("_")[2] not in kept
    assert made.prefix in text


def test_a_token_reads_what_its_person_may_and_its_first_use_is_kept():
    api = program_of("viewer")
    assert [api.get("opportunities").status_code for _ in range(2)] == [200, 200]
    assert events(EventKind.TOKEN_MADE, EventKind.TOKEN_USED) == ["token_made", "token_used"]


def test_without_a_token_a_signed_in_browser_gets_nothing():
    browser = Client()
    browser.force_login(factories.user("anna", group="operator"))
    answer = browser.get("/api/v1/opportunities")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert "Bearer" in answer.json()["detail"]


def test_rights_are_those_of_this_moment():
    anna = factories.user("anna", group="viewer")
    api = ApiClient(token(anna)[1])
    assert api.get("programs").status_code == 200
    anna.groups.clear()
    assert api.get("programs").status_code == 403
    anna.user_permissions.add(Permission.objects.get(codename="view_program"))
    assert api.get("programs").status_code == 200
    assert api.get("roles").status_code == 403


def test_scopes_narrow_even_a_superuser():
    boss = factories.user("boss")
    boss.is_superuser = True
    boss.save()
    assert ApiClient(token(boss)[1]).get("programs").status_code == 200
    assert ApiClient(token(boss, scopes=["history"])[1]).get("programs").status_code == 403
    assert ApiClient(token(boss, scopes=["of a later version"])[1]).get("programs").status_code == 403
    assert User.objects.get(pk=boss.pk).is_superuser


def refuse(anna: User, made: ApiToken, how: str) -> None:
    if how == "revoked":
        ApiToken.objects.filter(pk=made.pk).update(revoked_at=timezone.now())
    elif how == "person":
        User.objects.filter(pk=anna.pk).update(is_active=False)
    elif how == "factor":
        anna.groups.create(name="careful")


@pytest.mark.parametrize("how", ["revoked", "expired", "address", "person", "factor", "unknown"])
def test_a_token_that_is_not_good_is_refused_and_that_is_kept_once(how, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "SECOND_FACTOR_GROUPS": ["careful"]}
    anna = factories.user("anna", group="viewer")
    made, text = token(anna, networks=["192.0.2.0/24"] if how == "address" else [])
    refuse(anna, made, how)
    api = ApiClient(text[:-1] + ("A" if text[-1] != "A" else "B") if how == "unknown" else text)
    with time_machine.travel(timezone.now() + timedelta(days=31 if how == "expired" else 0), tick=False):
        answers = [api.get("programs") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert AuditEvent.objects.get(kind=EventKind.TOKEN_REFUSED).detail["why"] == how
    assert not events(EventKind.TOKEN_USED)


def test_an_address_may_be_a_network():
    api = program_of(networks=["192.0.2.0/24", "2001:db8::/32"])
    for address, status in (("192.0.2.7", 200), ("2001:db8::5", 200), ("198.51.100.1", 401)):
        answer = api.client.get("/api/v1/programs", headers=api.headers, REMOTE_ADDR=address)
        assert answer.status_code == status


def test_too_many_requests_wait(settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "API_PER_MINUTE": 2}
    api, other = program_of(), program_of(name="bert")
    with time_machine.travel("2026-06-01T10:00:40Z", tick=False):
        assert [api.get("programs").status_code for _ in range(3)] == [200, 200, 429]
        assert api.get("programs")["Retry-After"] == "20"
        assert other.get("programs").status_code == 200
        guesses = [ApiClient(f"ma_0123456{n}_{'x' * 43}").get("programs").status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]


def test_what_was_not_found_or_is_too_long_is_answered_as_a_problem():
    api = program_of()
    for answer, status in (
        (api.get("opportunities/99"), 404),
        (api.get("no-such-thing"), 404),
        (api.get("opportunities", name__regex="x"), 400),
        (api.get("opportunities", limit="many"), 422),
        (api.post("opportunities", {"name": "x" * 6_000_000}), 413),
        (ApiClient().post("opportunities", {"name": "x" * 100_000}), 401),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status
    problem = api.get("opportunities", limit="many").json()["errors"][0]
    assert (problem["pointer"], problem["value"]) == ("limit", "many")
