"""Scripted failures: what is answered, and whether the request was applied."""

from threading import Event, Thread

import pytest
import requests
from lxml import etree

from mobjects.sandbox import SandboxServer
from mobjects.sandbox.fault_injection import ScriptedFault as Entry
from tests.sandbox.wire import E, Fault, Wire, mobject, opportunity


def three():
    return [opportunity(Name=name) for name in "abc"]


def names(sandbox):
    return [stored.values["Name"] for stored in sandbox.store.opportunities.values()]


@pytest.mark.parametrize("code", ["10001", "20015", "20023", "20024", "20011"])
def test_soap_fault_is_not_applied(sandbox, wire, code):
    sandbox.faults.add("soap", code=code, text="because")
    with pytest.raises(Fault) as fault:
        wire.sync("INSERT", *three())
    assert (fault.value.code, fault.value.message) == (code, f"because ({code})")
    assert names(sandbox) == []


def test_soap_fault_may_come_after_applying(sandbox, wire):
    sandbox.faults.add("soap", code="20011", applied=True)
    with pytest.raises(Fault, match="20011"):
        wire.sync("INSERT", *three())
    assert names(sandbox) == ["a", "b", "c"]


@pytest.mark.parametrize("status", [500, 502, 200, 599])
def test_html_page_instead_of_an_answer(sandbox, wire, status):
    sandbox.faults.add("http", status=status)
    response = wire.post(etree.tostring(wire.envelope("ListMObjects")))
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.text.startswith("<html>")


def test_html_page_may_come_after_applying(sandbox, wire):
    sandbox.faults.add("http", status=502, applied=True)
    body = wire.envelope("SyncMObjects", E.mObjectList(*three()), E.operation("INSERT"))
    assert wire.post(etree.tostring(body)).status_code == 502
    assert names(sandbox) == ["a", "b", "c"]


@pytest.mark.parametrize(("kind", "left"), [("cut_before", []), ("cut_after", ["a", "b", "c"])])
def test_line_is_cut_before_or_after_applying(sandbox, wire, kind, left):
    sandbox.faults.add(kind)
    with pytest.raises(requests.ConnectionError):
        wire.sync("INSERT", *three())
    assert names(sandbox) == left
    assert sandbox.calls[0].http_status is None
    assert [row.status for row in wire.sync("INSERT", *three())] == ["CREATED"] * 3


@pytest.mark.parametrize(("kind", "count"), [("short", 2), ("long", 4), ("empty", 0)])
def test_answer_of_the_wrong_length(sandbox, wire, kind, count):
    sandbox.faults.add(kind)
    assert len(wire.sync("INSERT", *three())) == count
    assert names(sandbox) == ["a", "b", "c"]


def test_answer_without_a_body(sandbox, wire):
    sandbox.faults.add("empty_body")
    body = wire.envelope("SyncMObjects", E.mObjectList(*three()), E.operation("INSERT"))
    response = wire.post(etree.tostring(body))
    assert (response.status_code, response.content) == (200, b"")
    assert names(sandbox) == ["a", "b", "c"]


def test_one_bad_row_is_not_applied_and_the_others_are(sandbox, wire):
    sandbox.faults.add("bad_row", row=1, text="no luck")
    rows = wire.sync("INSERT", *three())
    assert [(row.status, row.error) for row in rows] == [("CREATED", ""), ("FAILED", "no luck"), ("CREATED", "")]
    assert names(sandbox) == ["a", "c"]


@pytest.mark.parametrize(("status", "left"), [("SKIPPED", ["a", "b"]), ("UNCHANGED", ["a", "b", "c"])])
def test_row_with_a_chosen_status(sandbox, wire, status, left):
    sandbox.faults.add("row_status", row=2, row_status=status, text="so there")
    row = wire.sync("INSERT", *three())[2]
    assert (row.status, row.error) == (status, "so there")
    assert names(sandbox) == left


