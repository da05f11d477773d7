"""Testing the connection says which right is missing, whether opportunities can be written, and how much was used."""

from __future__ import annotations

import pytest

from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET


@pytest.fixture
def marketo(sandbox, client):
    return RestTransport(RestSettings(sandbox.rest_endpoint, CLIENT_ID, CLIENT_SECRET), MemoryStore(), client=client)


def test_all_is_well_and_nothing_is_changed(marketo, sandbox):
    sandbox.instance.calls_of_others = 100
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert ping.message.startswith(
        "Marketo answered and accepted the credentials. All integrations together have made 1"
    )
    assert (sandbox.store.opportunities, sandbox.store.roles) == ({}, {})


@pytest.mark.parametrize("right", ["Read-Write Opportunity", "Read-Write Assets"])
def test_a_right_that_is_needed_and_missing_is_named(marketo, sandbox, right):
    sandbox.instance.denied_rights = [right]
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.ERROR
    assert right in ping.message
    assert "lacks rights, without which records cannot be synced" in ping.message


def test_all_missing_rights_are_named_at_once(marketo, sandbox):
    sandbox.instance.denied_paths = ["*"]
    message = marketo.ping().message
    for right in ("Read-Only Opportunity", "Read-Write Opportunity", "Read-Only Assets", "Read-Only Lead"):
        assert right in message


def test_a_right_that_is_needed_at_times_is_only_said(marketo, sandbox):
    sandbox.instance.denied_paths = ["GET /rest/v1/leads.json"]
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert "The API user also lacks: Read-Only Lead (for persons given by key)." in ping.message


def test_it_says_where_the_crm_owns_opportunities(marketo, sandbox):
    sandbox.instance.native_crm_sync = True
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert "native sync owns opportunities and roles" in ping.message


def test_a_limit_is_no_verdict_on_the_rights(marketo, sandbox):
    sandbox.faults.add("error", code="607")
    ping = marketo.ping()
    assert ping.verdict is ConnectionVerdict.ERROR
    assert "daily quota" in ping.message


def test_an_endpoint_where_nothing_listens_is_unreachable(sandbox, client):
    marketo = RestTransport(RestSettings("http://127.0.0.1:9/rest", "id", "secret"), MemoryStore(), client=client)
    assert marketo.ping().verdict is ConnectionVerdict.UNREACHABLE
