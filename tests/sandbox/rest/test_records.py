"""Opportunities and roles over REST: keys, actions, reasons, values, queries."""

import json

import pytest
import requests

from tests.sandbox.rest.wire import Refused, outcome
from tests.sandbox.wire import link, opportunity, role


def opp(key="A", **values):
    return {"externalOpportunityId": key, **values}


def part(key="A", lead=3, name="Buyer", **values):
    return {"externalOpportunityId": key, "leadId": lead, "role": name, **values}


def test_describe_names_fields_keys_and_what_can_be_searched(rest):
    (description,) = rest.get("/v1/opportunities/describe.json")
    fields = {field["name"]: field for field in description["fields"]}
    assert (description["idField"], description["dedupeFields"]) == ("marketoGUID", ["externalOpportunityId"])
    assert ["contractMonths"] in description["searchableFields"]
    assert ["name"] not in description["searchableFields"]
    assert fields["closeDate"] == {
        "name": "closeDate",
        "displayName": "Close Date",
        "dataType": "date",
        "updateable": True,
        "crmManaged": False,
    }
    assert fields["externalOpportunityId"]["length"] == 50
    assert "id" not in fields
    (roles,) = rest.get("/v1/opportunities/roles/describe.json")
    assert roles["dedupeFields"] == ["externalOpportunityId", "leadId", "role"]
    fixed = {field["name"] for field in roles["fields"] if not field["updateable"]}
    assert {"marketoGUID", "externalOpportunityId", "leadId", "role"} <= fixed


def test_envelope_has_its_keys_in_the_recorded_order(rest):
    assert list(rest.call("GET", "/v1/opportunities/describe.json")) == ["requestId", "result", "success"]
    answer = rest.send("POST", "/v1/opportunities.json", json={"input": []}).json()
    assert list(answer) == ["requestId", "success", "errors"]
    assert answer["errors"][0]["code"] == "1003"


@pytest.mark.parametrize(
    ("action", "existing", "missing"),
    [("createOnly", "1017", "created"), ("updateOnly", "updated", "1013"), ("createOrUpdate", "updated", "created")],
)
@pytest.mark.parametrize("roles", [False, True])
def test_actions_on_what_is_there_and_what_is_not(rest, action, existing, missing, roles):
    rest.sync([opp("A"), opp("B")])
    make = part if roles else opp
    rest.sync([make("A")], roles=roles)
    missing_one = part("B") if roles else opp("C")
    rows = rest.sync([make("A"), missing_one], roles=roles, action=action)
    assert [outcome(row) for row in rows] == [existing, missing]
    assert [row["seq"] for row in rows] == [0, 1]
    assert all(set(row) == {"seq", "status", "reasons"} for row in rows if row["status"] == "skipped")


def test_update_by_guid_reads_it_trimmed_and_without_case(rest):
    (row,) = rest.sync([opp("A", name="x")])
    guid = f" {row['marketoGUID'].upper()} "
    by_id = {"action": "updateOnly", "dedupeBy": "idField"}
    assert rest.sync_one({"marketoGUID": guid, "name": "y"}, **by_id) == "updated"
    assert rest.sync_one({"marketoGUID": guid, "externalOpportunityId": "A"}, **by_id) == "updated"
    assert rest.sync_one({"marketoGUID": guid, "externalOpportunityId": "B"}, **by_id) == "1003"
    assert rest.sync_one({"marketoGUID": "0" * 36, "name": "y"}, **by_id) == "1013"
    assert rest.sync_one({"name": "y"}, **by_id) == "1002"
    assert rest.query("externalOpportunityId", "A", fields="name") == [{"seq": 0, "name": "y"}]


@pytest.mark.parametrize("action", ["createOnly", "createOrUpdate"])
def test_guid_goes_with_update_only(rest, action):
    assert rest.sync_one(opp("A", marketoGUID="x"), action=action) == "1003"
    with pytest.raises(Refused) as refused:
        rest.sync([{"marketoGUID": "x"}], action=action, dedupeBy="idField")
    assert refused.value.code == "1003"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "12,50"),
        ("amount", True),
        ("isClosed", "other"),
        ("isClosed", 1),
        ("contractMonths", 14.1),
        ("contractMonths", "14c"),
        ("probability", "100%"),
        ("closeDate", "28.11.2026"),
        ("externalCreatedDate", "yesterday"),
        ("stage", ["x"]),
        ("stage", "x" * 256),
    ],
)
def test_wrong_value_is_1003_with_field_and_value(rest, sandbox, field, value):
    (row,) = rest.sync([opp("A", **{field: value})])
    expected = f"Invalid value for field '{field}' and value '{value}'"
    assert row["reasons"] == [{"code": "1003", "message": expected}]
    assert not sandbox.store.opportunities


