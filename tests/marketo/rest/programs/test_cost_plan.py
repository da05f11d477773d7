"""Which costs are appended, which list replaces, and what a look at Marketo's costs tells afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mobjects.marketo.rest.programs.cost_plan import CostPlan, check_costs, check_notes, plan_costs, plan_problem
from mobjects.marketo.rest.programs.cost_rows import CostRow, row_of, rows_by_month, total_amount
from mobjects.marketo.rest.programs.write_memory import WriteMemory
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.types import OutgoingCost
from tests.marketo.rest.programs.records import changed, new, program, remote


def row(month: str, amount: str, note: str = "") -> CostRow:
    return CostRow(date.fromisoformat(f"{month}-01"), Decimal(amount), note)


def counted(rows: Sequence[CostRow]) -> Counter[tuple[str, Decimal, str]]:
    return Counter(each.key for each in rows)


def summed(rows: Sequence[CostRow]) -> list[CostRow]:
    """As a Marketo would show them that adds a month up."""
    return [CostRow(costs[0].day, total_amount(costs)) for costs in rows_by_month(rows).values()]


def test_a_chain_of_changes_that_has_arrived_is_recognised():
    """100 became 200 and 200 became 300: the 200 in Marketo is the first one's new form, not the second one's old."""
    record = program(costs=[changed(remote("2026-06", "100"), "200"), changed(remote("2026-06", "200"), "300")])
    assert not plan_costs(record, [row("2026-06", "200"), row("2026-06", "300")]).writes
    before = plan_costs(record, [row("2026-06", "100"), row("2026-06", "200")])
    assert counted(before.expected) == counted([row("2026-06", "200"), row("2026-06", "300")])


def test_only_the_note_changed():
    record = program(costs=[changed(remote("2026-06", "100", "ads"), "100", "")])
    assert plan_costs(record, [row("2026-06", "100", "ads")]).whole == [row("2026-06", "100")]


def test_line_ends_and_blanks_around_a_note_make_no_other_cost():
    record = program(costs=[new("2026-06", "100", "a\nb")])
    plan = plan_costs(record, [row("2026-06", "100", "a\r\nb ")])
    assert not plan.writes
    assert plan.already


def test_a_cost_that_marketo_dates_within_a_month_stays_at_its_day():
    within = CostRow(date(2026, 6, 15), Decimal(9), "theirs")
    record = program(costs=[changed(remote("2026-06", "100"), "200")])
    plan = plan_costs(record, [within, row("2026-06", "100")])
    assert plan.whole is not None
    assert [each.as_field() for each in plan.whole] == [
        {"startDate": "2026-06-15", "cost": 9, "note": "theirs"},
        {"startDate": "2026-06-01", "cost": 200, "note": ""},
    ]


def test_an_accepted_cost_that_somebody_removed_is_told_and_not_brought_back():
    record = program(costs=[new("2026-07", "5")], unchanged_costs=[remote("2026-06", "100")])
    plan = plan_costs(record, [])
    assert plan.gone == [row("2026-06", "100")]
    assert plan.added == [row("2026-07", "5")]


def test_a_month_shown_as_one_sum_is_split_before_it_is_replaced():
    record = program(costs=[changed(remote("2026-06", "100"), "150")], unchanged_costs=[remote("2026-06", "200", "b")])
    plan = plan_costs(record, [row("2026-06", "300")])
    assert plan.whole is not None
    assert counted(plan.whole) == counted([row("2026-06", "150"), row("2026-06", "200", "b")])
    assert plan.summed == ["2026-06"]


def test_a_new_cost_in_a_sum_is_not_added_again():
    record = program(costs=[new("2026-06", "200")], unchanged_costs=[remote("2026-06", "100")])
    assert plan_costs(record, [row("2026-06", "100")]).added == [row("2026-06", "200")]
    assert not plan_costs(record, [row("2026-06", "300")]).writes


def test_a_row_is_taken_for_a_sum_only_where_it_is_no_cost_of_its_own():
    added = program(costs=[new("2026-06", "300")], unchanged_costs=[remote("2026-06", "100"), remote("2026-06", "200")])
    assert plan_costs(added, [row("2026-06", "300")]).added == [row("2026-06", "300")]
    divided = program(costs=[changed(remote("2026-06", "300"), "100"), new("2026-06", "200")])
    plan = plan_costs(divided, [row("2026-06", "300")])
    assert plan.whole == [row("2026-06", "100"), row("2026-06", "200")]


def test_a_cost_of_somebody_else_is_not_taken_for_the_sum_of_two_new_ones():
    record = program(costs=[new("2026-06", "100"), new("2026-06", "200")])
    assert len(plan_costs(record, [row("2026-06", "300")]).added) == 2


def test_a_lost_write_is_known_by_the_totals_of_its_months():
    """Marketo shows 150 of somebody else and ours as one sum: by rows alone ours would not be found in it."""
    record, store = program(costs=[new("2026-06", "200")]), MemoryStore()
    memory = WriteMemory(store, "https://x", 1, "this")
    plan = plan_costs(record, [row("2026-06", "150")])
    memory.note_attempt(plan.before, plan.expected)
    told = [row("2026-06", "350")]
    assert memory.has_arrived(told)
    assert not plan_costs(record, told, known_arrived=True).writes
    assert not memory.has_arrived([row("2026-06", "150")])
    assert not WriteMemory(store, "https://x", 1, "other").has_arrived(told)
    assert not WriteMemory(store, "https://x", 2, "this").has_arrived(told)
    memory.note_success(None)
    assert not memory.has_arrived(told)


def test_a_cost_of_somebody_else_that_equals_an_old_form_is_not_changed_by_a_lost_write_that_arrived():
    record = program(costs=[changed(remote("2026-06", "100"), "200")])
    assert not plan_costs(record, [row("2026-06", "100"), row("2026-06", "200")], known_arrived=True).writes


def test_what_is_stuck_is_named():
    record = program(costs=[changed(remote("2026-06", "100", "ads"), "200")])
    assert "2026-06 100 “ads”" in plan_problem(plan_costs(record, []))


def test_a_look_afterwards_tells_what_is_missing_and_what_appeared():
    found = check_costs([row("2026-06", "1"), row("2026-06", "2")], [row("2026-06", "2"), row("2026-07", "3")])
    assert (found.missing, found.appeared) == ([row("2026-06", "1")], [row("2026-07", "3")])


def test_a_look_afterwards_reads_sums():
    expected = [row("2026-06", "1"), row("2026-06", "2"), row("2026-07", "9")]
    exact = check_costs(expected, summed(expected))
    assert (exact.missing, exact.appeared, exact.summed) == ([], [], ["2026-06"])
    more = check_costs(expected, [row("2026-06", "8"), row("2026-07", "9")])
    assert (more.missing, more.appeared, more.summed) == ([], [row("2026-06", "5")], ["2026-06"])
    assert check_costs(expected, [row("2026-06", "2"), row("2026-07", "9")]).missing == [row("2026-06", "1")]
    assert "as one sum" in " ".join(check_notes(exact))


def test_a_note_that_marketo_changed_is_no_missing_cost():
    found = check_costs([row("2026-06", "1", "long")], [row("2026-06", "1", "lo")])
    assert (found.missing, found.other_notes) == ([], [row("2026-06", "1", "long")])
    assert "another note for 2026-06 1 “long”" in " ".join(check_notes(found))


ROWS = st.builds(
    remote, st.sampled_from(["2026-06", "2026-07"]), st.sampled_from(["0", "1", "2", "3"]), st.sampled_from(["", "a"])
)
CHANGES = st.tuples(ROWS, st.sampled_from(["0", "1", "2", "3", "5"]))


def wanted_rows(changes, stay, add) -> list[CostRow]:
    return [row_of(each) for each in (*stay, *(changed(old, amount) for old, amount in changes), *add)]


@given(
    st.lists(CHANGES, max_size=3),
    st.lists(ROWS, max_size=3),
    st.lists(ROWS, max_size=2),
    st.lists(ROWS, max_size=2),
    st.lists(ROWS, max_size=2),
    st.booleans(),
)
def test_any_plan_leaves_what_is_wanted_and_all_that_is_foreign(changes, stay, leave, add, foreign, by_sum):
    costs: list[OutgoingCost] = [changed(old, amount) for old, amount in changes]
    costs += [OutgoingCost(each.month, each.amount, each.note) for each in add]
    record = program(costs=costs, unchanged_costs=stay, removed_costs=leave)
    others = [row_of(each) for each in foreign]
    before = [row_of(each) for each in (*stay, *(old for old, _ in changes), *leave)] + others
    plan = plan_costs(record, before)
    assert not plan.stuck
    # One of somebody else's that is equal to a new one stands for it.
    added = counted(list(map(row_of, costs[len(changes) :]))) - counted(plan.already)
    assert counted(plan.expected) == counted(wanted_rows(changes, stay, ()) + others) + added
    assert len(plan.already) <= len(others)
    shown = summed(plan.expected) if by_sum else list(plan.expected)
    checked = check_costs(plan.expected, shown)
    assert (checked.missing, checked.appeared) == ([], [])
    assert not plan_costs(record, shown, known_arrived=True).writes


@given(st.lists(ROWS, max_size=4, unique_by=lambda each: (each.month, each.amount)), st.data())
def test_a_lost_write_is_recognised_by_its_rows_alone_where_all_costs_differ(rows, data):
    part = data.draw(st.integers(0, len(rows)))
    costs = [changed(old, str(int(old.amount) + 10)) for old in rows[:part]]
    record = program(costs=[*costs, new("2026-08", "1")], unchanged_costs=rows[part:])
    plan: CostPlan = plan_costs(record, [row_of(each) for each in rows])
    assert plan.writes
    assert not plan_costs(record, plan.expected).writes
