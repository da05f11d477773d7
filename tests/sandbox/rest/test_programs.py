"""Programs, costs, tags and channels over REST: what adds, what replaces, what is refused."""

import json

import pytest

from tests.sandbox.rest.wire import Refused, cost, tags
from tests.sandbox.wire import cost as soap_cost
from tests.sandbox.wire import program, tag

PROGRAM = 1001  # an Event in the channel Webinar, with the tags Product Line and Business Unit, without costs
DEFAULT_PROGRAM = 1016  # of the channel Content


def path(program=PROGRAM):
    return f"/asset/v1/program/{program}.json"


def tags_of(rest, program=PROGRAM):
    (row,) = rest.get(path(program))
    return {tag["tagType"]: tag["tagValue"] for tag in row["tags"] or []}


def refusal(rest, program=PROGRAM, **fields):
    with pytest.raises(Refused) as refused:
        rest.update(program, **fields)
    return refused.value.code


def test_envelope_of_assets_has_its_keys_in_the_recorded_order(rest):
    found = rest.call("GET", path())
    assert list(found) == ["success", "errors", "requestId", "warnings", "result"]
    nothing = rest.call("GET", path(9999))
    assert list(nothing) == ["success", "errors", "requestId", "warnings"]
    assert nothing["warnings"] == ["No assets found for the given search criteria."]
    failed = rest.send("GET", "/asset/v1/programs.json", params={"offset": -1}).json()
    assert list(failed) == ["success", "errors", "requestId", "warnings"]


def test_program_by_id_shows_tags_and_no_costs_unless_the_instance_does(rest, sandbox):
    rest.update(PROGRAM, costs=[cost()])
    (row,) = rest.get(path())
    assert row["costs"] is None
    assert row["createdAt"] == "2026-01-05T09:00:00Z+0000"
    assert row["folder"] == {"type": "Folder", "value": 10001, "folderName": "Default"}
    assert (row["type"], row["channel"], row["status"], row["headStart"]) == ("Event", "Webinar", "", False)
    sandbox.instance.costs_by_id = True
    assert rest.get(path())[0]["costs"] == [{"startDate": "2026-07-01", "cost": 500}]


def test_program_by_name_shows_what_is_asked_for(rest, sandbox):
    rest.update(PROGRAM, costs=[cost(note="x")])
    by_name = "/asset/v1/program/byName.json"
    name = sandbox.store.programs[PROGRAM].name
    (bare,) = rest.get(by_name, name=name)
    assert (bare["tags"], bare["costs"]) == (None, None)
    (whole,) = rest.get(by_name, name=name, includeTags="true", includeCosts="true")
    assert len(whole["tags"]) == 2
    assert whole["costs"] == [{"startDate": "2026-07-01", "cost": 500, "note": "x"}]
    rest.update(PROGRAM, name="Berlin, Spring")
    assert rest.get(by_name, name="Berlin, Spring") is None


def test_what_has_neither_tags_nor_costs_says_null(rest):
    row = rest.update(PROGRAM, tags=[])
    assert (row["tags"], row["costs"]) == (None, None)


def test_missing_program_may_be_an_error(rest, sandbox):
    assert rest.get(path(9999)) is None
    sandbox.instance.missing_is_error = True
    with pytest.raises(Refused) as refused:
        rest.get(path(9999))
    assert refused.value.code == "702"
    assert refusal(rest, 9999, description="x") == "702"


def test_costs_are_added_and_never_merged(rest):
    rest.update(PROGRAM, costs=[cost(amount=500)])
    rest.update(PROGRAM, costs=[cost(amount=500)], costsDestructiveUpdate="false")
    # Misspelt as in a published sample: an unknown field is ignored, so this adds too.
    rest.update(PROGRAM, costs=[cost(amount=500)], costsDesctructiveUpdate="true")
    assert rest.costs(PROGRAM) == [("2026-07-01", 500)] * 3


def test_destructive_update_replaces_all_costs_or_clears_them(rest):
    rest.update(PROGRAM, costs=[cost("2026-01-01"), cost("2026-02-01")])
    rest.update(PROGRAM, costs=[cost("2026-03-01", 7)], costsDestructiveUpdate="true")
    assert rest.costs(PROGRAM) == [("2026-03-01", 7)]
    rest.update(PROGRAM, costsDestructiveUpdate="true")
    assert rest.costs(PROGRAM) == []


@pytest.mark.parametrize(
    ("costs", "code"),
    [
        ([cost(amount=12.5)], "1001"),
        ([cost(amount="12")], "1001"),
        ([cost(amount=True)], "1001"),
        ([cost(amount=None)], "1001"),
        ([cost(amount=-1)], "709"),
        ([cost(amount=100_000_000)], "709"),
        ([cost("July 2026")], "1001"),
        ([{"cost": 1}], "1001"),
        ([cost(), {**cost(), "note": 5}], "1001"),
        ([5], "1001"),
        ("[{'cost': 1}]", "1001"),
        ('{"cost": 1}', "1001"),
    ],
)
def test_wrong_costs_are_refused_and_nothing_is_changed(rest, costs, code):
    rest.update(PROGRAM, costs=[cost("2026-01-01", 1)])
    assert refusal(rest, costs=costs, costsDestructiveUpdate="true", description="new") == code
    assert rest.costs(PROGRAM) == [("2026-01-01", 1)]
    assert rest.get(path())[0]["description"] == ""


