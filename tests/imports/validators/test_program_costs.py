"""Which row means which cost, and how many costs are looked through together."""

from __future__ import annotations

import datetime

import pytest

from mobjects.imports.validators.cost_rows import CostRows, SoughtCost
from mobjects.models import ProgramCost
from tests import factories

pytestmark = pytest.mark.django_db
MONTH = 202611


def matched(rows, costs):
    """The matches and similar costs of one program's rows: (number, Marketo's ID, content)."""
    file = CostRows()
    for number, marketo_id, content in rows:
        file.add_row(1, SoughtCost(number, marketo_id, MONTH, content))
    file.match_program(1, [SoughtCost(pk, marketo_id, MONTH, content) for pk, marketo_id, content in costs])
    return file.matches, file.similar


def test_a_row_with_an_id_means_the_cost_with_it_whatever_else_it_says():
    assert matched([(2, 0, 5), (3, 77, 9)], [(10, 77, 5), (11, 0, 5)]) == ({3: 10, 2: 11}, {})


def test_equal_rows_mean_as_many_costs_those_with_an_id_first_then_the_oldest():
    rows = [(number, 0, 5) for number in (2, 3, 4)]
    assert matched(rows, [(10, 0, 5), (11, 0, 5), (12, 77, 5)]) == ({2: 12, 3: 10, 4: 11}, {})


def test_a_row_with_an_id_that_is_new_here_takes_no_cost_that_has_another_one():
    assert matched([(2, 88, 5)], [(10, 77, 5), (11, 0, 5)])[0] == {2: 11}
    assert matched([(2, 88, 5)], [(10, 77, 5)])[0] == {}


def test_a_row_that_cannot_be_read_means_no_cost():
    assert matched([(2, 0, 0)], [(10, 0, 5)])[0] == {}


def test_three_costs_of_the_month_that_no_row_means_are_similar_the_oldest_first():
    costs = [(pk, 0, 5) for pk in (14, 13, 12, 11, 10)]
    assert matched([(2, 0, 9), (3, 0, 5)], costs) == ({3: 10}, {(1, MONTH): [11, 12, 13]})
    assert matched([(2, 0, 5)], costs)[1] == {}


def test_programs_are_looked_through_together_as_long_as_their_costs_are_few():
    programs = [factories.program(marketo_id=1001 + number) for number in range(5)]
    month = datetime.date(2026, 11, 1)
    ProgramCost.objects.bulk_create(
        (ProgramCost(program=program, month=month, amount=1) for program in programs[2:4] for _ in range(11_000)),
        batch_size=1000,
    )
    file = CostRows()
    for program in programs:
        file.add_row(program.pk, SoughtCost(2, 0, MONTH, 5))
    places = {program.pk: place for place, program in enumerate(programs)}
    assert [[places[pk] for pk in batch] for batch in file.iter_program_batches()] == [[0, 1, 2], [3, 4]]
