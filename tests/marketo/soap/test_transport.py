"""The wire: signing, headers, connections that fail before and after sending, secrets, the connection test."""

import logging
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from requests.adapters import BaseAdapter

from mobjects.marketo.errors import ConfigError, MarketoError, OutcomeUnknown, Unavailable
from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.marketo.types import Kind, Operation, OutgoingBatch, OutgoingRecord
from tests.support import soap
from tests.support.soap import KEY, LIST_ANSWER, NOW, SIGNATURE, USER_ID, exchange_of, row, sync_answer, transport
from tests.support.xml import ValidatingAdapter

BATCH = OutgoingBatch(Operation.INSERT, [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x"})])


@pytest.fixture
def closed_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/soap"


def test_request_goes_to_the_endpoint_with_soap_headers(server):
    server.answer(sync_answer(row(id=1)))
    transport(server.endpoint).send(BATCH)
    (call,) = server.calls
    assert call.path == "/soap/mktows/2_7"
    assert call.headers["SOAPAction"] == '"http://www.marketo.com/mktows/syncMObjects"'
    assert call.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert call.headers["User-Agent"] == "marketo-admin"
    assert call.body.startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def test_every_attempt_is_signed_afresh(server):
    moments = iter(NOW + timedelta(seconds=seconds) for seconds in range(10))
    marketo = transport(server.endpoint, now=lambda: next(moments))
    for _ in range(2):
        server.answer(soap.fault("20016"), 500)
        with pytest.raises(MarketoError):
            marketo.send(BATCH)
    first, second = (call.body.decode() for call in server.calls)
    assert SIGNATURE in first
    assert SIGNATURE not in second
    assert "2013-08-05T14:22:45-07:00" not in second


def test_default_clock_is_now_in_utc(server):
    server.answer(sync_answer(row(id=1)))
    answer = SoapTransport(endpoint=server.endpoint, user_id="u", encryption_key="k").send(BATCH)
    signed_at = datetime.fromisoformat(answer.exchange.identity["Signed time"])
    assert signed_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - signed_at) < timedelta(seconds=60)


def test_partner_id_is_sent_only_where_there_is_one(server):
    for partner_id in ("", "launch-key"):
        server.answer(sync_answer(row(id=1)))
        transport(server.endpoint, partner_id=partner_id).send(BATCH)
    without, with_id = (call.body for call in server.calls)
    assert b"partnerId" not in without
    assert b"<partnerId>launch-key</partnerId></" in with_id


def test_exchange_tells_everything_but_the_secrets(server):
    server.answer(sync_answer(row(id=1)))
    exchange = transport(server.endpoint).send(BATCH).exchange
    assert "<requestSignature>***</requestSignature>" in exchange.request
    assert "<name>Name</name><value>x</value>" in exchange.request
    assert "<status>UPDATED</status>" in exchange.response
    assert exchange.identity == {"Signed as (user ID)": USER_ID, "Signed time": "2013-08-05T14:22:45-07:00"}
    assert exchange.http_status == 200
    assert 0 < exchange.seconds < 5


def test_no_secret_in_repr_log_or_exception(server, caplog):
    caplog.set_level(logging.DEBUG)
    marketo = transport(server.endpoint)
    texts = [repr(marketo), repr(vars(marketo)), repr(vars(vars(marketo)["_calls"]))]
    for body, status in [(sync_answer(row(id=1)), 200), (soap.fault("20014"), 500), ("<html>", 200)]:
        server.answer(body, status)
        try:
            texts.append(repr(marketo.send(BATCH)))
        except MarketoError as error:
            texts += [repr(error), repr(error.exchange), repr(error.__cause__)]
    everything = "\n".join([*texts, caplog.text])
    assert USER_ID in everything
    assert KEY not in everything
    assert SIGNATURE not in everything


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": ""}, "MARKETO_SOAP_ENDPOINT is not set"),
        ({"user_id": ""}, "MARKETO_USER_ID is not set"),
        ({"encryption_key": ""}, "MARKETO_ENCRYPTION_KEY (or MARKETO_ENCRYPTION_KEY_FILE) is not set"),
        ({"user_id": "", "endpoint": ""}, "MARKETO_SOAP_ENDPOINT, MARKETO_USER_ID are not set"),
        ({"endpoint": "marketo.example/soap"}, "MARKETO_SOAP_ENDPOINT is not a web address that starts with"),
        ({"endpoint": "file:///etc/passwd"}, "MARKETO_SOAP_ENDPOINT is not a web address"),
        ({"endpoint": "https:///soap"}, "MARKETO_SOAP_ENDPOINT is not a web address"),
        ({"endpoint": "http://[::1"}, "MARKETO_SOAP_ENDPOINT is not a web address"),
        ({"endpoint": "http://host:port/"}, "MARKETO_SOAP_ENDPOINT is not a web address"),
        ({"endpoint": "https://u:p@host/"}, "MARKETO_SOAP_ENDPOINT must not hold a user name or password"),
        ({"user_id": "a\x01"}, "MARKETO_USER_ID: character 2 is U+0001"),
        ({"partner_id": "\x02"}, "MARKETO_PARTNER_ID (or MARKETO_PARTNER_ID_FILE): character 1 is U+0002"),
    ],
)
def test_unusable_setting_is_named(options, words):
    marketo = transport(**{"endpoint": "http://127.0.0.1:9/"} | options)
    with pytest.raises(ConfigError) as caught:
        marketo.send(BATCH)
    assert words in caught.value.message
    assert caught.value.exchange is None
    assert marketo.ping().verdict is ConnectionVerdict.NOT_CONFIGURED
    assert words in marketo.ping().message