def test_other_reasons_of_opportunities(rest):
    assert rest.sync_one(opp("A", colour="red")) == "1006"
    assert rest.sync_one(opp("A", Name="x")) == "1006"
    assert rest.sync_one({"name": "x"}) == "1002"
    assert rest.sync_one(opp("A", name=None)) == "1003"
    assert rest.sync_one(opp("k" * 51)) == "1003"
    assert rest.sync_one(opp("A", createdAt="2026-01-01T00:00:00Z")) == "1003"
    assert rest.sync_one(opp("A", externalCompanyId="C-9999")) == "1013"
    assert rest.sync_one(opp("A")) == "created"


def test_the_same_key_twice_in_one_call_is_1036(rest):
    rows = rest.sync([opp("A"), opp("B"), opp("A")])
    assert [outcome(row) for row in rows] == ["created", "created", "1036"]


def test_values_come_back_as_json_values(rest):
    values = {
        "name": "Chairs",
        "amount": "1604.47",
        "quantity": 5.4,
        "probability": 80,
        "isClosed": True,
        "closeDate": "2026-08-30",
        "externalCreatedDate": "2026-08-30T10:00:48.000+02:00",
        "externalCompanyId": "C-0003",
    }
    rest.sync([opp("A", **values)])
    (row,) = rest.query("externalOpportunityId", "A", fields=",".join([*values, "isWon", "stage"]))
    assert row == {
        "seq": 0,
        **values,
        "amount": 1604.47,
        "externalCreatedDate": "2026-08-30T08:00:48Z",
        "isWon": False,
    }


def test_null_and_the_empty_text_clear_and_what_is_left_out_stays(rest):
    rest.sync([opp("A", stage="Won", nextStep="Call", type="New")])
    rest.sync([opp("A", stage=None, nextStep="")])
    assert rest.query("externalOpportunityId", "A", fields="stage,nextStep,type") == [{"seq": 0, "type": "New"}]


def test_guid_ends_with_a_blank_in_a_query(rest):
    (row,) = rest.sync([opp("A")])
    (found,) = rest.query("marketoGUID", row["marketoGUID"])
    assert found["marketoGUID"] == f"{row['marketoGUID']} "
    assert set(found) == {"seq", "marketoGUID", "externalOpportunityId", "createdAt", "updatedAt"}


def test_role_needs_its_whole_key_its_opportunity_and_its_lead(rest):
    rest.sync([opp("A")])
    assert rest.sync_one(part(name=None), roles=True) == "1002"
    assert rest.sync_one(part(lead="Kim"), roles=True) == "1003"
    assert rest.sync_one(part("B"), roles=True) == "1013"
    assert rest.sync_one(part(lead=9999), roles=True) == "1004"
    assert rest.sync_one(part(isPrimary=True), roles=True) == "created"


def test_another_role_name_is_another_role(rest, sandbox):
    rest.sync([opp("A")])
    assert rest.sync_one(part(name="Buyer"), roles=True) == "created"
    assert rest.sync_one(part(name="User"), roles=True) == "created"
    assert len(sandbox.store.roles) == 2


def test_compound_keys_are_asked_for_with_json(rest):
    rest.sync([opp("A")])
    rest.sync([part(isPrimary=True), part(name="User")], roles=True)
    body = {"filterType": "dedupeFields", "fields": ["role", "isPrimary"], "input": [part(lead="3"), part(name="x")]}
    path = "/v1/opportunities/roles.json"
    answer = rest.call("POST", path, params={"_method": "GET"}, json=body)
    assert answer["result"] == [{"seq": 0, "role": "Buyer", "isPrimary": True}]
    with pytest.raises(Refused):
        rest.query("dedupeFields", "A", roles=True)
    assert len(rest.query("leadId", "3", roles=True)) == len(rest.query("externalOpportunityId", "A", roles=True)) == 2


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"input": []}, "1003"),
        ({"input": [5]}, "1003"),
        ({"input": [{"externalOpportunityId": "A", "leadId": 3}]}, "1002"),
        ({"filterType": "leadId"}, "1003"),
    ],
)
def test_senseless_compound_queries_are_refused(rest, changed, code):
    body = {"filterType": "dedupeFields", "input": [part()], **changed}
    with pytest.raises(Refused) as refused:
        rest.call("POST", "/v1/opportunities/roles.json", params={"_method": "GET"}, json=body)
    assert refused.value.code == code


def test_opportunities_are_found_by_company_and_sales_person(rest):
    rest.sync([opp("A", externalCompanyId="C-0001"), opp("B"), opp("C", externalCompanyId="C-0001")])
    found = rest.query("externalCompanyId", "C-0001", fields="externalOpportunityId")
    assert [row["externalOpportunityId"] for row in found] == ["A", "C"]
    assert rest.query("externalSalesPersonId", "S-1") == []


