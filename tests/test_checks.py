"""System checks: what is missing or unsafe about the Marketo settings is named, with a hint."""

from __future__ import annotations

import pytest
from django.core.checks import ERROR

from mobjects.checks import check_database, check_https, check_marketo
from mobjects.sync.transport_factory import endpoint_is_local

REAL = "https://123-ABC-456.mktoapi.com/soap/mktows/2_7"
KEY = "never-shown-key"


@pytest.fixture
def configure(settings):
    def change(**changes):
        good = {"SOAP_ENDPOINT": REAL, "USER_ID": "user", "ENCRYPTION_KEY": KEY, "TRANSPORT": "soap"}
        settings.MARKETO = {**settings.MARKETO, **good, **changes}
        settings.DEBUG = False

    return change


def ids():
    return [message.id.removeprefix("mobjects.") for message in check_marketo(None)]


def test_a_whole_configuration_passes(configure):
    configure()
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SOAP_ENDPOINT": ""}, ["W001"]),
        ({"USER_ID": ""}, ["W001"]),
        ({"ENCRYPTION_KEY": ""}, ["W001"]),
        ({"TRANSPORT": "telex"}, ["E001"]),
        ({"SOAP_ENDPOINT": "123-ABC-456.mktoapi.com"}, ["E002"]),
        ({"SOAP_ENDPOINT": "ftp://host/x"}, ["E002"]),
        ({"SOAP_ENDPOINT": "https://[::1"}, ["E002"]),
        ({"SOAP_ENDPOINT": "https://name:word@host/"}, ["E002"]),
        ({"SOAP_ENDPOINT": REAL.replace("https", "http")}, ["E003"]),
        ({"SOAP_ENDPOINT": "http://127.0.0.1.example.com/"}, ["E003"]),
        ({"SOAP_ENDPOINT": "http://127.0.0.1:8001/soap"}, []),
        ({"SOAP_ENDPOINT": "http://localhost:8001/soap"}, []),
        ({"SOAP_ENDPOINT": "http://[::1]:8001/soap"}, []),
        ({"TIMEOUT_SECONDS": 0}, ["E004"]),
        ({"TIMEOUT_SECONDS": 601}, ["E004"]),
        ({"TIMEOUT_SECONDS": "60"}, ["E004"]),
        ({"TIMEOUT_SECONDS": True}, ["E004"]),
    ],
)
def test_each_fault_has_its_id(configure, changes, expected):
    configure(**changes)
    assert ids() == expected


def test_debug_with_a_real_marketo_is_warned_of(configure, settings):
    configure()
    settings.DEBUG = True
    assert ids() == ["W002"]


def test_debug_with_the_local_marketo_is_fine(configure, settings):
    configure(SOAP_ENDPOINT="http://127.0.0.1:8001/soap")
    settings.DEBUG = True
    assert ids() == []


def test_every_message_has_a_hint_and_none_holds_the_key(configure, settings):
    configure(SOAP_ENDPOINT="http://host/", USER_ID="", TIMEOUT_SECONDS=-1)
    settings.DEBUG = True
    messages = check_marketo(None)
    assert len(messages) == 4
    assert all(message.hint for message in messages)
    assert KEY not in "".join(f"{message.msg}{message.hint}" for message in messages)


def test_a_missing_setting_is_named_with_where_to_find_it(configure):
    configure(ENCRYPTION_KEY="")
    (message,) = check_marketo(None)
    assert "MARKETO_ENCRYPTION_KEY (or MARKETO_ENCRYPTION_KEY_FILE) is not set" in message.msg
    assert "Admin > Web Services" in message.hint


@pytest.mark.parametrize(
    ("address", "local"),
    [("http://localhost:8001/soap", True), ("http://127.0.0.1.example.com/", False), ("", False)],
)
def test_only_an_endpoint_on_this_machine_is_local(configure, address, local):
    configure(SOAP_ENDPOINT=address)
    assert endpoint_is_local() is local


@pytest.mark.parametrize("pool", [True, {"min_size": 2}])
def test_djangos_own_connection_pool_is_refused_because_workers_fork(settings, monkeypatch, pool):
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], "pool", pool)
    (found,) = check_database(None)
    assert (found.id, found.level) == ("mobjects.E005", ERROR)
    assert found.msg == "The database “default” uses Django's own connection pool."


def test_connections_without_a_pool_pass():
    assert check_database(None) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"SECURE_HSTS_SECONDS": 0}, []),
        ({"SECURE_HSTS_SECONDS": 3600}, ["mobjects.W003"]),
        ({"SECURE_HSTS_PRELOAD": True}, ["mobjects.E006"]),
        ({"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True}, []),
        (
            {"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_HSTS_SECONDS": 86_400},
            ["mobjects.E006"],
        ),
    ],
)
def test_what_browsers_would_not_heed_of_https_is_named(settings, changes, expected):
    good = {"SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": 365 * 86_400}
    for name, value in {**good, **changes}.items():
        setattr(settings, name, value)
    assert [message.id for message in check_https(None)] == expected
