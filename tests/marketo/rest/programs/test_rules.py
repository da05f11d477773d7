"""What of a program is not sent, and what would be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.marketo.rest.programs import ProgramFacts, program_problem, render_program
from tests.marketo.rest.programs.records import changed, new, program, remote


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (program(marketo_id=None), "this one has none"),
        (program(marketo_id="4c3c8b2e"), "Marketo ID 4c3c8b2e is not between 1 and"),
        (program(marketo_id=0), "Marketo ID 0 is not between"),
        (program(values={"Name": "x"}), "only channel, costs and tags"),
        (program(costs=[new("2026-06", "1604.47")]), "1604.47 has decimals, and Marketo takes whole amounts only"),
        (program(costs=[new("2026-06", "1604.47")]), "1604 is next"),
        (program(costs=[new("2026-06", "1604.50")]), "1605 is next"),
        (program(costs=[new("2026-06", "100000000")]), "“100000000” is not between 0 and 99999999"),
        (program(costs=[new("2026-06", "-1")]), "not between"),
        (program(costs=[new("2026-06", "NaN")]), "not between"),
        (program(costs=[new("2026-06", "1", "\ud800")]), "half of a character"),
        (program(tags={"Region": "\udfff"}), "half of a character"),
        (program(tags={"Region": " "}), "needs a type and a value"),
        (program(removed_tags=["channel"]), "always has a channel"),
    ],
)
def test_what_marketo_does_not_take_is_said_in_words(record, words):
    assert words in program_problem(record)


def test_a_good_program_has_no_problem():
    good = program(costs=[new("2026-06", "99999999.00", "ads"), new("2026-06", "0")], tags={"Region": "EMEA"})
    assert program_problem(good) == ""


def test_calls_are_shown_in_their_order():
    text = render_program(
        program(
            tags={"Region": "A&B", "Channel": "Roadshow"}, removed_tags=["A/B"], costs=[new("2026-06", "500.00", "ads")]
        )
    )
    assert text.split("\n\n") == [
        "POST /rest/asset/v1/program/1001.json",
        "channel=Roadshow",
        "POST /rest/asset/v1/program/1001/tag/Region.json?tagValue=A%26B",
        "POST /rest/asset/v1/program/1001/tag/A%2FB/delete.json",
        "GET /rest/asset/v1/program/1001.json",
        "POST /rest/asset/v1/program/1001.json",
        'costs=[{"startDate":"2026-06-01","cost":500,"note":"ads"}]',
    ]


def test_a_list_that_replaces_is_shown_with_what_stays():
    old = remote("2026-06", "500")
    text = render_program(program(costs=[changed(old, "600")], unchanged_costs=[remote("2026-07", "7")]))
    assert '{"startDate":"2026-07-01","cost":7,"note":""}' in text
    assert "costsDestructiveUpdate=true" in text
    assert "those that only Marketo holds are kept" in text


@pytest.mark.parametrize(
    ("answers", "facts"),
    [
        ({}, ProgramFacts()),
        ({"costs_by_id": "yes", "something_else": "yes"}, ProgramFacts(costs_by_id=True)),
        ({"costs_by_id": "no", "tags_by_list_confirmed": "maybe"}, ProgramFacts()),
    ],
    ids=str,
)
def test_facts_are_what_was_answered_with_yes(answers, facts):
    assert ProgramFacts.from_answers(answers) == facts


def test_an_amount_keeps_its_value_where_it_is_a_decimal():
    assert program_problem(program(costs=[new("2026-06", str(Decimal("1E+3")))])) == ""
