"""/_control and the page, as far as they are about REST."""

import pytest
import requests
from lxml import html

from tests.sandbox.rest.wire import Refused, cost


@pytest.fixture
def control(sandbox):
    def send(name, method="POST", **options):
        return requests.request(method, f"{sandbox.url}/_control/{name}", timeout=5, **options)

    return send


def test_switches_are_set_and_shown(control, sandbox):
    wanted = {"native_crm_sync": True, "denied_rights": ["Read-Write Assets"], "required_tags": ["Region"]}
    answer = control("instance", json=wanted).json()
    assert {name: answer[name] for name in wanted} == wanted
    assert control("instance", method="GET").json() == answer
    assert (sandbox.instance.native_crm_sync, sandbox.store.required_tags) == (True, {"Region"})


@pytest.mark.parametrize("body", [None, [], {"colour": 1}, {"required_tags": ["Colour"]}, {"required_tags": "Region"}])
def test_senseless_switches_are_refused(control, body):
    answer = control("instance", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_token_is_ended_or_refused(control, rest):
    rest.get("/v1/stats/usage.json")
    assert control("token", json={"expires_in": 5}).status_code == 200
    assert rest.identify().json()["expires_in"] in (4, 5)
    assert control("token", json={"refused": "601"}).status_code == 200
    with pytest.raises(Refused, match="601"):
        rest.get("/v1/stats/usage.json")


@pytest.mark.parametrize("body", [None, {}, {"refused": "603"}, {"expires_in": "soon"}, {"end": 5}])
def test_senseless_token_calls_are_refused(control, body):
    assert control("token", json=body).status_code == 400


def test_state_shows_guids(control, rest):
    (row,) = rest.sync([{"externalOpportunityId": "A"}])
    (shown,) = control("state", method="GET").json()["opportunities"]
    assert (shown["id"], shown["guid"]) == (500001, row["marketoGUID"])


def test_page_shows_calls_of_both_apis(rest, wire, sandbox):
    wire.call("ListMObjects")
    rest.sync([{"externalOpportunityId": "A"}, {"name": "x"}], action="createOnly")
    sandbox.faults.add("error", code="606", applied=True)
    with pytest.raises(Refused):
        rest.update(1001, costs=[cost()])
    page = html.fromstring(requests.get(sandbox.url, timeout=5).content)
    rows = [" ".join(cell.text_content() for cell in row.iter("td")) for row in page.iter("tr")]
    rows = [row for row in rows if row.startswith("Call")]
    assert "REST POST /rest/asset/v1/program/1001.json 1 Program ok error 606, scripted: error" in rows[0]
    assert "REST POST /rest/v1/opportunities.json createOnly 2 Opportunity ok 1 created, 1 skipped" in rows[1]
    assert "REST POST /identity/oauth/token Token ok ok" in rows[2]
    assert "SOAP listMObjects" in rows[3]
    bad = [cell.text_content() for cell in page.iter("span") if cell.get("class") == "bad"]
    assert bad == ["error 606, scripted: error", "1 created, 1 skipped"]


def test_page_of_a_call_shows_what_was_sent_and_answered(rest, sandbox):
    rest.sync([{"externalOpportunityId": "<script>alert(1)</script>"}])
    page = html.fromstring(requests.get(f"{sandbox.url}/calls/2", timeout=5).content)
    request, response = (block.text_content() for block in page.iter("pre"))
    assert request.startswith("POST /rest/v1/opportunities.json\nContent-Type: application/json")
    assert "Authorization: Bearer ***" in request
    assert '"status":"created"' in response
    assert list(page.iter("script")) == []