def test_guid_has_to_be_a_text(rest):
    assert rest.sync_one({"marketoGUID": 5}, action="updateOnly", dedupeBy="idField") == "1003"


def test_body_that_is_not_utf8_is_609_and_not_shown(rest, sandbox):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(Refused) as refused:
        rest.call("POST", "/v1/leads.json", params={"_method": "GET"}, data=b"filterType=\xff", headers=form)
    assert refused.value.code == "609"
    assert sandbox.calls[-1].request.endswith("(12 bytes that are not UTF-8)")


def test_long_queries_are_sent_as_a_form(rest):
    rest.sync([opp(f"K{number}") for number in range(300)])
    values = ",".join(f"K{number}" for number in range(300))
    form = {"filterType": "externalOpportunityId", "filterValues": values, "fields": "externalOpportunityId"}
    answer = rest.call("POST", "/v1/opportunities.json", params={"_method": "GET"}, data=form)
    assert [row["externalOpportunityId"] for row in answer["result"]] == values.split(",")
    long = {**form, "filterValues": ",".join("K" * 50 for _ in range(300))}
    assert rest.send("GET", "/v1/opportunities.json", params=long).status_code == 414


def test_what_is_not_found_is_an_empty_list(rest):
    assert rest.query("externalOpportunityId", "nothing") == []
    assert rest.query("leadId", "3", roles=True) == []


def test_pages_go_on_with_a_token_that_belongs_to_the_query(rest):
    rest.sync([opp(key, contractMonths=12) for key in "ABCDE"])
    asked = {"filterType": "contractMonths", "filterValues": "12", "batchSize": 2, "fields": "externalOpportunityId"}
    seen, token = [], None
    while True:
        page = rest.call("GET", "/v1/opportunities.json", params={**asked, "nextPageToken": token})
        seen += [row["externalOpportunityId"] for row in page["result"]]
        if "nextPageToken" not in page:
            break
        token = page["nextPageToken"]
    assert seen == list("ABCDE")
    with pytest.raises(Refused):
        rest.query("externalOpportunityId", "A", nextPageToken=token)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "1003"),
        ({"filterType": "externalOpportunityId"}, "1003"),
        ({"filterType": "name", "filterValues": "x"}, "1011"),
        ({"filterType": "externalOpportunityId", "filterValues": ",".join(map(str, range(301)))}, "1003"),
        ({"filterType": "externalOpportunityId", "filterValues": "x", "fields": "colour"}, "1006"),
        ({"filterType": "externalOpportunityId", "filterValues": "x", "batchSize": 301}, "1003"),
        ({"filterType": "externalOpportunityId", "filterValues": "x", "nextPageToken": "later"}, "1003"),
    ],
)
def test_senseless_queries_are_refused(rest, asked, code):
    with pytest.raises(Refused) as refused:
        rest.get("/v1/opportunities.json", **asked)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        {"input": [opp(str(number)) for number in range(301)]},
        {"input": [opp()], "action": "upsert"},
        {"input": [opp()], "dedupeBy": "name"},
        {"input": [5]},
        {},
    ],
)
def test_senseless_writes_are_refused_as_a_whole(rest, sandbox, body):
    with pytest.raises(Refused) as refused:
        rest.call("POST", "/v1/opportunities.json", json=body)
    assert refused.value.code == "1003"
    assert not sandbox.store.opportunities


def test_unknown_sales_person_refuses_the_whole_call(rest, sandbox):
    with pytest.raises(Refused) as refused:
        rest.sync([opp("A"), opp("B", externalSalesPersonId="S-1")])
    assert refused.value.code == "718"
    assert not sandbox.store.opportunities


def test_delete_by_key_and_by_guid(rest, sandbox):
    rows = rest.sync([opp("A"), opp("B")])
    rest.sync([part("A")], roles=True)
    path = "/v1/opportunities/delete.json"
    answer = rest.call("POST", path, json={"input": [opp("A"), opp("C")]})
    assert [outcome(row) for row in answer["result"]] == ["deleted", "1013"]
    by_id = {"deleteBy": "idField", "input": [{"marketoGUID": rows[1]["marketoGUID"]}]}
    assert rest.call("POST", path, json=by_id)["result"][0]["status"] == "deleted"
    assert rest.call("POST", path, json=by_id)["result"][0]["status"] == "skipped"
    assert len(sandbox.store.roles) == 1
    (orphan,) = rest.query("leadId", "3", roles=True)
    assert "externalOpportunityId" not in orphan


def test_native_crm_sync_refuses_opportunities_and_roles_but_not_programs(rest, sandbox):
    rest.sync([opp("A")])
    sandbox.instance.native_crm_sync = True
    assert rest.sync_one(opp("A", name="x")) == "1018"
    assert rest.sync_one(part(), roles=True) == "1018"
    assert rest.query("externalOpportunityId", "A", fields="name") == [{"seq": 0}]
    assert rest.update(1001, description="still")["description"] == "still"