def test_refused_connection_was_certainly_not_applied(closed_address):
    with pytest.raises(Unavailable, match="refused the connection") as caught:
        transport(closed_address).send(BATCH)
    assert exchange_of(caught.value).http_status is None
    assert SIGNATURE not in exchange_of(caught.value).request


def test_impossible_host_name_was_certainly_not_reached():
    with pytest.raises(Unavailable, match="could not be reached"):
        transport(f"http://{'a' * 64}.invalid/soap").send(BATCH)


class FailingAdapter(BaseAdapter):
    """A wire that breaks while the connection is made."""

    def __init__(self, error, cause):
        super().__init__()
        self.error, self.cause = error, cause

    def send(self, request, *args, **options):
        raise self.error from self.cause

    def close(self):
        pass


def _bad_certificate():
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_message = "certificate has expired"
    return error


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (
            requests.exceptions.SSLError("x"),
            _bad_certificate(),
            "The certificate of .* is not valid: certificate has ex",
        ),
        (requests.ConnectionError("x"), socket.gaierror(-2, "unknown"), "The host name of .* could not be found"),
        (requests.exceptions.ProxyError("x"), OSError(101, "unreachable"), r"could not be reached \(OSError\)"),
        (OSError("no CA bundle"), None, r"could not be reached \(OSError\)"),
    ],
)
def test_connection_that_fails_while_it_is_made_was_certainly_not_used(error, cause, words):
    session = requests.Session()
    session.mount("https://", FailingAdapter(error, cause))
    with pytest.raises(Unavailable, match=words):
        transport("https://marketo.invalid/soap", session=session).send(BATCH)


def test_server_without_tls_was_certainly_not_reached(server):
    with pytest.raises(Unavailable, match="does not speak TLS as it should"):
        transport(server.endpoint.replace("http:", "https:")).send(BATCH)


def test_connection_that_is_never_accepted_was_certainly_not_used():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        # Fill the queue of waiting connections, so that the next one is left without an answer.
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(address)
        marketo = transport(f"http://127.0.0.1:{address[1]}/", connect_timeout_seconds=0.05)
        with pytest.raises(Unavailable, match=r"did not accept a connection within 0\.05 s"):
            marketo.send(BATCH)
        for client in waiting:
            client.close()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"cut": True}, "The connection broke before Marketo's answer was complete"),
        ({"silent": True}, r"Marketo did not answer within 0\.1 s"),
        ({"body": "<a>", "short_by": 5}, "The connection broke before Marketo's answer was complete"),
    ],
)
def test_answer_that_never_came_leaves_a_write_unknown_and_a_read_failed(server, reply, words):
    marketo = transport(server.endpoint, timeout_seconds=0.1 if "silent" in reply else 5)
    server.answer(**reply)
    with pytest.raises(OutcomeUnknown, match=words) as caught:
        marketo.send(BATCH)
    assert "is not known" in caught.value.message
    assert exchange_of(caught.value).response == ""
    assert "<value>x</value>" in exchange_of(caught.value).request
    server.answer(**reply)
    with pytest.raises(Unavailable, match=words):
        marketo.describe(Kind.ROLE)


def test_redirect_is_not_followed_with_the_signed_header(server):
    server.answer("", 302, headers={"Location": f"{server.address}/elsewhere"})
    with pytest.raises(OutcomeUnknown):
        transport(server.endpoint).send(BATCH)
    assert len(server.calls) == 1


