"""The end of the chain is written where the database cannot reach it, and shows a chain that was made anew."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from mobjects import clock
from mobjects.audit.anchors import AnchorRefused, write_anchor, write_anchor_if_due
from mobjects.audit.events import record_event
from mobjects.audit.sealing import seal_everything
from mobjects.audit.verifying import read_anchors, verify_history
from mobjects.models import EventKind, HistorySeal, HistoryState
from tests.audit.test_chain import make_history, sql

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places(settings, tmp_path):
    settings.HISTORY_ANCHORS = {"FILE": str(tmp_path / "anchors.jsonl"), "WEBHOOK": "", "SYSLOG": ""}
    return settings.HISTORY_ANCHORS


def lines(places) -> list[dict]:
    with open(places["FILE"], encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_each_anchor_is_a_line_with_the_newest_link(places):
    make_history()
    out = StringIO()
    call_command("history_anchor", stdout=out)
    record_event(EventKind.SIGNED_OUT, username="alice")
    call_command("history_anchor", stdout=out)
    newest = HistorySeal.objects.order_by("number").last()
    first, second = lines(places)
    assert json.loads(out.getvalue().splitlines()[-1]) == second
    assert (second["number"], second["digest"]) == (newest.number, newest.digest)
    assert first["number"] < second["number"]


def test_a_chain_that_was_made_anew_does_not_hold_the_anchors(places, tmp_path):
    make_history()
    call_command("history_anchor", stdout=StringIO())
    path = tmp_path / "anchors.jsonl"
    assert verify_history(read_anchors(path)).broken is None
    # Whoever owns the database changes a row and seals all of it again.
    sql("DELETE FROM mobjects_historyseal")
    sql("DELETE FROM mobjects_historystate")
    sql("DELETE FROM mobjects_historyopen")
    sql("UPDATE mobjects_syncjob SET username = 'mallory', sealed_at = NULL")
    seal_everything()
    assert verify_history().broken is None
    with pytest.raises(CommandError, match="First broken entry: seal 6: It is not the one that the anchor names") as no:
        call_command("verify_history", anchors=path)
    assert no.value.returncode == 1
    sql("DELETE FROM mobjects_historyseal")
    sql("DELETE FROM mobjects_historystate")
    assert "An anchor names it, and the chain ends before it" in str(verify_history(read_anchors(path)).broken)


def test_it_is_written_once_an_hour_and_only_if_there_is_something_new(places):
    write_anchor_if_due()  # No history yet.
    make_history()
    seal_everything()
    write_anchor_if_due()
    write_anchor_if_due()
    assert len(lines(places)) == 1
    record_event(EventKind.SIGNED_OUT, username="alice")
    seal_everything()
    write_anchor_if_due()
    assert len(lines(places)) == 1
    HistoryState.objects.update(anchored_at=clock.now() - timedelta(minutes=61))
    write_anchor_if_due()
    assert len(lines(places)) == 2


class Receiver(BaseHTTPRequestHandler):
    status = 200
    received: list[dict]

    def do_POST(self):
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_webhook_and_system_log_get_the_same_line(places, receiver):
    places["WEBHOOK"] = f"http://127.0.0.1:{receiver.server_port}/token-of-the-address"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(10)
        places["SYSLOG"] = f"127.0.0.1:{log.getsockname()[1]}"
        make_history()
        seal_everything()
        anchor = write_anchor()
        said = log.recv(2000).decode()
    assert receiver.received == [anchor] == lines(places)
    assert said.startswith("<134>marketo-admin: ")
    assert json.loads(said.split(": ", 1)[1]) == anchor


def test_what_cannot_be_written_to_is_named_without_its_token_and_the_rest_is_written(places, receiver, caplog):
    receiver.status = 503
    places["WEBHOOK"] = f"http://127.0.0.1:{receiver.server_port}/token-of-the-address"
    places["SYSLOG"] = "/no/such/socket"
    make_history()
    seal_everything()
    with pytest.raises(AnchorRefused) as refused:
        write_anchor()
    said = str(refused.value)
    assert "HISTORY_ANCHOR_WEBHOOK (127.0.0.1): status 503" in said
    assert "HISTORY_ANCHOR_SYSLOG (/no/such/socket): No such file or directory" in said
    write_anchor_if_due()
    write_anchor_if_due()
    assert len(receiver.received) == 2  # Not again before an hour is over.
    assert len(lines(places)) == 2
    assert "token-of-the-address" not in said + caplog.text


def test_a_file_that_holds_no_anchors_is_refused_with_its_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"number": 1, "digest": "ab"}\nnonsense\n')
    with pytest.raises(CommandError, match=f"Line 2 of {path} is no anchor") as no:
        call_command("verify_history", anchors=path)
    assert no.value.returncode == 2
    with pytest.raises(CommandError, match="The anchors cannot be read"):
        call_command("verify_history", anchors=tmp_path / "missing")


def test_without_history_there_is_nothing_to_anchor(places):
    with pytest.raises(CommandError, match="There is no history to anchor yet"):
        call_command("history_anchor")
