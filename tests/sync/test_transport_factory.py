"""What a probe has learned of an instance reaches the transport that is opened for it."""

from __future__ import annotations

import pytest

from mobjects.instance_facts import store_answer
from mobjects.marketo.probing import ProbeAnswer
from mobjects.marketo.rest.probe import COSTS_BY_ID
from mobjects.marketo.types import Kind, MarketoQuery
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from mobjects.sync.transport_factory import key_fields, open_transport, target

pytestmark = pytest.mark.django_db

BY_NAME = "GET /rest/asset/v1/program/byName.json"


@pytest.fixture(autouse=True)
def over_rest(settings, sandbox, redis_url):
    """A site that speaks REST with the sandbox."""
    settings.MARKETO = {
        **settings.MARKETO,
        "TRANSPORT": "rest",
        "REST_ENDPOINT": sandbox.rest_endpoint,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
    }


def calls_for_details(sandbox):
    """What is called to read a program with its costs."""
    before = len(sandbox.calls)
    open_transport().find(MarketoQuery(Kind.PROGRAM, id=FIRST_PROGRAM_ID, details=True))
    return [call.operation for call in sandbox.calls[before:]]


def test_a_learned_fact_saves_a_call(sandbox):
    sandbox.instance.costs_by_id = True
    assert BY_NAME in calls_for_details(sandbox)
    store_answer("https://another.example/rest", ProbeAnswer(COSTS_BY_ID, "?", "Yes.", "yes"))
    assert BY_NAME in calls_for_details(sandbox)
    store_answer(target(), ProbeAnswer(COSTS_BY_ID, "?", "Yes.", "yes"))
    assert BY_NAME not in calls_for_details(sandbox)


def test_opening_a_transport_asks_neither_the_database_nor_redis_nor_marketo(sandbox, django_assert_num_queries):
    with django_assert_num_queries(0):
        open_transport()
    assert sandbox.calls == []


def test_the_keys_are_those_of_the_api_whatever_the_settings_say(settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": "Other", "COMPANY_KEY_FIELD": "Another"}
    assert (key_fields().opportunity, key_fields().company) == ("externalOpportunityId", "externalCompanyId")