def test_tag_list_wipes_what_is_not_in_it(rest):
    assert len(tags_of(rest)) == 2
    rest.update(PROGRAM, description="without tags")
    assert len(tags_of(rest)) == 2
    rest.update(PROGRAM, tags=tags(Region="EMEA"))
    assert tags_of(rest) == {"Region": "EMEA"}


def test_required_tags_are_mandatory_in_a_tag_list(rest, sandbox):
    sandbox.store.required_tags = {"Business Unit"}
    before = tags_of(rest)
    assert refusal(rest, tags=tags(Region="EMEA")) == "709"
    assert tags_of(rest) == before
    rest.update(PROGRAM, tags=tags(Region="EMEA", Business_Unit="Enterprise"))
    assert tags_of(rest) == {"Region": "EMEA", "Business Unit": "Enterprise"}


@pytest.mark.parametrize("wrong", [tags(Colour="red"), tags(Region="Moon"), [{"tagType": "Region"}]])
def test_tags_have_to_exist(rest, wrong):
    assert refusal(rest, tags=wrong) == "709"


def test_tag_type_may_be_for_other_programs(rest, sandbox):
    sandbox.store.tag_program_types["Region"] = ["email_batch", "nurture"]
    assert refusal(rest, tags=tags(Region="EMEA")) == "709"
    types = {row["tagType"]: row["applicableProgramTypes"] for row in rest.get("/asset/v1/tagTypes.json")}
    assert types["Region"] == "[email_batch,nurture]"


def test_one_tag_is_set_and_removed_without_touching_the_others(rest, sandbox):
    before = tags_of(rest)
    answer = rest.call("POST", "/asset/v1/program/1001/tag/Product%20Line.json?tagValue=Cloud")
    assert answer["result"] == [{"id": 1001}]
    rest.call("POST", "/asset/v1/program/1001/tag/Region.json", data={"tagValue": "EMEA"})
    assert tags_of(rest) == {**before, "Product Line": "Cloud", "Region": "EMEA"}
    remove = "/asset/v1/program/1001/tag/Region/delete.json"
    assert rest.call("POST", remove)["result"] == [{"id": 1001}]
    with pytest.raises(Refused) as refused:
        rest.call("POST", remove)
    assert refused.value.code == "702"
    sandbox.store.required_tags = {"Product Line"}
    with pytest.raises(Refused) as refused:
        rest.call("POST", "/asset/v1/program/1001/tag/Product%20Line/delete.json")
    assert refused.value.code == "709"


def test_call_for_one_tag_may_refuse_to_add(rest, sandbox):
    sandbox.instance.tag_call_adds = False
    with pytest.raises(Refused) as refused:
        rest.call("POST", "/asset/v1/program/1001/tag/Region.json?tagValue=EMEA")
    assert refused.value.code == "702"
    rest.call("POST", "/asset/v1/program/1001/tag/Product%20Line.json?tagValue=Cloud")
    assert tags_of(rest)["Product Line"] == "Cloud"


def test_calls_for_one_tag_of_a_missing_program_find_nothing(rest):
    for path_end in ("Region.json?tagValue=EMEA", "Region/delete.json"):
        answer = rest.call("POST", f"/asset/v1/program/9999/tag/{path_end}")
        assert ("result" in answer, len(answer["warnings"])) == (False, 1)


@pytest.mark.parametrize(("value", "code"), [("Moon", "709"), ("", "701")])
def test_call_for_one_tag_refuses_a_wrong_value(rest, value, code):
    with pytest.raises(Refused) as refused:
        rest.call("POST", f"/asset/v1/program/1001/tag/Region.json?tagValue={value}")
    assert refused.value.code == code


def test_channel_has_to_exist_and_to_fit_the_type_of_program(rest):
    assert rest.update(PROGRAM, channel="Roadshow")["channel"] == "Roadshow"
    assert refusal(rest, channel="Email Send") == "709"
    assert refusal(rest, channel="Nothing") == "709"
    assert rest.update(PROGRAM, channel="Webinar", tags=tags(Channel="Roadshow"))["channel"] == "Webinar"
    rest.call("POST", "/asset/v1/program/1001/tag/Channel.json?tagValue=Tradeshow")
    assert rest.get(path())[0]["channel"] == "Tradeshow"


def test_channel_may_be_ignored_or_refused_by_the_instance(rest, sandbox):
    sandbox.instance.set_options({"channel_on_update": "ignored"})
    assert rest.update(PROGRAM, channel="Roadshow")["channel"] == "Webinar"
    sandbox.instance.set_options({"channel_on_update": "refused"})
    assert refusal(rest, channel="Roadshow") == "709"


