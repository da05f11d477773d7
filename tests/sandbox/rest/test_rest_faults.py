"""Scripted failures over REST: what is answered, whether the call was applied, and which call it hits."""

import http.client
import json

import pytest
import requests

from tests.sandbox.rest.wire import Refused, cost, outcome
from tests.sandbox.wire import Fault, opportunity

OPPORTUNITIES = "POST /rest/v1/opportunities.json"


def three():
    return [{"externalOpportunityId": key} for key in "ABC"]


def keys(sandbox):
    return [stored.values["ExternalOpportunityId"] for stored in sandbox.store.opportunities.values()]


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("code", ["502", "604", "606", "607", "608", "611", "615", "1018"])
def test_error_comes_before_or_after_applying(rest, sandbox, code, applied):
    sandbox.faults.add("error", code=code, text="because", applied=applied)
    with pytest.raises(Refused, match="because") as refused:
        rest.sync(three())
    assert refused.value.code == code
    assert keys(sandbox) == (["A", "B", "C"] if applied else [])


@pytest.mark.parametrize("applied", [False, True])
def test_html_page_instead_of_an_envelope(rest, sandbox, applied):
    sandbox.faults.add("http", status=502, applied=applied)
    answer = rest.send("POST", "/v1/opportunities.json", json={"input": three()})
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")
    assert keys(sandbox) == (["A", "B", "C"] if applied else [])


@pytest.mark.parametrize(
    ("kind", "left"), [("cut_before", ""), ("cut_after", "ABC"), ("cut_inside", "ABC"), ("late", "")]
)
def test_line_is_cut(rest, sandbox, kind, left):
    rest.identify()
    sandbox.faults.add(kind, seconds=5)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        rest.sync(three())
    assert keys(sandbox) == list(left)
    call = sandbox.calls[-1]
    assert (call.http_status, call.scripted, call.finished) == (None, kind, True)


def test_late_call_arrives_on_the_sandbox_clock(rest, sandbox):
    sandbox.faults.add("late", seconds=5)
    with pytest.raises(requests.ConnectionError):
        rest.sync(three())
    assert rest.query("externalOpportunityId", "A") == []
    sandbox.store.clock.advance(5)
    assert len(rest.query("externalOpportunityId", "A")) == 1


def test_late_call_that_is_refused_changes_nothing(rest, sandbox):
    rest.update(1001, costs=[cost()])
    sandbox.faults.add("late", seconds=5)
    with pytest.raises(requests.ConnectionError):
        rest.update(1001, costs=[cost(amount=1.5)])
    late = sandbox.calls[-1]
    sandbox.store.clock.advance(5)
    assert rest.costs(1001) == [("2026-07-01", 500)]
    assert late.fault == "1001"


def test_page_may_have_a_text_of_its_own(rest, sandbox):
    sandbox.faults.add("http", status=503, text="<h1>Maintenance</h1>")
    assert rest.send("GET", "/v1/stats/usage.json").text == "<h1>Maintenance</h1>"


def test_edit_of_a_program_that_is_not_there_changes_nothing(rest, sandbox):
    sandbox.faults.add("edit", path="*", program=9999, month="2026-09", amount="70")
    assert rest.update(1001, description="x")["costs"] is None
    assert 9999 not in sandbox.store.programs


def test_token_may_come_slowly(rest, sandbox):
    sandbox.faults.add("slow", seconds=0.01, path="/identity/*")
    assert rest.identify().json()["token_type"] == "bearer"
    assert sandbox.calls[-1].scripted == "slow"


def test_half_of_the_body_arrives_where_it_is_cut_inside(rest, sandbox):
    sandbox.faults.add("cut_inside")
    token = rest.identify().json()["access_token"]
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/rest/v1/opportunities.json", json.dumps({"input": three()}), headers)
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    assert cut.value.partial.startswith(b'{"requestId"')
    connection.close()


@pytest.mark.parametrize(
    ("kind", "seqs"), [("short", [0, 1]), ("long", [0, 1, 2, 2]), ("shuffled", [2, 1, 0]), ("empty", [])]
)
def test_rows_of_the_wrong_number_or_order(rest, sandbox, kind, seqs):
    sandbox.faults.add(kind)
    rows = rest.sync(three())
    assert [row["seq"] for row in rows] == seqs
    assert keys(sandbox) == ["A", "B", "C"]


def test_rows_without_seq(rest, sandbox):
    sandbox.faults.add("missing_seq")
    assert [set(row) for row in rest.sync(three())] == [{"status", "marketoGUID"}] * 3


def test_success_without_result(rest, sandbox):
    sandbox.faults.add("no_result")
    answer = rest.call("POST", "/v1/opportunities.json", json={"input": three()})
    assert list(answer) == ["requestId", "success"]
    assert keys(sandbox) == ["A", "B", "C"]


def test_success_without_a_body(rest, sandbox):
    sandbox.faults.add("empty_body")
    answer = rest.send("POST", "/v1/opportunities.json", json={"input": three()})
    assert (answer.status_code, answer.content) == (200, b"")
    assert keys(sandbox) == ["A", "B", "C"]


def test_status_line_without_a_reason(rest, sandbox):
    sandbox.faults.add("status_line", path="/identity/*")
    sandbox.faults.add("status_line", path="*")
    assert rest.identify().reason == "200"
    assert rest.send("GET", "/v1/stats/usage.json").reason == "200"
    assert rest.send("GET", "/v1/stats/usage.json").reason == "OK"


