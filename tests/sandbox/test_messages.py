"""What is understood: XML, schema, envelope, faults."""

import pytest
import requests
import zeep
from lxml import etree

from mobjects.sandbox import USER_ID
from tests.sandbox.wire import API, SOAP, E, Fault, Wire, opportunity, sign, timestamp

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>"""
XXE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>"""


def refused(wire: Wire, body: bytes, **headers: str) -> Fault:
    response = wire.post(body, **headers)
    assert response.status_code == 500
    return Fault(response)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<unclosed>",
        b"<x/>",
        BOMB.encode(),
        XXE.encode(),
        b'<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body><x/></Body></Envelope>',
        "<x>한글</x>".encode("euc-kr"),
        b"<x>\x01</x>",
    ],
)
def test_what_is_no_plain_soap_envelope_is_not_understood(wire, body):
    assert refused(wire, body).code == "20012"


def test_entities_are_refused_and_not_read(wire):
    fault = refused(wire, XXE.encode())
    assert "document type" in fault.message
    assert "root:" not in fault.response.text


def test_fault_has_marketos_exact_shape(wire):
    fault = refused(wire, b"hello")
    assert fault.response.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert [child.tag for child in fault.element] == ["faultcode", "faultstring", "detail"]
    assert fault.element.findtext("faultcode") == "SOAP-ENV:Client"
    assert fault.element.nsmap["SOAP-ENV"] == SOAP.strip("{}")
    assert fault.element.findtext("faultstring") == "20012 - Request not understood"
    (exception,) = fault.element.find("detail")
    assert exception.tag == f"{API}serviceException"
    assert [child.tag for child in exception] == ["name", "message", "code"]
    assert exception.findtext("name") == "mktServiceException"
    assert exception.findtext("message").endswith(" (20012)")


def test_body_must_hold_one_message(wire):
    envelope = wire.envelope("ListMObjects")
    body = envelope.find(f"{SOAP}Body")
    body.append(etree.fromstring(etree.tostring(body[0])))
    assert refused(wire, etree.tostring(envelope)).code == "20012"


def test_message_of_another_namespace_is_unsupported(wire):
    envelope = wire.envelope("ListMObjects")
    envelope.find(f"{SOAP}Body")[0].tag = "{urn:other}paramsListMObjects"
    assert refused(wire, etree.tostring(envelope)).code == "20019"


def test_schema_violation_is_not_understood_and_says_what(wire):
    with pytest.raises(Fault) as fault:
        wire.call("SyncMObjects", E.operation("UPSERT"), E.mObjectList())
    assert fault.value.code == "20012"
    assert "operation" in fault.value.message


@pytest.mark.parametrize(
    "broken",
    [
        E.mObject(E.id("1"), E.type("Opportunity")),
        E.mObject(E.type("Opportunity"), E.id("one")),
        E.mObject(E.type("Opportunity"), E.mObjAssociationList()),
        E.mObject(E.type("Opportunity"), E.attribList(E.attrib(E.name("Name")))),
        E.mObject(E.type("Opportunity"), E.attribList(E.attrib(E.name("Name"), E.value(E.b("x"))))),
    ],
)
def test_object_against_the_schema_is_not_understood(wire, broken):
    with pytest.raises(Fault) as fault:
        wire.sync("INSERT", broken)
    assert fault.value.code == "20012"
    assert wire.server.store.opportunities == {}


def test_unknown_sync_operation_is_not_understood(wire):
    with pytest.raises(Fault, match="20012"):
        wire.sync("DELETE", opportunity(Name="x"))


def test_qualified_children_are_not_understood(wire):
    envelope = wire.envelope("DescribeMObject", etree.Element(f"{API}objectName"))
    assert refused(wire, etree.tostring(envelope)).code == "20012"


def test_prefixes_are_free(wire):
    at = timestamp()
    body = f"""<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">
      <soapenv:Header><h:AuthenticationHeader xmlns:h="http://www.marketo.com/mktows/" soapenv:mustUnderstand="0">
        <mktowsUserId>{USER_ID}</mktowsUserId><requestSignature>{sign(at)}</requestSignature>
        <requestTimestamp>{at}</requestTimestamp></h:AuthenticationHeader></soapenv:Header>
      <soapenv:Body><!-- any --><mkt:paramsListMObjects xmlns:mkt="http://www.marketo.com/mktows/"/></soapenv:Body>
    </soapenv:Envelope>"""
    assert wire.post(body.encode()).status_code == 200


def test_unknown_operation_is_unsupported(wire):
    with pytest.raises(Fault, match="20019"):
        wire.call("GetLead")


def test_soap_action_must_fit_when_it_is_given(wire):
    body = etree.tostring(wire.envelope("ListMObjects"))
    action = "http://www.marketo.com/mktows/"
    assert wire.post(body, SOAPAction=f'"{action}listMObjects"').status_code == 200
    assert wire.post(body, SOAPAction='""').status_code == 200
    assert refused(wire, body, SOAPAction=f'"{action}getTags"').code == "20012"


def test_other_content_types_are_not_understood(wire):
    body = etree.tostring(wire.envelope("ListMObjects"))
    assert refused(wire, body, **{"Content-Type": "application/soap+xml"}).code == "20012"


def test_wsdl_is_served_with_the_sandboxs_own_address(sandbox):
    response = requests.get(f"{sandbox.endpoint}?WSDL", timeout=5)
    root = etree.fromstring(response.content)
    (address,) = root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert response.headers["Content-Type"].startswith("text/xml")
    assert address.get("location") == sandbox.endpoint


def test_wsdl_declares_all_operations_under_marketos_own_prefix(sandbox):
    """SOAP clients write headers with the prefix of the WSDL, without declaring it where it is another one."""
    root = etree.fromstring(requests.get(f"{sandbox.endpoint}?WSDL", timeout=5).content)
    assert root.nsmap["tns"] == "http://www.marketo.com/mktows/"
    for parent in ("portType", "binding"):
        (found,) = root.iter(f"{WSDL}{parent}")
        names = [operation.get("name") for operation in found.iter(f"{WSDL}operation")]
        assert len(names) == len(set(names)) == 23
        assert {"syncMObjects", "getLead", "syncMultipleLeads", "importToList"} < set(names)


def test_a_client_made_from_the_wsdl_starts_and_hears_what_is_not_answered(sandbox):
    client = zeep.Client(f"{sandbox.endpoint}?WSDL")
    at = timestamp()
    signed = {"mktowsUserId": USER_ID, "requestSignature": sign(at), "requestTimestamp": at}
    header = {"authentication": signed}
    assert "Opportunity" in client.service.listMObjects(_soapheaders=header)
    with pytest.raises(zeep.exceptions.Fault, match="20019"):
        client.service.getLead(_soapheaders=header)


def test_elsewhere_there_is_nothing(sandbox):
    for path in ("/soap/mktows/2_2", "/calls/9", "/%3Cb%3E", "/_control/nothing"):
        assert requests.get(sandbox.url + path, timeout=5).status_code == 404
    assert requests.post(f"{sandbox.url}/soap/mktows/3_1", data=b"x", timeout=5).status_code == 404
    assert requests.get(sandbox.endpoint, timeout=5).status_code == 405