def test_what_soap_made_is_there_over_rest_and_the_other_way_round(rest, wire):
    made = wire.sync_one("INSERT", opportunity(key="S", Name="By SOAP", Amount="12.50", links=[link("Company", 2)]))
    (row,) = rest.query("externalOpportunityId", "S", fields="name,amount,externalCompanyId,marketoGUID")
    assert (row["name"], row["amount"], row["externalCompanyId"]) == ("By SOAP", 12.5, "C-0002")
    rest.sync([opp("S", name="By REST", closeDate="2026-12-24", isWon=True)])
    values = wire.values("Opportunity", made.id)
    assert (values["Name"], values["CloseDate"], values["IsWon"]) == ("By REST", "2026-12-24", "true")
    rest.sync([part("S", isPrimary=True)], roles=True)
    (shown,) = wire.get("OpportunityPersonRole")
    links = {item.findtext("mObjType"): item.findtext("id") for item in shown.iter("mObjAssociation")}
    assert links == {"Opportunity": str(made.id), "Lead": "3"}


def test_keys_that_soap_gave_twice_are_1007(rest, wire):
    wire.sync("INSERT", opportunity(key="A", Name="x"), opportunity(Name="y", ExternalOpportunityId="A"))
    assert rest.sync_one(opp("A", name="z")) == "1007"
    assert len(rest.query("externalOpportunityId", "A")) == 2


def test_role_that_soap_made_without_a_name_is_found_but_has_no_key(rest, wire):
    made = wire.sync_one("INSERT", opportunity(key="A"))
    wire.sync("INSERT", role(links=[link("Opportunity", made.id), link("Lead", 3)]))
    (found,) = rest.query("externalOpportunityId", "A", roles=True)
    assert (found["leadId"], "role" in found) == (3, False)
    assert rest.sync_one(part("A"), roles=True, action="updateOnly") == "1013"


def test_companies_and_leads_are_looked_up(rest):
    rows = rest.get("/v1/companies.json", filterType="id", filterValues="2,3", fields="company,externalCompanyId")
    assert [row["externalCompanyId"] for row in rows] == ["C-0002", "C-0003"]
    (company,) = rest.get("/v1/companies.json", filterType="dedupeFields", filterValues="C-0002")
    assert company == {"seq": 0, "id": 2, "externalCompanyId": "C-0002"}
    (lead,) = rest.get("/v1/leads.json", filterType="externalPersonId", filterValues="P-0005", fields="id,email")
    assert lead == {"id": 5, "email": "person0005@example.com"}
    assert rest.get("/v1/leads.json", filterType="id", filterValues="0,x") == []
    assert rest.get("/v1/companies.json", filterType="company", filterValues="nobody") == []
    with pytest.raises(Refused):
        rest.get("/v1/leads.json", filterType="colour", filterValues="red")


@pytest.mark.parametrize(
    ("method", "path", "options", "code"),
    [
        ("GET", "/v1/nothing.json", {}, "610"),
        ("DELETE", "/v1/opportunities.json", {}, "605"),
        ("GET", "/v1/opportunities/delete.json", {}, "605"),
        ("GET", "//v1/opportunities/describe.json", {}, "610"),
        ("POST", "/v1/opportunities.json", {"data": {"input": "x"}}, "612"),
        (
            "POST",
            "/v1/opportunities.json",
            {"data": "{", "headers": {"Content-Type": "application/json"}},
            "609",
        ),
        ("POST", "/v1/opportunities.json", {"json": [1]}, "609"),
    ],
)
def test_calls_of_the_wrong_form_are_refused(rest, method, path, options, code):
    with pytest.raises(Refused) as refused:
        rest.call(method, path, **options)
    assert refused.value.code == code


@pytest.mark.parametrize(("size", "status"), [(1_000_000, 200), (1_000_001, 413)])
def test_body_over_one_megabyte_is_413_of_http(rest, sandbox, size, status):
    body = json.dumps({"input": [opp("A")]}).ljust(size)
    headers = {"Content-Type": "application/json"}
    answer = rest.send("POST", "/v1/opportunities.json", data=body, headers=headers)
    assert answer.status_code == status
    assert len(sandbox.store.opportunities) == (status == 200)


def test_long_answers_are_compressed_for_those_who_ask(rest):
    path = "/v1/opportunities/describe.json"
    plain = rest.send("GET", path, headers={"Accept-Encoding": "identity"})
    packed = rest.send("GET", path, headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.json()["result"] == packed.json()["result"]
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    short = rest.send("GET", "/v1/stats/usage.json")
    assert isinstance(short, requests.Response)
    assert "Content-Encoding" not in short.headers