def test_session_that_was_handed_in_is_used_and_left_open(server):
    session, adapter = requests.Session(), ValidatingAdapter()
    session.mount("http://", adapter)
    marketo = transport(server.endpoint, session=session)
    server.answer(sync_answer(row(id=1)))
    marketo.send(BATCH)
    marketo.close()
    server.answer(sync_answer(row(id=1)))
    marketo.send(BATCH)
    assert adapter.bodies == [call.body for call in server.calls]
    session.close()


def test_own_session_is_closed(server):
    marketo = transport(server.endpoint)
    server.answer(LIST_ANSWER)
    marketo.ping()
    marketo.close()
    assert repr(marketo) == f"SoapTransport(user_id='{USER_ID}')"


def test_concurrent_calls_do_not_mix(server):
    marketo = transport(server.endpoint)
    answers = {}
    for _ in range(8):
        server.answer(sync_answer(row("CREATED", 4)))

    def send(name):
        batch = OutgoingBatch(Operation.INSERT, [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": name})])
        answers[name] = marketo.send(batch).exchange.request

    threads = [threading.Thread(target=send, args=(f"name-{index}",), daemon=True) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(f"<value>{name}</value>" in request for name, request in answers.items())


def _dated(seconds):
    moment = (NOW + timedelta(seconds=seconds)).astimezone(UTC)
    return {"Content-Type": "text/xml", "Date": format_datetime(moment, usegmt=True)}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""),
        (29, ""),
        (95, " This machine's clock is 95 s behind"),
        (-95, " This machine's clock is 95 s ahead of"),
    ],
)
def test_ping_that_succeeds_tells_the_clock(server, seconds, words):
    server.answer(LIST_ANSWER, headers=_dated(seconds))
    ping = transport(server.endpoint).ping()
    assert ping.verdict is ConnectionVerdict.OK
    assert ping.message.startswith(f"Marketo answered and accepted the signature.{words}")
    assert ping.clock_offset_seconds == seconds
    assert server.calls[0].headers["SOAPAction"] == '"http://www.marketo.com/mktows/listMObjects"'


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 05 Aug 2013 21:22:45 -0000"])
def test_ping_without_a_usable_date_tells_no_offset(server, date):
    server.answer(LIST_ANSWER, headers={"Date": date} if date else {})
    assert transport(server.endpoint).ping().clock_offset_seconds is None


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("20014", ConnectionVerdict.REFUSED),
        ("20013", ConnectionVerdict.REFUSED),
        ("20015", ConnectionVerdict.ERROR),
        ("10001", ConnectionVerdict.ERROR),
    ],
)
def test_ping_that_is_refused(server, code, verdict):
    server.answer(soap.fault(code), 500)
    ping = transport(server.endpoint).ping()
    assert ping.verdict is verdict
    assert code in ping.message


@pytest.mark.parametrize(
    ("headers", "offset", "words"),
    [
        (_dated(-3600), -3600.0, "This machine's clock is 3600 s ahead of Marketo's; set it right."),
        (_dated(600), 600.0, "This machine's clock is 600 s behind Marketo's; set it right."),
        (_dated(2), 2.0, "the two clocks agree within 30 s"),
        ({}, None, "does not tell its own time"),
    ],
)
def test_ping_with_a_wrong_clock_says_by_how_much(server, headers, offset, words):
    server.answer(soap.fault("20016"), 500, headers=headers)
    ping = transport(server.endpoint).ping()
    assert ping.verdict is ConnectionVerdict.CLOCK_OFF
    assert words in ping.message
    assert ping.clock_offset_seconds == offset


def test_expired_request_tells_the_clock_offset(server):
    server.answer(soap.fault("20016"), 500, headers=_dated(90))
    with pytest.raises(MarketoError) as caught:
        transport(server.endpoint).send(BATCH)
    assert caught.value.clock_offset_seconds == 90.0


@pytest.mark.parametrize(
    ("body", "status"), [("<html/>", 200), ("<html/>", 404), ("<html/>", 502), ("", 200), ("hello", 200)]
)
def test_ping_of_something_else_is_not_marketo(server, body, status):
    server.answer(body, status)
    ping = transport(server.endpoint).ping()
    assert ping.verdict is ConnectionVerdict.NOT_MARKETO
    assert f"HTTP {status}" in ping.message


def test_ping_of_a_closed_port_is_unreachable(closed_address):
    assert transport(closed_address).ping().verdict is ConnectionVerdict.UNREACHABLE


def test_ping_without_an_answer_is_unreachable(server):
    server.answer(silent=True)
    assert transport(server.endpoint, timeout_seconds=0.1).ping().verdict is ConnectionVerdict.UNREACHABLE
