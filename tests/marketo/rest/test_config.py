"""What the REST transport is told: however it was pasted, one address comes of it."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import ConfigError
from mobjects.marketo.rest.config import ASSET_SECONDS, LEAD_DATABASE_SECONDS, RestSettings

BASE = "https://123-abc-456.mktorest.com"


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        (BASE, BASE),
        (f"{BASE}/", BASE),
        (f"{BASE}//", BASE),
        (f"{BASE}/rest", BASE),
        (f"{BASE}/rest/", BASE),
        (f"{BASE}//rest//v1", BASE),
        (f"{BASE}/REST", BASE),
        (f"{BASE}/identity", BASE),
        (f"{BASE}/identity/oauth/token", BASE),
        (f"{BASE}/rest/asset/v1/programs.json", BASE),
        ("http://127.0.0.1:8080/marketo//one/rest", "http://127.0.0.1:8080/marketo/one"),
        ("https://example.com/restful", "https://example.com/restful"),
    ],
)
def test_one_address_comes_of_whatever_was_pasted(endpoint, base):
    assert RestSettings(endpoint, "id", "secret").base == base


def config(**given):
    return {
        "REST_ENDPOINT": f" {BASE}/rest\n",
        "CLIENT_ID": "id ",
        "CLIENT_SECRET": "\tsecret",
        "TIMEOUT_SECONDS": 60,
        **given,
    }


def test_spaces_around_what_was_pasted_are_left_out():
    settings = RestSettings.from_config(config())
    assert (settings.endpoint, settings.client_id, settings.client_secret) == (f"{BASE}/rest", "id", "secret")


@pytest.mark.parametrize(
    ("seconds", "lead", "asset"),
    [(5, LEAD_DATABASE_SECONDS, ASSET_SECONDS), (100, 100, ASSET_SECONDS), (600, 600, 600)],
)
def test_nobody_gives_up_before_marketo_does(seconds, lead, asset):
    settings = RestSettings.from_config(config(TIMEOUT_SECONDS=seconds))
    assert (settings.lead_timeout_seconds, settings.asset_timeout_seconds) == (lead, asset)
    assert settings.lead_timeout_seconds > 60
    assert settings.asset_timeout_seconds > 300


@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET"])
@pytest.mark.parametrize("character", ["\x01", "\udcff"], ids=["control", "not UTF-8"])
def test_a_character_that_nobody_meant_is_named_without_the_value(name, character):
    settings = RestSettings.from_config(config(**{name: f"pasted{character}wrong"}))
    with pytest.raises(ConfigError, match=rf"MARKETO_{name}.*: character 7 is U\+") as caught:
        settings.check()
    assert "pasted" not in caught.value.message
    assert caught.value.__cause__ is None


def test_the_secret_is_not_shown():
    assert "secret'" not in repr(RestSettings(BASE, "id", "secret"))
