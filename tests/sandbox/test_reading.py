"""getMObjects, describeMObject, listMObjects, getTags, getChannels, deleteMObjects."""

import base64
from datetime import timedelta

import pytest

from tests.sandbox.wire import NIL, E, Element, Fault, criterion, link, mobject, opportunity, pairs_of, role


def ids(elements):
    return [int(element.findtext("id")) for element in elements]


def where(*criteria):
    return E.mObjCriteriaList(*criteria)


def test_programs_come_by_id_with_their_spaced_names(wire):
    found = wire.get("Program", E.id("1001"))
    attribs = pairs_of(found[0].findall("attribList/attrib"))
    assert ids(found) == [1001]
    assert attribs["Name"] == "2026-01 Webinar - Cloud Cost Control"
    assert attribs["Type"] == "Marketing Event"
    assert attribs["Workspace Name"] == "Default"
    assert attribs["Is Archived"] == "false"
    assert attribs["Start Date"] == "2026-01-15 11:00:00"


def test_details_only_on_demand(wire):
    (plain,) = wire.get("Program", E.id("1002"))
    assert plain.find("typeAttribList") is None
    assert {kind for kind, _ in wire.details(1002)} == {"Tag", "Cost"}


def test_unknown_id_gives_an_empty_page(wire):
    result = wire.call("GetMObjects", E.type("Opportunity"), E.id("7"))
    assert (result.findtext("returnCount"), result.findtext("hasMore")) == ("0", "false")


def test_paging_by_stream_position(wire):
    for start in (0, 100, 200):
        wire.sync("INSERT", *[opportunity(Name=str(start + n)) for n in range(100 if start < 200 else 50)])
    pages: list[list[int]] = []
    position: list[Element] = []
    while True:
        result = wire.call("GetMObjects", E.type("Opportunity"), *position)
        pages.append(ids(result.findall("mObjectList/mObject")))
        position = [E.streamPosition(result.findtext("newStreamPosition"))]
        if result.findtext("hasMore") == "false":
            break
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [id_ for page in pages for id_ in page] == list(range(500001, 500251))
    with pytest.raises(Fault, match="20123"):
        wire.call("GetMObjects", E.type("Opportunity"), *position)


def test_position_is_opaque_and_kilobytes_long_on_the_last_page_too(wire):
    result = wire.call("GetMObjects", E.type("Opportunity"))
    assert len(result.findtext("newStreamPosition")) > 2000


@pytest.mark.parametrize("position", ["nonsense", "한글", base64.b64encode(b"[1]").decode()])
def test_bad_position_is_refused(wire, position):
    with pytest.raises(Fault, match="20122"):
        wire.call("GetMObjects", E.type("Opportunity"), E.streamPosition(position))


def test_position_of_another_question_is_refused(wire):
    wire.sync("INSERT", *[opportunity(Name="x") for _ in range(100)])
    wire.sync("INSERT", opportunity(Name="x"))
    position = wire.call("GetMObjects", E.type("Opportunity")).findtext("newStreamPosition")
    with pytest.raises(Fault, match="20122"):
        wire.call("GetMObjects", E.type("Program"), E.streamPosition(position))


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        ([("Id", "EQ", "1005")], 1),
        ([("Id", "GE", "1005"), ("Id", "LT", "1008")], 3),
        ([("Id", "GT", "1005"), ("Id", "LE", "1008")], 3),
        ([("Name", "EQ", "2026-01 Webinar - Cloud Cost Control")], 1),
        ([("Name", "NE", "2026-01 Webinar - Cloud Cost Control")], 37),
        ([("Type", "EQ", "Nurture Program")], 5),
        ([("CRM Id", "EQ", "701A00000000000004")], 1),
        ([("Workspace Name", "EQ", "Europe"), ("Id", "LE", "1006")], 2),
        ([("Workspace Id", "EQ", "2"), ("Id", "LE", "1006")], 2),
        ([("Tag Type", "EQ", "Channel"), ("Tag Value", "EQ", "Webinar")], 5),
        ([("Tag Type", "EQ", "Region"), ("Tag Value", "EQ", "Webinar")], 0),
        ([("Tag Value", "EQ", "Tradeshow")], 5),
        ([], 38),
        ([("Include Archive", "EQ", "true")], 40),
    ],
)
def test_criteria_on_programs(wire, criteria, count):
    found = wire.get("Program", where(*[criterion(*one) for one in criteria]))
    assert len(found) == count


