"""Asking an instance what its documentation leaves open: answers that follow the instance, and nothing left behind."""

from __future__ import annotations

import copy

import pytest

from mobjects.marketo.probing import ProbeOrder
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import RestSettings
from mobjects.marketo.rest.probe import RestProbe
from mobjects.marketo.shared_store import MemoryStore
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET

PROGRAM = 1001


@pytest.fixture
def calls(sandbox):
    return RestCalls(RestSettings(sandbox.rest_endpoint, CLIENT_ID, CLIENT_SECRET), MemoryStore())


def ask(calls, order=ProbeOrder()):  # noqa: B008  # frozen
    return {answer.name: answer for answer in RestProbe(calls, order).ask_all()}


def give_cost(calls):
    costs = [{"startDate": "2026-01-01", "cost": 5, "note": ""}]
    calls.write_form(f"/rest/asset/v1/program/{PROGRAM}.json", {"costs": costs})


def programs(sandbox):
    return copy.deepcopy({number: (each.costs, each.tags) for number, each in sandbox.store.programs.items()})


def amounts(kept):
    return sorted((each.month, each.amount, each.note) for each in kept[PROGRAM][0].values())


def test_without_a_program_nothing_is_written(sandbox, calls):
    before = programs(sandbox)
    answers = ask(calls)
    assert programs(sandbox) == before
    assert "externalOpportunityId" in answers["opportunities_fields"].answer
    assert answers["roles_searchable"].answer != "none."
    assert answers["costs_by_id"].fact == "no"


@pytest.mark.parametrize(("by_id", "fact"), [(True, "yes"), (False, "no")])
def test_whether_costs_come_by_id_is_seen_on_a_program_that_has_some(sandbox, calls, by_id, fact):
    give_cost(calls)
    sandbox.instance.set_options({"costs_by_id": by_id})
    assert ask(calls)["costs_by_id"].fact == fact


@pytest.mark.parametrize(("adds", "fact"), [(True, "yes"), (False, "no")])
def test_what_is_tried_on_a_program_is_put_back(sandbox, calls, adds, fact):
    give_cost(calls)
    sandbox.instance.set_options({"tag_call_adds": adds})
    before = programs(sandbox)
    answers = ask(calls, ProbeOrder(PROGRAM))
    after = programs(sandbox)
    assert amounts(after) == amounts(before)
    assert after[PROGRAM][1] == before[PROGRAM][1]
    assert answers["tag_adds"].fact == fact
    assert answers["cost_append"].fact == "rows"
    assert answers["cost_decimals"].fact == "refused"
    assert answers["missing_code"].fact == "1013"


@pytest.mark.parametrize(("channel", "fact"), [("accepted", "yes"), ("refused", "no")])
def test_whether_the_channel_can_be_set_follows_the_instance(sandbox, calls, channel, fact):
    sandbox.instance.set_options({"channel_on_update": channel})
    assert ask(calls, ProbeOrder(PROGRAM))["channel_on_update"].fact == fact


def test_codes_of_a_key_that_exists(sandbox, calls):
    record = {"externalOpportunityId": "P-1", "name": "Probe"}
    body = {"action": "createOrUpdate", "input": [record]}
    calls.write_json("/rest/v1/opportunities.json", body)
    answers = ask(calls, ProbeOrder(PROGRAM, "P-1"))
    assert answers["key_visible"].fact == "yes"
    assert answers["existing_code"].fact == "1017"
    assert answers["nobody_code"].fact == "1004"
    assert ask(calls, ProbeOrder(opportunity_key="P-2"))["key_visible"].fact == "no"
