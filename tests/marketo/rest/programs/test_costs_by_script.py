"""Answers about costs that no healthy Marketo gives."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from mobjects.marketo.errors import OutcomeUnknown
from mobjects.marketo.rest.programs import send_program
from mobjects.marketo.types import OutcomeStatus
from tests.marketo.rest.programs.records import NAME, PROGRAM, changed, new, program, remote
from tests.support.rest_server import asset_success, failure

OLD = remote("2026-06", "500")
CHANGE = program(costs=[changed(OLD, "600")])


def told(*costs, **more):
    rows = [{"startDate": f"{month}-01", "cost": amount, "note": note} for month, amount, note in costs]
    return asset_success({"id": PROGRAM, "name": NAME, "costs": rows or None, **more})


def sent(call):
    return {name: values[0] for name, values in parse_qs(call.body.decode()).items()}


def test_what_was_lost_with_the_list_is_put_back_and_told(server, make_calls):
    theirs = ("2026-06", 33, "theirs")
    for costs in ([("2026-06", 500, ""), theirs], [("2026-06", 600, "")], [("2026-06", 600, "")]):
        server.answer(told(*costs))
    server.answer(told(("2026-06", 600, ""), theirs))
    (outcome,) = send_program(make_calls(), CHANGE).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "Put back, because it was lost with the list: 2026-06 33 “theirs”" in outcome.message
    assert sent(server.calls[-1]) == {"costs": '[{"startDate":"2026-06-01","cost":33,"note":"theirs"}]'}


def test_costs_that_an_update_does_not_tell_are_read_back(server, make_calls):
    for costs in ([("2026-06", 500, "")], [], [("2026-06", 600, "")]):
        server.answer(told(*costs))
    (outcome,) = send_program(make_calls(), CHANGE).outcomes
    assert (outcome.status, outcome.message) == (OutcomeStatus.UPDATED, "")
    assert [call.method for call in server.calls] == ["GET", "POST", "GET"]


def test_a_cost_that_marketo_does_not_show_afterwards_leaves_the_outcome_unknown(server, make_calls):
    for _ in range(3):
        server.answer(told(("2026-05", 1, "")))
    with pytest.raises(OutcomeUnknown, match="does not show 2026-06 5"):
        send_program(make_calls(), program(costs=[new("2026-06", "5")]))


def test_a_cost_that_somebody_removed_meanwhile_is_told_and_not_put_back(server, make_calls):
    for costs in ([("2026-05", 1, "")], [("2026-06", 5, "")], [("2026-06", 5, "")]):
        server.answer(told(*costs))
    (outcome,) = send_program(make_calls(), program(costs=[new("2026-06", "5")])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "Removed in Marketo meanwhile: 2026-05 1" in outcome.message
    assert len(server.calls) == 3


def test_a_month_shown_as_a_sum_is_said(server, make_calls):
    for costs in ([("2026-06", 500, "")], [("2026-06", 505, "")]):
        server.answer(told(*costs))
    (outcome,) = send_program(make_calls(), program(costs=[new("2026-06", "5")], unchanged_costs=[OLD])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "shows the costs of 2026-06 as one sum" in outcome.message


def test_an_answer_about_another_program_leaves_the_outcome_unknown(server, make_calls):
    server.answer(told(("2026-06", 500, "")))
    server.answer(told(("2026-06", 600, ""), id=7))
    with pytest.raises(OutcomeUnknown, match="told of 7"):
        send_program(make_calls(), CHANGE)


def test_refused_costs_fail_in_marketos_words(server, make_calls):
    server.answer(told(("2026-06", 500, "")))
    server.answer(failure("709", "Cost is locked"))
    (outcome,) = send_program(make_calls(), CHANGE).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "Cost is locked" in outcome.message


def test_a_clear_of_all_costs_that_shows_nothing_is_looked_at_by_name(server, make_calls):
    for costs in ([("2026-06", 500, "")], [], []):
        server.answer(told(*costs))
    (outcome,) = send_program(make_calls(), program(removed_costs=[OLD])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert sent(server.calls[1]) == {"costsDestructiveUpdate": "true"}
    assert "includeCosts=true" in server.calls[2].path


def test_a_refused_look_at_what_is_out_of_date_goes_on_with_what_was_read(server, make_calls):
    """An accepted cost is missing; the update that would tell the truth is refused, and the new one is appended."""
    server.answer(told(("2026-05", 1, "")))
    server.answer(failure("709", "Program is locked"))
    server.answer(told(("2026-05", 1, ""), ("2026-07", 2, "")))
    (outcome,) = send_program(make_calls(), program(costs=[new("2026-07", "2")], unchanged_costs=[OLD])).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert "No longer in Marketo: 2026-06 500" in outcome.message