def test_stage_and_role_criteria(wire):
    deal, _ = wire.sync("INSERT", opportunity(Stage="Won"), opportunity(Stage="Lost"))
    wire.sync("INSERT", *[role(OpportunityId=str(deal.id), PersonId="1", Role=name) for name in ("Buyer", "User")])
    assert ids(wire.get("Opportunity", where(criterion("Stage", "EQ", "Won")))) == [deal.id]
    assert ids(wire.get("OpportunityPersonRole", where(criterion("Role", "NE", "Buyer")))) == [800002]


@pytest.mark.parametrize(("comparison", "count"), [("EQ", 1), ("NE", 2), ("LT", 1), ("LE", 2), ("GT", 1), ("GE", 2)])
def test_times_take_all_comparisons(wire, comparison, count):
    clock = wire.server.store.clock
    clock.freeze(clock.now().replace(microsecond=0))
    for _ in range(3):
        wire.sync("INSERT", opportunity(Name="x"))
        clock.advance(60)
    middle = (clock.now() - timedelta(seconds=120)).isoformat()
    for name in ("Created At", "Updated At"):
        assert len(wire.get("Opportunity", where(criterion(name, comparison, middle)))) == count


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("Opportunity", ("Role", "EQ", "x")),
        ("Opportunity", ("Tag Type", "EQ", "x")),
        ("Program", ("Stage", "EQ", "x")),
        ("Program", ("Name", "LT", "x")),
        ("Program", ("Id", "EQ", "x")),
        ("Program", ("Created At", "GT", "yesterday")),
    ],
)
def test_criterion_that_does_not_exist_is_refused(wire, kind, bad):
    with pytest.raises(Fault, match="20110"):
        wire.get(kind, where(criterion(*bad)))


def test_tag_criterion_is_allowed_once(wire):
    with pytest.raises(Fault, match="20110"):
        wire.get("Program", where(criterion("Tag Value", "EQ", "a"), criterion("Tag Value", "EQ", "b")))


def test_tag_type_and_time_of_change_exclude_each_other(wire):
    with pytest.raises(Fault, match="20110"):
        wire.get(
            "Program",
            where(criterion("Tag Type", "EQ", "Region"), criterion("Updated At", "GE", "2026-01-01T00:00:00Z")),
        )


def test_found_by_external_key_the_newest_wins(wire):
    _, newer = wire.sync("INSERT", *[opportunity(ExternalOpportunityId="A") for _ in range(2)])
    pair = E.externalKey(E.name("ExternalOpportunityId"), E.value("A"))
    assert ids(wire.get("Opportunity", pair)) == [newer.id]
    with pytest.raises(Fault, match="20110"):
        wire.get("Opportunity", E.id("1"), pair)
    with pytest.raises(Fault, match="20110"):
        wire.get("Program", pair)


def test_found_by_association(wire):
    deal, other = wire.sync("INSERT", opportunity(ExternalOpportunityId="A", links=[link("Company", 7)]), opportunity())
    wire.sync("INSERT", *[role(OpportunityId=str(one.id), PersonId="19") for one in (deal, other)])
    for association in (link("Opportunity", deal.id), link("Opportunity", key=("ExternalOpportunityId", "A"))):
        assert ids(wire.get("OpportunityPersonRole", E.mObjAssociationList(association))) == [800001]
    assert len(wire.get("OpportunityPersonRole", E.mObjAssociationList(link("Lead", 19)))) == 2
    company = link("Company", key=("ExternalCompanyId", "C-0007"))
    assert ids(wire.get("Opportunity", E.mObjAssociationList(company))) == [deal.id]
    unknown = link("Company", key=("ExternalCompanyId", "C-9999"))
    assert wire.get("Opportunity", E.mObjAssociationList(unknown)) == []
    with pytest.raises(Fault, match="20110"):
        wire.get("Program", E.mObjAssociationList(link("Company", 7)))


