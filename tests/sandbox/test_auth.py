"""Who is let in: signature, user, timestamp."""

from datetime import timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
import requests
from lxml import etree

from mobjects.sandbox import KEY, USER_ID, SandboxServer
from mobjects.sandbox.soap.auth import Credentials, sign_timestamp
from tests.sandbox.wire import API, SOAP, Fault, Wire, sign, timestamp

VECTOR = (
    "bigcorp1_461839624B16E06BA2D663",
    "899756834129871744AAEE88DDCC77CDEEDEC1AAAD66",
    "2010-04-09T14:04:54-07:00",
)


def test_signature_is_that_of_the_published_vector():
    user_id, key, at = VECTOR
    assert sign_timestamp(key, at, user_id) == "ffbff4d4bef354807481e66dc7540f7890523a87"


def test_published_vector_passes_over_http_when_the_clock_is_set_to_its_time():
    user_id, key, at = VECTOR
    with SandboxServer(port=0, user_id=user_id, key=key) as server:
        server.store.clock.freeze(parsedate_to_datetime("Fri, 09 Apr 2010 21:04:54 +0000"))
        wire = Wire(server)
        good = "ffbff4d4bef354807481e66dc7540f7890523a87"
        result = wire.call("ListMObjects", mktowsUserId=user_id, requestSignature=good, requestTimestamp=at)
    assert len(result) == 4


@pytest.mark.parametrize(
    "header",
    [
        {"mktowsUserId": "someone_else"},
        {"requestSignature": "0" * 40},
        {"requestSignature": ""},
        {"requestSignature": "서명"},
    ],
)
def test_wrong_user_or_signature_is_refused(wire, header):
    with pytest.raises(Fault) as refused:
        wire.call("ListMObjects", **header)
    assert refused.value.code == "20014"
    assert wire.server.calls[0].signature == "refused"


def test_upper_case_signature_is_refused(wire):
    at = timestamp()
    with pytest.raises(Fault, match="20014"):
        wire.call("ListMObjects", requestTimestamp=at, requestSignature=sign(at).upper())


def test_signature_of_another_key_is_refused(wire):
    at = timestamp()
    with pytest.raises(Fault, match="20014"):
        wire.call("ListMObjects", requestTimestamp=at, requestSignature=sign(at, key=KEY + "x"))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_stale_timestamp_is_expired_in_either_direction(wire, seconds):
    wire.server.store.clock.freeze(wire.server.store.clock.now().replace(microsecond=0))
    at = timestamp(wire.server.store.clock.now() + timedelta(seconds=seconds))
    with pytest.raises(Fault) as refused:
        wire.call("ListMObjects", requestTimestamp=at)
    assert refused.value.code == "20016"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_timestamp_at_the_edge_of_the_window_passes(wire, seconds):
    wire.server.store.clock.freeze(wire.server.store.clock.now().replace(microsecond=0))
    at = timestamp(wire.server.store.clock.now() + timedelta(seconds=seconds))
    assert wire.call("ListMObjects", requestTimestamp=at) is not None


def test_window_can_be_set():
    with SandboxServer(port=0, window_seconds=10) as server:
        server.store.clock.freeze(server.store.clock.now().replace(microsecond=0))
        at = timestamp(server.store.clock.now() - timedelta(seconds=11))
        with pytest.raises(Fault, match="20016"):
            Wire(server).call("ListMObjects", requestTimestamp=at)


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-13 15:14:04 +0900",
        "2016-12-13T15:14:04",
        "2016-12-13T15:14:04-0700",
        "2016-12-13T15:14:04.123+00:00",
        "2016-13-45T15:14:04+00:00",
        "now",
        "",
    ],
)
def test_timestamp_that_is_not_w3c_with_offset_is_refused_though_signed(wire, text):
    with pytest.raises(Fault) as refused:
        wire.call("ListMObjects", requestTimestamp=text)
    assert refused.value.code == "20014"


def test_other_offsets_of_the_same_moment_pass(wire):
    moment = wire.server.store.clock.now()
    kst = moment.astimezone(timezone(timedelta(hours=9)))
    assert wire.call("ListMObjects", requestTimestamp=timestamp(kst)) is not None


def test_missing_header_is_an_authentication_failure(wire):
    envelope = wire.envelope("ListMObjects")
    envelope.remove(envelope.find(f"{SOAP}Header"))
    with pytest.raises(Fault, match="20014"):
        raise Fault(wire.post(etree.tostring(envelope)))


def test_header_out_of_order_is_not_understood(wire):
    envelope = wire.envelope("ListMObjects")
    header = envelope.find(f".//{API}AuthenticationHeader")
    header.insert(0, header[-1])
    refused = Fault(wire.post(etree.tostring(envelope)))
    assert refused.code == "20012"


def test_every_answer_carries_the_sandboxs_own_date(wire):
    wire.server.store.clock.freeze(parsedate_to_datetime("Fri, 09 Apr 2010 21:04:54 +0000"))
    refused = wire.post(etree.tostring(wire.envelope("ListMObjects", requestSignature="x")))
    missing = requests.get(f"{wire.server.url}/nowhere", timeout=5)
    unsupported = requests.delete(wire.server.url, timeout=5)
    for response in (refused, missing, unsupported):
        assert response.headers["Date"] == "Fri, 09 Apr 2010 21:04:54 GMT"


def test_key_is_not_in_the_repr_of_credentials():
    assert KEY not in repr(Credentials(USER_ID, KEY))