def test_one_bad_row_is_not_applied_and_the_others_are(rest, sandbox):
    sandbox.faults.add("bad_row", row=1, code="1014", text="no luck")
    rows = rest.sync(three())
    assert [outcome(row) for row in rows] == ["created", "1014", "created"]
    assert rows[1]["reasons"][0]["message"] == "no luck"
    assert keys(sandbox) == ["A", "C"]


def test_row_may_carry_any_word(rest, sandbox):
    sandbox.faults.add("row_status", row=1, row_status="merged")
    assert [row["status"] for row in rest.sync(three())] == ["created", "merged", "created"]
    assert keys(sandbox) == ["A", "B", "C"]


def test_fault_hits_the_nth_call_of_its_path(rest, sandbox):
    sandbox.faults.add("error", code="606", path="/rest/asset/v1/program/*", nth=2)
    sandbox.faults.add("error", code="608", path="POST /rest/asset/v1/program/*", nth=3)
    seen = []
    for method in ("GET", "POST", "POST", "POST", "POST"):
        rest.send("GET", "/v1/stats/usage.json")
        answer = rest.send(method, "/asset/v1/program/1001.json").json()
        seen.append("" if answer["success"] else answer["errors"][0]["code"])
    assert seen == ["", "606", "", "608", ""]
    assert sandbox.faults.list_pending() == []


def test_a_query_that_is_sent_as_a_post_is_a_get(rest, sandbox):
    sandbox.faults.add("error", code="606", path=OPPORTUNITIES)
    form = {"filterType": "externalOpportunityId", "filterValues": "A"}
    rest.call("POST", "/v1/opportunities.json", params={"_method": "GET"}, data=form)
    with pytest.raises(Refused, match="606"):
        rest.sync(three())


def test_calls_for_a_token_are_hit_only_where_the_path_names_them(rest, sandbox):
    sandbox.faults.add("http", status=503)
    assert rest.identify().status_code == 200
    assert rest.send("GET", "/v1/stats/usage.json").status_code == 503
    sandbox.faults.add("http", status=503, path="/identity/*")
    assert rest.identify().status_code == 503
    sandbox.faults.add("cut_before", path="/identity/*")
    with pytest.raises(requests.ConnectionError):
        rest.identify()
    sandbox.faults.add("error", path="/identity/*", code="server_error", status=500)
    assert (rest.identify().status_code, rest.identify().status_code) == (500, 200)


def test_refused_calls_do_not_use_up_the_script(rest, sandbox):
    sandbox.faults.add("error", code="606")
    for headers, path in (({"Authorization": "Bearer x"}, "/v1/stats/usage.json"), ({}, "/v1/nothing.json")):
        assert not rest.send("GET", path, headers=headers).json()["success"]
    assert len(sandbox.faults.list_pending()) == 1


def test_each_api_has_its_own_faults(rest, wire, sandbox):
    sandbox.faults.add("soap", code="20023")
    sandbox.faults.add("error", code="606")
    sandbox.faults.add("cut_before", operation="syncMObjects")
    sandbox.faults.add("cut_before", path="*")
    with pytest.raises(Refused, match="606"):
        rest.sync(three())
    with pytest.raises(Fault, match="20023"):
        wire.sync("INSERT", opportunity(Name="x"))
    assert [fault.operation or fault.path for fault, _ in sandbox.faults.list_pending()] == ["syncMObjects", "*"]


@pytest.mark.parametrize(
    ("applied", "costs"),
    [(False, [("2026-07-01", 500)]), (True, [("2026-07-01", 500), ("2026-09-01", 70)])],
)
def test_someone_adds_a_cost_just_before_or_after_a_call(rest, sandbox, applied, costs):
    sandbox.faults.add(
        "edit", path="POST /rest/asset/v1/program/*", program=1001, month="2026-09", amount="70", applied=applied
    )
    rest.costs(1001)
    rest.update(1001, costs=[cost()], costsDestructiveUpdate="true")
    assert rest.costs(1001) == costs
    assert sandbox.faults.list_pending() == []


def test_an_edit_goes_along_with_another_fault(rest, sandbox):
    sandbox.faults.add("edit", path="*", program=1001, tag_type="Region", tag_value="Korea")
    sandbox.faults.add("cut_after", path="*/program/*")
    rest.identify()
    assert sandbox.faults.list_pending()[0][0].kind == "edit"
    with pytest.raises(requests.ConnectionError):
        rest.update(1001, costs=[cost()])
    assert rest.costs(1001) == [("2026-07-01", 500)]
    assert sandbox.store.programs[1001].tags["Region"] == "Korea"


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "error"},
        {"kind": "edit"},
        {"kind": "edit", "program": 1001, "month": "2026-07"},
        {"kind": "cut_after", "operation": "syncMObjects", "path": "*"},
        {"kind": "shuffled", "operation": "syncMObjects"},
        {"kind": "soap", "path": "*"},
    ],
)
def test_options_that_do_not_go_together_are_refused(sandbox, options):
    with pytest.raises(ValueError, match=r"missing|needs|operation|path"):
        sandbox.faults.add(**options)


def test_slow_answer_is_held_after_applying(rest, sandbox):
    sandbox.faults.add("slow", seconds=0.01)
    assert [row["status"] for row in rest.sync(three())] == ["created"] * 3
    assert sandbox.calls[-1].scripted == "slow"
