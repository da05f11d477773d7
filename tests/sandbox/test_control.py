"""/_control: the script, the clock and a look inside, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from mobjects.sandbox import KEY, USER_ID
from tests.sandbox.wire import Fault, cost, opportunity, program, role, timestamp


@pytest.fixture
def control(sandbox):
    def send(name, *args, method="POST", **options):
        return requests.request(method, f"{sandbox.url}/_control/{name}", timeout=5, **options)

    return send


def test_faults_are_scripted_as_a_json_list(control, wire):
    entries = [{"kind": "soap", "code": "20023", "times": 2}, {"kind": "bad_row", "row": 0, "text": "no"}]
    answer = control("faults", json=entries)
    assert [(entry["kind"], entry["left"]) for entry in answer.json()] == [("soap", 2), ("bad_row", 1)]
    for _ in range(2):
        with pytest.raises(Fault, match="20023"):
            wire.call("ListMObjects")
    assert wire.sync_one("INSERT", opportunity(Name="x")).error == "no"
    assert control("faults", method="GET").json() == []


@pytest.mark.parametrize("body", [[{"kind": "explode"}], ["soap"], {"kind": "soap", "colour": "red"}, None, 5])
def test_script_that_makes_no_sense_is_refused_as_a_whole(control, sandbox, body):
    answer = control("faults", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.faults.list_pending() == []


def test_what_is_not_json_is_refused(control):
    assert control("faults", data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert control("faults", data="[]", headers={"Content-Type": "text/plain"}).status_code == 415


def test_clock_is_moved(control, wire):
    answer = control("clock", json={"offset_seconds": -400})
    assert answer.status_code == 200
    with pytest.raises(Fault, match="20016"):
        wire.call("ListMObjects", requestTimestamp=timestamp())
    assert control("clock", json={"offset_seconds": "later"}).status_code == 400
    assert control("clock").status_code == 400


def test_reset_starts_over(control, sandbox, wire):
    wire.sync("UPDATE", program(1001, cost()))
    first = wire.sync_one("INSERT", opportunity(Name="x"))
    sandbox.faults.add("cut_before")
    control("clock", json={"offset_seconds": 1000})
    answer = control("reset")
    assert answer.json()["opportunities"] == 0
    assert sandbox.calls == []
    assert sandbox.load.calls == 0
    assert wire.details(1001)[-1][0] == "Tag"
    assert wire.sync_one("INSERT", opportunity(Name="x")).id == first.id


def test_state_shows_what_is_held(control, wire):
    deal = wire.sync_one("INSERT", opportunity(Name="한글"))
    wire.sync_one("INSERT", role(OpportunityId=str(deal.id), PersonId="19"))
    wire.sync_one("UPDATE", program(1001, cost("2026-07", "5")))
    state = control("state", method="GET").json()
    assert state["counts"]["programs"] == len(state["programs"]) == 40
    assert state["opportunities"][0]["values"] == {"Name": "한글"}
    assert state["roles"][0]["values"] == {"OpportunityId": str(deal.id), "PersonId": "19"}
    assert state["programs"][0]["costs"][0]["month"] == "2026-07-01"
    assert state["load"]["calls"] == 3


def test_calls_tell_what_arrived_and_what_was_answered(control, wire):
    wire.sync("UPSERT", opportunity(key="A", Name="x"), opportunity(Amount="?"))
    (call,) = control("calls", method="GET").json()
    assert call["sequence"] == 1
    assert (call["operation"], call["sync_operation"], call["object_count"]) == ("syncMObjects", "UPSERT", 2)
    assert call["types"] == ["Opportunity"]
    assert call["statuses"] == ["CREATED", "FAILED"]
    assert (call["user_id"], call["signature"], call["fault"]) == (USER_ID, "ok", "")
    assert "successSyncMObjects" in call["response"]


def test_fault_is_noted(sandbox, wire):
    with pytest.raises(Fault):
        wire.call("ListMObjects", requestSignature="x")
    assert (sandbox.calls[0].fault, sandbox.calls[0].http_status) == ("20014", 500)


def test_signature_and_key_are_never_shown(sandbox, control, wire):
    envelope = wire.envelope("ListMObjects")
    signature = envelope.find(".//requestSignature").text
    wire.call("ListMObjects", requestSignature=signature, requestTimestamp=envelope.findtext(".//requestTimestamp"))
    hidden = f"<x:requestSignature a='1'>\n<![CDATA[{signature}]]><!-- {signature} --></x:requestSignature>"
    wire.post(hidden.encode())
    wire.post(f"<requestSignature>{signature}</requestSignature>".encode("utf-16"))
    wire.post(f"<requestSignature>{signature}</requestSignature>".encode("utf-16-le"))
    pages = [control(name, method="GET").text for name in ("calls", "state")]
    pages += [
        requests.get(f"{sandbox.url}/{path}", timeout=5).text for path in ("", *(f"calls/{n}" for n in (1, 2, 3, 4)))
    ]
    for page in pages:
        assert signature not in page
        assert KEY not in page
        assert "\0" not in page
    assert "***" in pages[0]


def test_load_counts_calls_in_20_seconds(sandbox, wire):
    clock = sandbox.store.clock
    clock.freeze(clock.now())
    for _ in range(3):
        wire.call("ListMObjects")
        clock.advance(9)
    clock.advance(60)
    wire.call("ListMObjects")
    assert (sandbox.load.calls, sandbox.load.busiest_window) == (4, 3)
    clock.advance(timedelta(hours=1).total_seconds())
    assert sandbox.load.most_at_once == 1


def test_unknown_control_call_lists_the_known_ones(control):
    answer = control("state")
    assert answer.status_code == 404
    assert "GET /_control/state" in answer.json()["there_are"]


def test_held_calls_are_released(control, sandbox, wire):
    sandbox.faults.add("slow", seconds=600)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(wire.call, "ListMObjects")
        while not held.done():
            # Again and again, as the call may not have been waiting yet the first time.
            assert control("release").json() == {"released": True}
        assert len(held.result()) == 4