def test_bad_row_of_a_delete(sandbox, wire):
    one, two = wire.sync("INSERT", *three()[:2])
    sandbox.faults.add("bad_row", row=0)
    rows = wire.delete(mobject("Opportunity", one.id), mobject("Opportunity", two.id))
    assert [row.status for row in rows] == ["FAILED", "DELETED"]
    assert names(sandbox) == ["a"]


def test_slow_answer_is_applied_at_once_and_held_until_released(sandbox, wire):
    sandbox.faults.add("slow", seconds=600)
    rows = []
    thread = Thread(target=lambda: rows.extend(wire.sync("INSERT", *three())), daemon=True)
    thread.start()
    wait_for(lambda: names(sandbox) == ["a", "b", "c"])
    assert rows == []
    wait_for(lambda: release(sandbox, thread))
    assert [row.status for row in rows] == ["CREATED"] * 3


def test_slow_answer_times_out_at_the_client_though_applied(sandbox, wire):
    sandbox.faults.add("slow", seconds=600)
    body = wire.envelope("SyncMObjects", E.mObjectList(*three()), E.operation("INSERT"))
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            sandbox.endpoint, data=etree.tostring(body), headers={"Content-Type": "text/xml"}, timeout=(5, 0.2)
        )
    assert names(sandbox) == ["a", "b", "c"]


def test_closing_the_server_ends_held_calls():
    errors: list[Exception] = []
    with SandboxServer(port=0) as server:
        server.faults.add("slow", seconds=600)
        thread = Thread(target=call_and_note, args=(Wire(server), errors), daemon=True)
        thread.start()
        wait_for(lambda: server.calls and server.calls[0].scripted == "slow")
    thread.join(5)
    assert not thread.is_alive()


def test_every_kind_can_be_delayed_too(sandbox, wire):
    sandbox.faults.add("soap", code="20011", seconds=0.01)
    with pytest.raises(Fault, match="20011"):
        wire.call("ListMObjects")


def test_entry_is_used_up_by_as_many_calls_as_it_says(sandbox, wire):
    sandbox.faults.add("soap", code="20023", times=2)
    for _ in range(2):
        with pytest.raises(Fault, match="20023"):
            wire.call("ListMObjects")
    assert wire.call("ListMObjects") is not None
    assert sandbox.faults.list_pending() == []


def test_entry_waits_for_its_operation(sandbox, wire):
    sandbox.faults.add("soap", code="20023", operation="getTags")
    sandbox.faults.add("soap", code="20024")
    with pytest.raises(Fault, match="20024"):
        wire.call("ListMObjects")
    assert wire.call("ListMObjects") is not None
    with pytest.raises(Fault, match="20023"):
        wire.call("GetTags")


def test_refused_call_uses_up_no_entry(sandbox, wire):
    sandbox.faults.add("cut_before")
    with pytest.raises(Fault, match="20014"):
        wire.call("ListMObjects", requestSignature="x")
    assert len(sandbox.faults.list_pending()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "explode"},
        {"code": "20023"},
        {"kind": "soap", "cod": "20023"},
        {"kind": "soap", "code": 20023},
        {"kind": "slow", "seconds": "3"},
        {"kind": "soap", "times": True},
        {"kind": "soap", "applied": 1},
    ],
)
def test_entry_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match=r"."):
        Entry.from_options(options)


def release(sandbox, thread):
    """Release again until the thread is through: it may not have been waiting yet."""
    sandbox.faults.release_calls()
    thread.join(0.01)
    return not thread.is_alive()


def call_and_note(wire, errors):
    try:
        wire.call("ListMObjects")
    except (requests.RequestException, AssertionError) as error:
        errors.append(error)


def wait_for(condition):
    """Let another thread get there: goes on as soon as it has, gives up after 10 s."""
    never = Event()
    for _ in range(2000):
        if condition():
            return
        never.wait(0.005)
    raise AssertionError("it never came to that")
