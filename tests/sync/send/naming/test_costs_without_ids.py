"""Costs and tags where costs have no ids: each is found by how Marketo accepted it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mobjects.marketo.types import Kind, RemoteCost, TagValue
from mobjects.models import Program, ProgramCost, ProgramTag, RecordStatus
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(guid_marketo):
    """A program with two costs that Marketo has accepted."""
    guid_marketo.put_program(1001)
    record = factories.program()
    factories.cost(record, amount=Decimal(100))
    factories.cost(record, amount=Decimal(200), note="Hall")
    factories.sync(record)
    return factories.fresh(record)


def remote(amount, note="", month=6):
    return RemoteCost(None, date(2026, month, 1), Decimal(amount), note)


def change(amount, to):
    ProgramCost.objects.filter(amount=amount).update(amount=to)


def test_new_costs_are_added_once_and_nothing_is_read_back(program, guid_marketo):
    assert guid_marketo.costs() == ["2026-06 100.00", "2026-06 200.00 Hall"]
    assert guid_marketo.asked == []
    assert factories.sync(program).counts == {}


def test_a_changed_cost_says_how_it_was_accepted_and_which_others_stay(program, guid_marketo):
    change(100, 150)
    job = factories.sync(program)
    (out,) = guid_marketo.sent[-1].records
    assert [(cost.amount, cost.accepted, cost.id) for cost in out.costs] == [(Decimal(150), remote("100.00"), None)]
    assert (list(out.unchanged_costs), out.name) == ([remote("200.00", "Hall")], "Webinar")
    assert (job.counts, guid_marketo.costs()) == ({"UPDATED": 1}, ["2026-06 150.00", "2026-06 200.00 Hall"])


def test_sent_again_as_a_whole_accepted_costs_stay_as_they_are(program, guid_marketo):
    factories.tag(program)
    factories.sync(program, resend=True)
    (out,) = guid_marketo.sent[-1].records
    assert (out.costs, len(out.unchanged_costs)) == ((), 2)


def test_a_removed_cost_is_removed_in_marketo_and_forgotten(program, guid_marketo):
    ProgramCost.objects.filter(amount=100).delete()
    job = factories.sync(program)
    (out,) = guid_marketo.sent[-1].records
    assert list(out.removed_costs) == [remote("100.00")]
    assert (job.counts, guid_marketo.costs()) == ({"UPDATED": 1}, ["2026-06 200.00 Hall"])
    assert len(factories.fresh(program).accepted) == 1


def test_a_removed_tag_is_removed_in_marketo_and_one_spelt_anew_is_not(program, guid_marketo):
    factories.tag(program, type="Region")
    factories.tag(program, type="Product")
    factories.sync(program)
    ProgramTag.objects.filter(type="Region").delete()
    ProgramTag.objects.filter(type="Product").update(type="product")
    factories.sync(program)
    (out,) = guid_marketo.sent[-1].records
    assert (out.removed_tags, out.tags) == (("Region",), (TagValue("product", "EMEA"),))
    assert "Tag Region" not in factories.fresh(program).accepted


def test_decimals_hold_a_program_back_with_the_next_amount_that_could_be_sent(program, guid_marketo):
    change(100, Decimal("1604.47"))
    job = factories.sync(program)
    assert job.results.get().error == (
        "The cost 2026-06 1604.47: Marketo takes whole amounts only over this API; 1604 would be next."
    )


def test_what_stands_unreadable_among_the_accepted_holds_a_program_back(program, guid_marketo):
    name = ProgramCost.objects.get(amount=100).content_key
    Program.objects.update(accepted={**program.accepted, name: "(not known)"})
    job = factories.sync(program, resend=True)
    assert f"How {name} stands in Marketo is not known" in job.results.get().error


# --- lost sendings ---


def lost(marketo, program, how):
    marketo.lose = how
    return factories.sync(program)


@pytest.mark.parametrize("how", ["before", "after"])
def test_lost_changes_of_costs_are_looked_up_and_never_doubled(program, guid_marketo, how):
    change(100, 150)
    factories.cost(program, amount=Decimal(300))
    ProgramCost.objects.filter(amount=200).delete()
    factories.later(lost(guid_marketo, program, how))
    (query,) = guid_marketo.asked
    assert (query.ids, query.details) == ([1001], True)
    assert guid_marketo.costs() == ["2026-06 150.00", "2026-06 300.00"]
    now = factories.fresh(program)
    assert (now.last_status, now.is_dirty, sorted(now.accepted.values())) == (
        RecordStatus.UPDATED,
        False,
        ["2026-06 150.00", "2026-06 300.00"],
    )


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_lost_change_that_was_put_back_here_is_put_back_in_marketo(program, guid_marketo, how):
    change(100, 150)
    job = lost(guid_marketo, program, how)
    change(150, 100)
    factories.later(job)
    assert guid_marketo.costs() == ["2026-06 100.00", "2026-06 200.00 Hall"]
    assert not factories.fresh(program).is_dirty


@pytest.mark.parametrize("how", ["before", "after"])
def test_lost_changes_that_pass_an_amount_on_are_told_apart(program, guid_marketo, how):
    ProgramCost.objects.update(note="")
    factories.sync(program)
    change(200, 300)
    change(100, 200)
    factories.later(lost(guid_marketo, program, how))
    assert guid_marketo.costs() == ["2026-06 200.00", "2026-06 300.00"]
    assert not factories.fresh(program).is_dirty


def test_a_cost_that_somebody_changed_in_marketo_meanwhile_is_not_added_a_second_time(program, guid_marketo):
    change(100, 150)
    job = lost(guid_marketo, program, "before")
    guid_marketo.put_program(1001, remote("111.00"), remote("200.00", "Hall"))
    factories.later(job)
    assert guid_marketo.costs() == ["2026-06 111.00", "2026-06 200.00 Hall"]
    assert "No cost 2026-06 100" in factories.fresh(program).last_error


def test_lost_programs_are_looked_up_by_their_ids_with_one_call(guid_marketo):
    programs = [factories.program(marketo_id=number, name=f"P {number}") for number in range(1001, 1006)]
    for each in programs:
        guid_marketo.put_program(each.marketo_id)
        factories.cost(each, amount=Decimal(5))
    guid_marketo.lose = "after"
    job = factories.later(factories.sync(*programs))
    (query,) = guid_marketo.asked
    assert query.ids == [1001, 1002, 1003, 1004, 1005]
    assert job.counts == {"UPDATED": 5}
    assert all(len(each.costs) == 1 for each in guid_marketo.kept(Kind.PROGRAM))
