"""Limits, rights, races and lagging reads: what an instance refuses though the call is right."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.sandbox.rest.wire import Refused, cost

DESCRIBE = "/v1/opportunities/describe.json"


def codes(rest, number, path=DESCRIBE):
    found = []
    for _ in range(number):
        answer = rest.send("GET", path).json()
        found.append("" if answer["success"] else answer["errors"][0]["code"])
    return found


def test_nothing_is_limited_unless_it_is_switched_on(rest, sandbox):
    assert codes(rest, 30) == [""] * 30


def test_window_of_20_seconds_is_606(rest, sandbox):
    sandbox.store.clock.freeze(datetime(2026, 7, 1, 12, tzinfo=UTC))
    sandbox.instance.calls_per_window = 3
    assert codes(rest, 4) == ["", "", "", "606"]
    sandbox.store.clock.advance(19)
    assert codes(rest, 1) == ["606"]
    sandbox.store.clock.advance(20)
    assert codes(rest, 1) == [""]


def test_day_of_central_time_is_607_and_calls_of_others_count(rest, sandbox):
    sandbox.store.clock.freeze(datetime(2026, 7, 2, 4, 59, tzinfo=UTC))
    sandbox.instance.set_options({"calls_per_day": 10, "calls_of_others": 8})
    assert codes(rest, 3) == ["", "", "607"]
    sandbox.store.clock.advance(120)
    sandbox.instance.calls_of_others = 0
    assert codes(rest, 1) == [""]


def test_usage_tells_todays_calls_and_those_of_others(rest, sandbox):
    sandbox.instance.calls_of_others = 40
    codes(rest, 4)
    (today,) = rest.get("/v1/stats/usage.json")
    assert today["total"] == 45
    assert {user["userId"]: user["count"] for user in today["users"]} == {
        "api.user@sandbox.example.com": 5,
        "other.integration@sandbox.example.com": 40,
    }
    week = rest.get("/v1/stats/usage/last7days.json")
    assert [day["total"] for day in week] == [46, 0, 0, 0, 0, 0, 0]
    assert week[0]["date"] == today["date"]


def test_calls_at_the_same_time_are_615(rest, sandbox):
    rest.send("GET", DESCRIBE)
    sandbox.instance.calls_at_once = 1
    sandbox.faults.add("slow", seconds=30, path="*describe.json")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(codes, rest, 1)
        while "615" not in codes(rest, 1, "/v1/stats/usage.json"):
            pass
        sandbox.faults.release_calls()
        assert held.result() == [""]
    assert codes(rest, 1) == [""]


def test_a_second_write_on_a_program_that_is_being_written_is_611(rest, sandbox):
    rest.send("GET", DESCRIBE)
    sandbox.faults.add("slow", seconds=30, path="POST /rest/asset/v1/program/1001.json")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(rest.update, 1001, costs=[cost()])
        while not sandbox.store.programs[1001].costs:
            pass
        with pytest.raises(Refused) as refused:
            rest.call("POST", "/asset/v1/program/1001/tag/Region.json?tagValue=EMEA")
        assert refused.value.code == "611"
        assert rest.update(1002, description="another one")["id"] == 1002
        sandbox.faults.release_calls()
        assert held.result()["id"] == 1001
    assert rest.update(1001, description="now")["description"] == "now"


def test_a_write_right_after_another_may_be_611(rest, sandbox):
    sandbox.store.clock.freeze(datetime(2026, 7, 1, 12, tzinfo=UTC))
    sandbox.instance.write_race_seconds = 1
    rest.update(1001, description="x")
    with pytest.raises(Refused) as refused:
        rest.update(1001, description="y")
    assert refused.value.code == "611"
    sandbox.store.clock.advance(1)
    assert rest.update(1001, description="y")["description"] == "y"


@pytest.mark.parametrize(
    ("right", "refused", "allowed"),
    [
        ("Read-Write Opportunity", ("POST", "/v1/opportunities.json"), ("GET", DESCRIBE)),
        ("Read-Write Assets", ("POST", "/asset/v1/program/1001.json"), ("GET", "/asset/v1/program/1001.json")),
    ],
)
def test_a_right_that_lacks_is_603_for_its_calls_only(rest, sandbox, right, refused, allowed):
    sandbox.instance.denied_rights = [right]
    answer = rest.send(*refused).json()
    assert answer["errors"] == [{"code": "603", "message": "Access denied"}]
    assert rest.send(*allowed).json()["success"]


def test_reading_is_refused_where_neither_right_is_there(rest, sandbox):
    sandbox.instance.denied_rights = ["Read-Only Lead"]
    lead = {"filterType": "id", "filterValues": "1"}
    assert rest.get("/v1/leads.json", **lead)
    sandbox.instance.denied_rights = ["Read-Only Lead", "Read-Write Lead"]
    with pytest.raises(Refused, match="603"):
        rest.get("/v1/leads.json", **lead)


@pytest.mark.parametrize("pattern", ["GET /rest/v1/opportunities*", "/rest/v1/*/describe.json"])
def test_single_calls_may_be_denied(rest, sandbox, pattern):
    sandbox.instance.denied_paths = [pattern]
    assert codes(rest, 1) == ["603"]
    assert codes(rest, 1, "/v1/stats/usage.json") == [""]


def test_reads_lag_behind_writes(rest, sandbox):
    sandbox.store.clock.freeze(datetime(2026, 7, 1, 12, tzinfo=UTC))
    sandbox.instance.lag_seconds = 5
    rest.sync([{"externalOpportunityId": "A", "stage": "1"}])
    rest.update(1001, costs=[cost()])
    assert rest.query("externalOpportunityId", "A") == []
    assert rest.costs(1001) == []
    sandbox.store.clock.advance(3)
    rest.sync([{"externalOpportunityId": "A", "stage": "2"}])
    sandbox.store.clock.advance(3)
    assert rest.query("externalOpportunityId", "A", fields="stage") == [{"seq": 0, "stage": "1"}]
    assert rest.costs(1001) == [("2026-07-01", 500)]
    sandbox.store.clock.advance(3)
    assert rest.query("externalOpportunityId", "A", fields="stage") == [{"seq": 0, "stage": "2"}]


def test_reset_brings_switches_tokens_and_counters_back(rest, sandbox):
    sandbox.instance.set_options({"native_crm_sync": True, "calls_per_day": 1, "denied_paths": ["*"]})
    old = rest.identify().json()["access_token"]
    sandbox.reset()
    rest.token = ""
    assert codes(rest, 3) == ["", "", ""]
    assert rest.token != old
    assert not sandbox.instance.native_crm_sync
    assert sandbox.instance.denied_paths == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", True), ("native_crm_sync", 1), ("denied_rights", [5]), ("channel_on_update", "maybe")],
)
def test_senseless_switches_are_refused_as_a_whole(sandbox, name, value):
    with pytest.raises(ValueError, match=f"{name}|maybe"):
        sandbox.instance.set_options({"calls_per_day": 5, name: value})
    assert sandbox.instance.calls_per_day == 0
