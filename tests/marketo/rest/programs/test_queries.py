"""Programs that a query finds, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.rest.programs import InstanceFacts, find_programs
from mobjects.marketo.types import ExternalKey, Kind, MarketoQuery, RemoteCost, TagValue
from tests.marketo.rest.programs.records import NAME, PROGRAM
from tests.support.rest_server import asset_success, failure

BY_NAME = "GET /rest/asset/v1/program/byName.json"


def query(**given) -> MarketoQuery:
    return MarketoQuery(Kind.PROGRAM, **given)


def all_pages(calls, asked):
    """The ids of each page."""
    pages, position, more = [], "", True
    while more:
        page = find_programs(calls, asked, position)
        pages.append([each.marketo_id for each in page.found])
        more, position = page.more, page.position
    return pages


def many_programs(box, count):
    """So many programs more, with ids from 2000."""
    with box.sandbox.store.lock:
        for number in range(2000, 2000 + count):
            box.sandbox.store.programs[number] = replace(box.program, id=number, name=f"More {number}", costs={})


def test_a_program_is_told_with_its_costs_and_tags_under_the_names_of_before(box):
    box.put_costs(("2026-06", "500", "ads"), ("2026-06", "500", ""))
    (found,) = find_programs(box.calls, query(id=PROGRAM, details=True)).found
    assert (found.kind, found.marketo_id) == (Kind.PROGRAM, PROGRAM)
    assert found.values["Name"] == NAME
    assert (found.values["Type"], found.values["Workspace Name"]) == ("Event", "Default")
    assert found.costs == (
        RemoteCost(None, date(2026, 6, 1), Decimal("500.00"), "ads"),
        RemoteCost(None, date(2026, 6, 1), Decimal("500.00"), ""),
    )
    assert [str(cost.amount) for cost in found.costs] == ["500.00", "500.00"]
    assert found.tags[0] == TagValue("Channel", "Webinar")
    assert {(tag.type, tag.value) for tag in found.tags[1:]} == set(box.program.tags.items())
    assert found.created_at == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_without_details_neither_costs_nor_tags_are_told(box):
    (found,) = find_programs(box.calls, query(id=PROGRAM)).found
    assert (found.costs, found.tags) == ((), ())
    assert len(box.made()) == 1


@pytest.mark.parametrize("missing_is_error", [False, True])
def test_what_is_not_there_is_left_out(box, missing_is_error):
    box.sandbox.instance.missing_is_error = missing_is_error
    assert find_programs(box.calls, query(id=99)).found == []
    assert all_pages(box.calls, query(ids=(1003, 99, PROGRAM))) == [[PROGRAM, 1003]]
    assert find_programs(box.calls, query(name="Nobody")).found == []
    assert find_programs(box.calls, query(tag=TagValue("Region", "Mars"))).found == []


def test_many_ids_come_in_pages_by_rising_id_with_every_call_kept(box):
    many_programs(box, 45)
    ids = tuple(range(2044, 1999, -1))
    page = find_programs(box.calls, query(ids=ids, details=True))
    assert len(page.exchange.earlier) + 1 == len(box.made())
    assert all_pages(box.calls, query(ids=ids, details=True)) == [
        list(range(2000, 2020)),
        list(range(2020, 2040)),
        list(range(2040, 2045)),
    ]


def test_with_costs_by_id_a_program_takes_one_call(box):
    box.sandbox.instance.costs_by_id = True
    box.put_costs(("2026-06", "500", ""))
    page = find_programs(box.calls, query(ids=(PROGRAM,), details=True), facts=InstanceFacts(costs_by_id=True))
    assert len(page.found[0].costs) == len(box.made()) == 1


def test_a_name_with_a_comma_is_found_all_the_same(box):
    box.change_program(name="Seoul, spring")
    box.put_costs(("2026-06", "500", ""))
    (found,) = find_programs(box.calls, query(name="Seoul, spring", details=True)).found
    assert (found.marketo_id, len(found.costs)) == (PROGRAM, 1)


def test_all_programs_are_browsed_in_pages(box):
    many_programs(box, 230)
    everything = sorted(box.sandbox.store.programs)
    pages = all_pages(box.calls, query())
    assert [number for page in pages for number in page] == everything
    assert len(pages) == 2
    detailed = all_pages(box.calls, query(details=True))
    assert [number for page in detailed for number in page] == everything


def test_a_program_deleted_while_pages_are_read_hides_no_other(box):
    many_programs(box, 200)
    page = find_programs(box.calls, query())
    with box.sandbox.store.lock:
        del box.sandbox.store.programs[PROGRAM]
    with pytest.raises(Rejected, match="changed while it was read"):
        find_programs(box.calls, query(), page.position)


def test_a_program_made_while_pages_are_read_is_found(box):
    many_programs(box, 200)
    page = find_programs(box.calls, query())
    with box.sandbox.store.lock:
        box.sandbox.store.programs[7] = replace(box.program, id=7, name="Seven")
    rest = find_programs(box.calls, query(), page.position)
    seen = {each.marketo_id for each in (*page.found, *rest.found)}
    assert seen >= set(box.sandbox.store.programs) - {7}


def test_programs_are_found_by_tag_channel_workspace_time_and_range(box):
    store = box.sandbox.store
    tagged = [number for number, each in store.programs.items() if each.tags.get("Region") == "EMEA"]
    assert all_pages(box.calls, query(tag=TagValue("Region", "EMEA"))) == [sorted(tagged)]
    webinars = [number for number, each in store.programs.items() if each.channel == "Webinar"]
    assert all_pages(box.calls, query(tag=TagValue("channel", "Webinar"))) == [sorted(webinars)]
    europe = [number for number, each in store.programs.items() if each.workspace_name == "Europe"]
    assert all_pages(box.calls, query(workspace="Europe")) == [sorted(europe)]
    assert all_pages(box.calls, query(id_from=1003, id_to=1005)) == [[1003, 1004, 1005]]
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    box.change_program(updated_at=moment)
    assert all_pages(box.calls, query(updated_since=moment)) == [[PROGRAM]]
    assert all_pages(box.calls, query(updated_since=moment, updated_until=moment)) == [[PROGRAM]]
    assert all_pages(box.calls, query(updated_since=moment + timedelta(seconds=1))) == [[]]


def test_a_programs_name_and_tag_must_both_fit(box):
    region = box.program.tags.get("Product Line", "")
    assert find_programs(box.calls, query(name=NAME, tag=TagValue("product line", region))).found
    assert not find_programs(box.calls, query(name=NAME, tag=TagValue("Product Line", "other"))).found


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (query(key=ExternalKey("A", "b")), "external key"),
        (query(id="4c3c8b2e"), "ID 4c3c8b2e is not between"),
        (query(updated_since=datetime(2026, 1, 1)), "no time zone"),  # that is the point
    ],
)
def test_what_marketo_cannot_be_asked_is_refused_in_words(box, asked, words):
    with pytest.raises(Rejected, match=words):
        find_programs(box.calls, asked)
    assert box.made() == []


@pytest.mark.parametrize("position", ["x", "0:1", "5", "-3:4"])
def test_a_position_of_another_kind_is_refused(box, position):
    with pytest.raises(Rejected, match="position"):
        find_programs(box.calls, query(), position)


def test_more_tagged_programs_than_marketo_lists_reliably_are_refused(server, make_calls):
    page = [{"id": number, "name": "A"} for number in range(1, 201)]
    server.answer(asset_success(*page))
    server.answer(asset_success(*page))
    with pytest.raises(Rejected, match="lists reliably"):
        find_programs(make_calls(), query(tag=TagValue("Region", "EMEA")))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"name": "A"}, "without its ID"),
        ({"id": PROGRAM + 1, "name": "A"}, "told of 1002"),
        ({"id": PROGRAM, "costs": [{"startDate": "soon", "cost": 5}]}, "cost that cannot be read"),
        ({"id": PROGRAM, "costs": [{"startDate": "2026-06-01", "cost": "many"}]}, "cost “many”"),
        ({"id": PROGRAM, "tags": [{"tagValue": "EMEA"}]}, "tag without a type"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused_as_a_whole(server, make_calls, row, words):
    server.answer(asset_success(row))
    with pytest.raises(Unavailable, match=words):
        find_programs(make_calls(), query(id=PROGRAM))


def test_numbers_as_text_dates_with_times_and_nulls_are_read(server, make_calls):
    costs = [{"startDate": "2026-06-01T00:00:00Z+0000", "cost": "500", "note": None}]
    row = {"id": str(PROGRAM), "name": "A", "costs": costs, "tags": None, "channel": None, "updatedAt": None}
    server.answer(asset_success(row))
    (found,) = find_programs(make_calls(), query(id=PROGRAM, details=True)).found
    assert found.costs == (RemoteCost(None, date(2026, 6, 1), Decimal(500), ""),)
    assert (found.tags, found.updated_at) == ((), None)


def test_710_means_none_as_well(server, make_calls):
    server.answer(failure("710", "Parent folder not found"))
    assert find_programs(make_calls(), query(id=PROGRAM)).found == []