def test_links_are_read_back_as_associations(wire):
    wire.sync("INSERT", opportunity(Name="x", links=[link("Company", 7)]))
    (found,) = wire.get("Opportunity")
    assert found.findtext("associationList/mObjAssociation/mObjType") == "Company"
    assert found.findtext("associationList/mObjAssociation/id") == "7"


def test_unsupported_type_cannot_be_got(wire):
    with pytest.raises(Fault, match="20110"):
        wire.get("LeadRecord")


def test_opportunity_is_described_with_standard_and_custom_fields(wire):
    fields = wire.call("DescribeMObject", E.objectName("Opportunity")).findall("metadata/fieldList/field")
    found = {field.findtext("name"): field for field in fields}
    custom = {name for name, field in found.items() if field.findtext("isCustom") == "true"}
    assert len(found) == 21 + 2
    assert custom == {"ExternalOpportunityId", "ContractMonths"}
    assert found["Description"].findtext("size") == "2000"
    assert found["Amount"].find("size").get(NIL) == "true"
    assert found["CompanyId"].findtext("displayName") == "Account"
    assert found["Probability"].findtext("dataType") == "integer"
    assert found["Id"].findtext("dynamicFieldRef") == "attributeList"


def test_listed_objects_can_be_described_and_program_cannot(wire):
    names = [element.text for element in wire.call("ListMObjects")]
    assert names == ["ActivityRecord", "LeadRecord", "Opportunity", "OpportunityPersonRole"]
    for name in names:
        assert wire.call("DescribeMObject", E.objectName(name)).findtext("metadata/name") == name
    with pytest.raises(Fault, match="20110"):
        wire.call("DescribeMObject", E.objectName("Program"))


def test_tags_come_all_or_by_type_and_value(wire):
    everything = wire.call("GetTags")
    assert "Region" in [tag.findtext("type") for tag in everything.iter("tag")]
    assert "Channel" not in [tag.findtext("type") for tag in everything.iter("tag")]
    asked = E.tagList(E.tag(E.type("Region"), E.values(E.stringItem("Korea"))), E.tag(E.type("Colour")))
    some = wire.call("GetTags", asked)
    assert [item.text for item in some.iter("stringItem")] == ["Korea"]


def test_channels_come_with_their_steps(wire):
    assert len(wire.call("GetChannels").findall("tags/tagStatus")) == 8
    result = wire.call("GetChannels", E.tag(E.values(E.stringItem("Webinar"))))
    (channel,) = result.findall("tags/tagStatus")
    steps = [pairs_of(item.findall("progressionStatus/attrib")) for item in channel.iter("progressionStatusItem")]
    assert steps[0] == {"Status": "Invited", "Step": "10", "Success": "false"}
    assert steps[-1] == {"Status": "Attended", "Step": "40", "Success": "true", "Webinar Behavior": "Attended"}


def test_delete_answers_deleted_unchanged_failed(wire):
    row = wire.sync_one("INSERT", opportunity(Name="x"))
    rows = wire.delete(mobject("Opportunity", row.id), mobject("Opportunity", row.id), mobject("Opportunity"))
    assert [(one.status, one.id) for one in rows] == [("DELETED", row.id), ("UNCHANGED", row.id), ("FAILED", None)]


def test_deleted_id_is_not_given_again(wire):
    first = wire.sync_one("INSERT", opportunity(Name="x"))
    wire.delete(mobject("Opportunity", first.id))
    assert wire.sync_one("INSERT", opportunity(Name="x")).id == first.id + 1


def test_roles_of_a_deleted_opportunity_stay_as_orphans(wire):
    deal = wire.sync_one("INSERT", opportunity(Name="x"))
    wire.sync_one("INSERT", role(OpportunityId=str(deal.id), PersonId="19"))
    wire.delete(mobject("Opportunity", deal.id))
    assert len(wire.get("OpportunityPersonRole", E.mObjAssociationList(link("Opportunity", deal.id)))) == 1


def test_programs_cannot_be_deleted(wire):
    with pytest.raises(Fault, match="20110"):
        wire.delete(mobject("Program", 1001))
