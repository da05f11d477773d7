"""Period costs as a grid: programs down, months across."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from lxml import html

from mobjects.models import EditSource, ProgramCost, RecordEdit
from tests import factories
from tests.factories import fresh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "marketo_settings")]

GRID = "/admin/grid/months/"
YEAR = f"{GRID}?since=2026-01&until=2026-12"


@pytest.fixture
def olga(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


def save(client, program, **cells):
    """What becomes of a program's months: ``m2026_06=(opened, typed)``."""
    sent = {program.pk: {name[1:].replace("_", "-"): pair for name, pair in cells.items()}}
    answer = client.post(f"{GRID}save/", json.dumps({"records": sent}), content_type="application/json")
    return answer.json()["records"][0]


def cells_of(client, address=YEAR):
    page = html.fromstring(client.get(address).content)
    return {cell.get("data-name"): cell for cell in page.xpath("//tr[@data-id]//td[@data-name]")}


def test_months_stand_side_by_side_and_several_costs_of_one_are_locked(olga, django_assert_max_num_queries):
    program = factories.program()
    factories.cost(program)
    for amount in (1, 2):
        factories.cost(program, month=date(2026, 7, 1), amount=Decimal(amount))
    factories.cost(program, month=date(2027, 1, 1))
    olga.get(YEAR)
    with django_assert_max_num_queries(12):
        found = cells_of(olga)
    assert list(found) == [f"2026-{month:02}" for month in range(1, 13)]
    texts = {name: " ".join(cell.text_content().split()) for name, cell in found.items()}
    assert (texts["2026-05"], texts["2026-06"], texts["2026-07"]) == ("", "2000.00", "3.00 2 costs")
    assert [name for name, cell in found.items() if cell.get("aria-readonly")] == ["2026-07"]
    assert save(olga, program, m2026_07=("3.00", "5"))["errors"]["2026-07"].startswith("This month has several costs")


def test_a_number_sets_a_cost_and_blank_removes_it_and_notes_are_kept(olga):
    program = factories.program()
    kept = factories.cost(program, note="Hall")
    factories.cost(program, month=date(2026, 7, 1))
    answer = save(olga, program, m2026_06=("2000.00", "10"), m2026_07=("2000.00", ""), m2026_08=("", "3.5"))
    assert answer["outcome"] == "saved"
    assert answer["cells"] == {"2026-06": "10.00", "2026-07": "", "2026-08": "3.50"}
    assert (fresh(kept).amount, fresh(kept).note) == (Decimal("10.00"), "Hall")
    months = ProgramCost.objects.order_by("month").values_list("month", "amount")
    assert list(months) == [(date(2026, 6, 1), Decimal("10.00")), (date(2026, 8, 1), Decimal("3.50"))]
    edits = RecordEdit.objects.filter(kind="Program", record_id=program.pk, source=EditSource.GRID)
    assert {edit.username for edit in edits} == {"olga"}


def test_an_error_keeps_all_of_the_program_as_it_was(olga):
    program = factories.program()
    cost = factories.cost(program)
    answer = save(olga, program, m2026_06=("2000.00", ""), m2026_08=("", "much"), m2026_09=("", "-1"))
    assert answer["outcome"] == "refused"
    assert set(answer["errors"]) == {"2026-08", "2026-09"}
    assert list(ProgramCost.objects.all()) == [cost]


def test_what_somebody_else_changed_meanwhile_is_asked_about(olga):
    program = factories.program()
    cost = factories.cost(program, amount=Decimal(7))
    answer = save(olga, program, m2026_06=("5.00", "6"), m2026_08=("", "1"))
    assert answer["outcome"] == "conflict"
    assert answer["clashes"][0]["now"] == "7.00"
    assert (fresh(cost).amount, ProgramCost.objects.count()) == (Decimal("7.00"), 1)
    assert save(olga, program, m2026_06=("7.00", "6"))["outcome"] == "saved"