def test_name_is_unique_and_not_blank(rest, sandbox):
    assert refusal(rest, name=sandbox.store.programs[1002].name) == "709"
    assert refusal(rest, name="") == "701"
    assert rest.update(PROGRAM, name="Renamed", description="d")["name"] == "Renamed"


def test_dates_are_for_events_and_emails(rest, sandbox):
    rest.update(PROGRAM, startDate="2026-12-24")
    assert sandbox.store.programs[PROGRAM].start.date().isoformat() == "2026-12-24"
    assert refusal(rest, DEFAULT_PROGRAM, startDate="2026-12-24") == "709"
    assert refusal(rest, startDate="24.12.2026") == "1001"


def test_update_is_a_form_and_not_json(rest):
    with pytest.raises(Refused) as refused:
        rest.call("POST", path(), json={"description": "x"})
    assert refused.value.code == "612"
    rest.call("POST", path(), params={"costs": json.dumps([cost()])})
    assert rest.costs(PROGRAM) == [("2026-07-01", 500)]


def test_browsing_has_pages_and_neither_tags_nor_costs(rest):
    first = rest.get("/asset/v1/programs.json")
    assert [row["id"] for row in first] == list(range(1001, 1021))
    assert not {"tags", "costs"} & set(first[0])
    rest_of_it = rest.get("/asset/v1/programs.json", maxReturn=200, offset=30)
    assert [row["id"] for row in rest_of_it] == list(range(1031, 1041))
    assert rest.get("/asset/v1/programs.json", offset=40) is None
    for wrong in ({"maxReturn": 201}, {"maxReturn": 0}, {"offset": -1}, {"filterType": "colour"}):
        with pytest.raises(Refused):
            rest.get("/asset/v1/programs.json", **wrong)


def test_browsing_by_filter_and_time(rest):
    found = rest.get("/asset/v1/programs.json", filterType="programId", filterValues="1003,1001")
    assert [row["id"] for row in found] == [1001, 1003]
    rest.update(1004, description="x")
    changed = rest.get("/asset/v1/programs.json", earliestUpdatedAt="2026-06-01T00:00:00Z")
    assert [row["id"] for row in changed] == [1004]
    early = rest.get("/asset/v1/programs.json", latestUpdatedAt="2026-01-06T12:00:00Z")
    assert [row["id"] for row in early] == [1001, 1002]
    with pytest.raises(Refused) as refused:
        rest.get("/asset/v1/programs.json", earliestUpdatedAt="soon")
    assert refused.value.code == "704"
    by_tag = rest.get("/asset/v1/program/byTag.json", tagType="Region", tagValue="EMEA")
    assert {row["tags"][0]["tagValue"] for row in by_tag} == {"EMEA"}


def test_tag_types_and_channels_are_told_in_their_own_words(rest, sandbox):
    sandbox.store.required_tags = {"Region"}
    (region,) = rest.get("/asset/v1/tagType/byName.json", name="Region")
    assert region == {
        "tagType": "Region",
        "applicableProgramTypes": "[program,event,email_batch,nurture,webinar]",
        "required": True,
        "allowableValues": "[AMER, APAC, EMEA, Korea]",
    }
    assert rest.get("/asset/v1/tagType/byName.json", name="Colour") is None
    channels = {row["name"]: row for row in rest.get("/asset/v1/channels.json")}
    assert {name: row["applicableProgramType"] for name, row in channels.items()} == {
        "Webinar": "event",
        "Tradeshow": "event",
        "Email Send": "email_batch",
        "Content": "program",
        "Nurture": "nurture",
        "Online Advertising": "program",
        "Roadshow": "event",
        "Web Form": "program",
    }
    steps = [
        (status["name"], status["step"], status["success"]) for status in channels["Content"]["progressionStatuses"]
    ]
    assert steps == [("Viewed", 10, False), ("Downloaded", 20, True)]
    assert rest.get("/asset/v1/channel/byName.json", name="Content") == [channels["Content"]]
    assert rest.get("/asset/v1/channel/byName.json", Name="Content") == [channels["Content"]]
    types = {row["type"] for row in rest.get("/asset/v1/programs.json", maxReturn=200)}
    assert types == {"Default", "Email", "Engagement", "Event"}


def test_what_soap_changed_is_there_over_rest_and_the_other_way_round(rest, wire):
    wire.sync("UPDATE", program(PROGRAM, soap_cost("2026-07", "2000.75", Note="by SOAP"), tag("Region", "EMEA")))
    assert rest.costs(PROGRAM) == [("2026-07-01", 2000)]
    assert tags_of(rest)["Region"] == "EMEA"
    rest.update(PROGRAM, costs=[cost("2026-08-15", 3, "by REST")])
    costs = [values for kind, values in wire.details(PROGRAM) if kind == "Cost"]
    assert [(item["Month"], item["Amount"], item["Note"]) for item in costs] == [
        ("2026-07-01", "2000.75", "by SOAP"),
        ("2026-08-01", "3", "by REST"),
    ]
