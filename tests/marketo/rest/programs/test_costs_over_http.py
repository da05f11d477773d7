"""Costs of a program in a Marketo that appends them."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import OutcomeUnknown, Unavailable
from mobjects.marketo.rest.programs import send_program
from mobjects.marketo.types import OutcomeStatus
from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind
from tests.marketo.rest.programs.records import NAME, PROGRAM, changed, new, program, remote
from tests.support.rest_server import asset_success

BY_NAME = "GET /rest/asset/v1/program/byName.json"
BY_ID = f"GET /rest/asset/v1/program/{PROGRAM}.json"
UPDATE = f"POST /rest/asset/v1/program/{PROGRAM}.json"


def test_a_new_cost_is_appended_with_its_note(box):
    box.put_costs(("2026-05", "70", "theirs"))
    answer = box.send(program(costs=[new("2026-06", "500.00", "ads"), new("2026-07", "0")]))
    (outcome,) = answer.outcomes
    assert (outcome.status, outcome.marketo_id, outcome.message) == (OutcomeStatus.UPDATED, PROGRAM, "")
    assert box.costs == [("2026-05", "70", "theirs"), ("2026-06", "500", "ads"), ("2026-07", "0", "")]
    assert box.made() == [BY_NAME, UPDATE]
    assert "costsDestructiveUpdate" not in answer.exchange.request


def test_every_call_is_kept_in_its_order(box):
    answer = box.send(program(costs=[new("2026-06", "500")]))
    requests = [each.request.splitlines()[0].partition("?")[0] for each in (*answer.exchange.earlier, answer.exchange)]
    assert requests == [BY_NAME, UPDATE]
    assert all(each.earlier == () for each in answer.exchange.earlier)


def test_a_changed_cost_replaces_the_list_and_all_other_costs_stay(box):
    box.put_costs(("2026-05", "70", "theirs"), ("2026-06", "500", "ads"), ("2026-06", "20", "more"))
    old = remote("2026-06", "500.00", "ads")
    (outcome,) = box.send(
        program(
            costs=[changed(old, "600.00", "ads"), new("2026-08", "1")],
            unchanged_costs=[remote("2026-06", "20", "more")],
        )
    ).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "2026-05 70 “theirs”" in outcome.message
    assert "more" not in outcome.message
    assert box.costs == [
        ("2026-05", "70", "theirs"),
        ("2026-06", "20", "more"),
        ("2026-06", "600", "ads"),
        ("2026-08", "1", ""),
    ]


def test_a_removed_cost_goes_alone_and_the_last_one_clears_the_list(box):
    box.put_costs(("2026-06", "500", ""), ("2026-07", "500", ""))
    box.send(program(removed_costs=[remote("2026-06", "500")], unchanged_costs=[remote("2026-07", "500")]))
    assert box.costs == [("2026-07", "500", "")]
    (outcome,) = box.send(program(removed_costs=[remote("2026-07", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.costs == []


def test_a_removed_cost_that_is_gone_is_nothing_to_write(box):
    (outcome,) = box.send(program(removed_costs=[remote("2026-06", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UNCHANGED
    assert UPDATE not in box.made()


def test_two_equal_costs_of_one_month_stay_two(box):
    box.put_costs(("2026-06", "500", ""), ("2026-06", "500", ""))
    old = remote("2026-06", "500")
    box.send(program(costs=[changed(old, "501")], unchanged_costs=[old]))
    assert box.costs == [("2026-06", "500", ""), ("2026-06", "501", "")]


def test_a_new_cost_that_stands_there_is_not_added_again(box):
    box.put_costs(("2026-06", "500", "ads"))
    (outcome,) = box.send(program(costs=[new("2026-06", "500", "ads")])).outcomes
    assert outcome.status is OutcomeStatus.UNCHANGED
    assert "not added again: 2026-06 500 “ads”" in outcome.message
    assert box.costs == [("2026-06", "500", "ads")]


def test_an_equal_cost_that_is_accounted_for_does_not_stand_for_a_new_one(box):
    box.put_costs(("2026-06", "500", ""))
    box.send(program(costs=[new("2026-06", "500")], unchanged_costs=[remote("2026-06", "500")]))
    assert box.costs == [("2026-06", "500", "")] * 2


def test_a_cost_that_changed_in_marketo_fails_in_words_and_nothing_is_written(box):
    box.put_costs(("2026-06", "555", ""))
    record = program(costs=[changed(remote("2026-06", "500"), "600")], tags={"Region": "EMEA"})
    tags = dict(box.program.tags)
    (outcome,) = box.send(record).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "2026-06 500 was changed or removed in Marketo; pull the program first" in outcome.message
    assert (box.costs, box.program.tags) == ([("2026-06", "555", "")], tags)


def test_a_cost_with_decimals_that_only_marketo_holds_is_not_rounded_behind_its_back(server, make_calls, store):
    row = {
        "id": PROGRAM,
        "name": NAME,
        "costs": [{"startDate": "2026-06-01", "cost": 500}, {"startDate": "2026-06-01", "cost": 1.5}],
    }
    server.answer(asset_success(row))
    (outcome,) = send_program(make_calls(), program(costs=[changed(remote("2026-06", "500"), "600")])).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "2026-06 1.5" in outcome.message
    assert len(server.calls) == 1


@pytest.mark.parametrize("costs_by_id", [False, True])
def test_a_name_with_a_comma_is_read_by_what_an_update_tells(box, costs_by_id):
    box.sandbox.instance.costs_by_id = costs_by_id
    box.change_program(name="Seoul, spring")
    box.put_costs(("2026-06", "500", ""))
    (outcome,) = box.send(program(name="Seoul, spring", costs=[new("2026-06", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UNCHANGED
    assert box.made() == ([BY_ID] if costs_by_id else [BY_ID, UPDATE])
    assert (box.program.name, box.costs) == ("Seoul, spring", [("2026-06", "500", "")])


def test_a_renamed_program_is_found_by_its_id(box):
    box.change_program(name="Renamed")
    box.put_costs(("2026-06", "500", ""))
    (outcome,) = box.send(program(costs=[new("2026-06", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UNCHANGED
    assert box.made() == [BY_NAME, BY_ID, BY_NAME]
    assert box.program.name == "Renamed"


def test_another_program_of_that_name_is_not_taken_for_it(box):
    box.change_program(name="Renamed")
    other = box.sandbox.store.programs[PROGRAM + 1]
    (cost,) = other.costs.values()
    (outcome,) = box.send(program(name=other.name, costs=[new(f"{cost.month:%Y-%m}", "500", cost.note)])).outcomes
    assert (outcome.status, outcome.message) == (OutcomeStatus.UPDATED, "")
    assert box.costs == [(f"{cost.month:%Y-%m}", "500", cost.note)]
    assert box.made() == [BY_NAME, BY_ID, BY_NAME, UPDATE]


def test_where_the_call_by_id_tells_costs_one_read_is_enough(box):
    box.sandbox.instance.costs_by_id = True
    box.send(program(costs=[new("2026-06", "500")]), costs_by_id=True)
    assert box.made() == [BY_ID, UPDATE]


@pytest.mark.parametrize("missing_is_error", [False, True])
@pytest.mark.parametrize(
    "given", [{"costs": [new("2026-06", "5")]}, {"tags": {"Region": "EMEA"}}, {"tags": {"Channel": "Webinar"}}, {}]
)
def test_a_program_that_marketo_does_not_have_is_skipped(box, missing_is_error, given):
    box.sandbox.instance.missing_is_error = missing_is_error
    (outcome,) = box.send(program(marketo_id=99, **given)).outcomes
    assert outcome.status is OutcomeStatus.SKIPPED
    assert "does not have this program" in outcome.message


def test_a_list_that_is_out_of_date_wipes_nothing_and_brings_nothing_back(box):
    """Reads lag behind: the cost added just before is not shown, and the one removed just before still is."""
    box.sandbox.store.clock.freeze(box.sandbox.store.clock.now())
    box.sandbox.instance.lag_seconds = 60
    box.put_costs(("2026-05", "1", ""), ("2026-06", "500", ""))
    may, june, july = remote("2026-05", "1"), remote("2026-06", "500"), remote("2026-07", "7")
    box.send(program(costs=[new("2026-07", "7")], removed_costs=[may], unchanged_costs=[june]))
    box.sandbox.store.clock.advance(2)
    (outcome,) = box.send(program(costs=[changed(june, "600")], unchanged_costs=[july])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.costs == [("2026-06", "600", ""), ("2026-07", "7", "")]


def test_a_removed_cost_does_not_come_back_from_a_list_that_is_out_of_date(box):
    box.sandbox.store.clock.freeze(box.sandbox.store.clock.now())
    box.sandbox.instance.lag_seconds = 60
    box.put_costs(("2026-05", "1", ""), ("2026-06", "500", ""))
    may, june = remote("2026-05", "1"), remote("2026-06", "500")
    box.sandbox.store.clock.advance(2)
    box.send(program(removed_costs=[may], unchanged_costs=[june]))
    box.sandbox.store.clock.advance(2)
    box.send(program(costs=[changed(june, "600")]))
    assert box.costs == [("2026-06", "600", "")]


def test_a_cost_entered_in_marketo_meanwhile_survives_an_appended_one_and_is_told(box):
    box.script(RestFaultKind.EDIT, path=UPDATE, program=PROGRAM, month="2026-06", amount="33", note="theirs")
    (outcome,) = box.send(program(costs=[new("2026-06", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "Entered in Marketo meanwhile and kept: 2026-06 33 “theirs”" in outcome.message
    assert box.costs == [("2026-06", "33", "theirs"), ("2026-06", "500", "")]


def test_a_lost_append_is_not_repeated(box):
    record = program(costs=[new("2026-06", "500")])
    box.script(FaultKind.CUT_AFTER, path=UPDATE)
    with pytest.raises(OutcomeUnknown) as lost:
        box.send(record)
    assert lost.value.exchange is not None
    assert [each.request.partition("?")[0] for each in lost.value.exchange.earlier] == [BY_NAME]
    (outcome,) = box.send(record).outcomes
    assert outcome.status in (OutcomeStatus.UPDATED, OutcomeStatus.UNCHANGED)
    assert box.costs == [("2026-06", "500", "")]


def test_a_read_that_fails_leaves_nothing_in_doubt(box):
    box.script(FaultKind.CUT_AFTER, path=BY_NAME)
    with pytest.raises(Unavailable):
        box.send(program(costs=[new("2026-06", "500")]))
    assert box.costs == []


def test_the_race_behind_another_write_is_waited_out_and_nothing_is_doubled(box):
    box.sandbox.store.clock.freeze(box.sandbox.store.clock.now())
    box.sandbox.instance.write_race_seconds = 0.9
    box.put_costs(("2026-06", "500", ""))
    record = program(
        tags={"Region": "EMEA", "Channel": "Roadshow"},
        costs=[new("2026-07", "7")],
        unchanged_costs=[remote("2026-06", "500")],
    )
    (outcome,) = box.send(record).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.costs == [("2026-06", "500", ""), ("2026-07", "7", "")]
    assert box.waits
    assert max(box.waits) <= 2


def test_an_append_answered_by_a_system_error_after_it_was_applied_is_not_repeated(box):
    box.script(RestFaultKind.ERROR, path=UPDATE, code="611", applied=True)
    (outcome,) = box.send(program(costs=[new("2026-06", "500")])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.costs == [("2026-06", "500", "")]