@pytest.mark.parametrize("since", ["2026-12", "2020-01", "x"])
def test_months_that_make_no_sense_are_said_to_be(olga, since):
    factories.program()
    page = html.fromstring(olga.get(f"{GRID}?since={since}&until=2026-01").content)
    assert page.xpath("//form[@method='get']//strong[@role='alert']")


def test_all_conditions_of_the_list_are_kept_when_other_months_are_chosen(olga):
    factories.program(name="Road Show")
    query = "where=name.contains.Road&where=name.contains.Show&q=o&after=7"
    page = html.fromstring(olga.get(f"{YEAR}&{query}").content)
    kept = [
        (each.get("name"), each.get("value")) for each in page.xpath("//form[@method='get']//input[@type='hidden']")
    ]
    assert sorted(kept) == [("q", "o"), ("where", "name.contains.Road"), ("where", "name.contains.Show")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"note": "Hall"}, "2000.00 (note “Hall”)"),
        ({"marketo_cost_id": 7}, "2000.00 (Marketo cost ID “7”)"),
        ({"note": "Hall", "marketo_cost_id": 7}, "2000.00 (note “Hall”, Marketo cost ID “7”)"),
    ],
)
def test_a_cost_that_got_more_than_was_shown_is_not_removed_unasked(olga, changes, words):
    program = factories.program()
    cost = factories.cost(program)
    held = cells_of(olga)["2026-06"].get("data-held", "")
    ProgramCost.objects.filter(pk=cost.pk).update(**changes)
    answer = save(olga, program, m2026_06=("2000.00", "", held))
    assert answer["outcome"] == "conflict"
    (clash,) = answer["clashes"]
    assert (clash["now"], clash["words"]) == ("2000.00", words)
    assert list(ProgramCost.objects.all()) == [cost]
    # Decided against what was seen, and once more against what came after.
    ProgramCost.objects.filter(pk=cost.pk).update(note="Stage")
    assert save(olga, program, m2026_06=("2000.00", "", clash["held"]))["outcome"] == "conflict"
    held = cells_of(olga)["2026-06"].get("data-held", "")
    assert save(olga, program, m2026_06=("2000.00", "", held))["outcome"] == "saved"
    assert not ProgramCost.objects.exists()


def test_amounts_are_compared_as_amounts(olga):
    program = factories.program()
    cost = factories.cost(program, amount=Decimal("10.00"))
    for cells in (("5", "10"), ("10", "12")):
        assert save(olga, program, m2026_06=cells)["outcome"] == "saved"
    assert fresh(cost).amount == Decimal("12.00")


@pytest.mark.parametrize("lacking", ["view_program", "change_programcost"])
def test_the_costs_of_programs_are_for_who_may_see_programs_and_change_costs(client, lacking):
    program = factories.program(name="Secret")
    cost = factories.cost(program)
    person = factories.user("ida")
    rights = {"view_program", "view_programcost", "change_programcost", "add_programcost"} - {lacking}
    person.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client.force_login(person)
    page = client.get(YEAR)
    assert (page.status_code, b"Secret" in page.content) == (403, False)
    sent = json.dumps({"records": {program.pk: {"2026-06": ["2000.00", "1"]}}})
    assert client.post(f"{GRID}save/", sent, content_type="application/json").status_code == 403
    assert fresh(cost).amount == Decimal("2000.00")


def test_who_may_only_look_sees_none_of_it(client):
    client.force_login(factories.user("vera", group="viewer"))
    program = factories.program()
    assert client.get(GRID).status_code == 403
    sent = json.dumps({"records": {program.pk: {"2026-06": ["", "1"]}}})
    assert client.post(f"{GRID}save/", sent, content_type="application/json").status_code == 403
    assert not ProgramCost.objects.exists()


def test_a_month_that_is_none_is_refused_in_words(olga):
    sent = json.dumps({"records": {"1": {"2026-13": ["", "1"]}}})
    answer = olga.post(f"{GRID}save/", sent, content_type="application/json")
    assert (answer.status_code, "2026-13" in answer.json()["problem"]) == (400, True)
