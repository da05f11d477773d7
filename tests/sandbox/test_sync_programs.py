"""syncMObjects on programs: UPDATE only, period costs, tags and channel."""

import pytest

from tests.sandbox.wire import cost, link, mobject, program, tag

PROGRAM = 1001  # in the seed: no costs
WITH_COST = 1002


def costs_of(wire, program_id):
    return [pairs for kind, pairs in wire.details(program_id) if kind == "Cost"]


def tags_of(wire, program_id):
    return {pairs["Type"]: pairs["Value"] for kind, pairs in wire.details(program_id) if kind == "Tag"}


@pytest.mark.parametrize("operation", ["INSERT", "UPSERT"])
def test_programs_can_only_be_updated(wire, operation):
    row = wire.sync_one(operation, program(PROGRAM, cost()))
    assert row.status == "FAILED"
    assert "UPDATE only" in row.error
    assert costs_of(wire, PROGRAM) == []


def test_unknown_program_is_skipped_and_one_without_id_fails(wire):
    unknown, nameless = wire.sync("UPDATE", program(9, cost()), program(None, cost()))
    assert (unknown.status, unknown.id) == ("SKIPPED", None)
    assert (nameless.status, nameless.error) == ("FAILED", "id is required on Program")


def test_cost_without_id_is_added_each_time(wire):
    rows = [wire.sync_one("UPDATE", program(PROGRAM, cost("2011-07", "3000", Note="booth"))) for _ in range(2)]
    assert [(row.status, row.id) for row in rows] == [("UPDATED", PROGRAM)] * 2
    first, second = costs_of(wire, PROGRAM)
    assert first == {"Id": first["Id"], "Month": "2011-07-01", "Amount": "3000", "Note": "booth"}
    assert int(second["Id"]) > int(first["Id"])


def test_cost_with_id_is_changed(wire):
    (old,) = costs_of(wire, WITH_COST)
    row = wire.sync_one("UPDATE", program(WITH_COST, cost("2013-06", "2000.50", Id=old["Id"])))
    assert row.status == "UPDATED"
    assert costs_of(wire, WITH_COST) == [{**old, "Month": "2013-06-01", "Amount": "2000.50"}]


def test_same_cost_again_is_unchanged(wire):
    (old,) = costs_of(wire, WITH_COST)
    same = cost(old["Month"][:7], old["Amount"] + ".00", Id=old["Id"])
    assert wire.sync_one("UPDATE", program(WITH_COST, same)).status == "UNCHANGED"
    assert wire.sync_one("UPDATE", program(WITH_COST)).status == "UNCHANGED"


def test_empty_note_clears_the_note(wire):
    (old,) = costs_of(wire, WITH_COST)
    wire.sync_one("UPDATE", program(WITH_COST, cost(old["Month"][:7], old["Amount"], Id=old["Id"], Note="")))
    assert "Note" in old
    assert "Note" not in costs_of(wire, WITH_COST)[0]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"Amount": "5"}, "Cost Month is required"),
        ({"Month": "2013-06"}, "Cost Amount is required"),
        ({"Month": "2013-06", "Amount": ""}, "Cost Amount is required"),
        ({"Month": "2013-06-01", "Amount": "5"}, "'2013-06-01'"),
        ({"Month": "2013-13", "Amount": "5"}, "'2013-13'"),
        ({"Month": "2013-06", "Amount": "5 EUR"}, "Cost Amount: '5 EUR'"),
        ({"Month": "2013-06", "Amount": "5", "Id": "x"}, "Cost Id: 'x'"),
        ({"Month": "2013-06", "Amount": "5", "Id": ""}, "Cost Id: ''"),
        ({"Month": "2013-06", "Amount": "5", "Id": "999999"}, "no cost 999999"),
        ({"Month": "2013-06", "Amount": "5", "Memo": "x"}, "no attribute Memo"),
    ],
)
def test_bad_cost_fails_in_words(wire, values, word):
    row = wire.sync_one("UPDATE", program(PROGRAM, ("Cost", values)))
    assert (row.status, row.id) == ("FAILED", PROGRAM)
    assert word in row.error
    assert costs_of(wire, PROGRAM) == []


def test_cost_of_another_program_is_unknown(wire):
    (other,) = costs_of(wire, WITH_COST)
    row = wire.sync_one("UPDATE", program(PROGRAM, cost(Id=other["Id"])))
    assert row.status == "FAILED"


def test_tag_and_channel_are_set(wire):
    row = wire.sync_one("UPDATE", program(PROGRAM, tag("Region", "Korea"), tag("Channel", "Tradeshow")))
    assert row.status == "UPDATED"
    assert tags_of(wire, PROGRAM)["Region"] == "Korea"
    assert tags_of(wire, PROGRAM)["Channel"] == "Tradeshow"
    assert wire.sync_one("UPDATE", program(PROGRAM, tag("Region", "Korea"))).status == "UNCHANGED"


@pytest.mark.parametrize(
    ("part", "word"),
    [
        (tag("Region", "Mars"), "'Mars'"),
        (tag("Channel", "Pigeon Post"), "'Pigeon Post'"),
        (tag("Colour", "red"), "'Colour'"),
        (("Tag", {"Type": "Region"}), "Tag Value is required"),
        (("Tag", {"Value": "Korea"}), "Tag Type is required"),
        (("Token", {"Name": "x", "Value": "y"}), "attrType Token"),
    ],
)
def test_unknown_tag_or_part_fails_in_words(wire, part, word):
    row = wire.sync_one("UPDATE", program(PROGRAM, part))
    assert row.status == "FAILED"
    assert word in row.error


def test_tag_type_given_twice_fails(wire):
    row = wire.sync_one("UPDATE", program(PROGRAM, tag("Region", "Korea"), tag("Region", "EMEA")))
    assert "given twice" in row.error


def test_program_is_updated_wholly_or_not_at_all(wire):
    before = wire.details(WITH_COST)
    (old,) = costs_of(wire, WITH_COST)
    wire.sync_one("UPDATE", program(WITH_COST, cost(), cost(Id=old["Id"]), tag("Region", "Mars")))
    assert wire.details(WITH_COST) == before


@pytest.mark.parametrize(
    "foreign",
    [
        mobject("Program", PROGRAM, values={"Name": "new name"}),
        mobject("Program", PROGRAM, key=("Name", "x"), parts=[cost()]),
        mobject("Program", PROGRAM, parts=[cost()], links=[link("Company", 1)]),
    ],
)
def test_other_parts_are_not_for_programs(wire, foreign):
    assert "typeAttribList only" in wire.sync_one("UPDATE", foreign).error
