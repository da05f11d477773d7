"""What every transport promises about deleting, against a Marketo that keeps state."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected
from mobjects.marketo.types import Kind, MarketoQuery, OutcomeStatus
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.contract.apis import with_faults
from tests.contract.records import LOST, ids, patience, send


def test_deleted_unchanged_and_refused_land_on_their_own_ids(marketo, records, held, fail):
    made = [deal.id for deal in records.deals(3)]
    fail("delete", "bad_row", row=2, text="<나쁨> & bad")
    answer = marketo.delete(Kind.OPPORTUNITY, [made[0], records.nobody, made[2]])
    assert [outcome.status for outcome in answer.outcomes] == [
        OutcomeStatus.DELETED,
        OutcomeStatus.UNCHANGED,
        OutcomeStatus.FAILED,
    ]
    assert "<나쁨> & bad" in answer.outcomes[2].message
    assert held.ids(Kind.OPPORTUNITY) == set(made[1:])
    assert answer.exchange.request


def test_deleting_an_opportunity_leaves_its_roles(marketo, records, held):
    (deal,) = records.deals(1)
    made = send(marketo, records.role(deal, 1), records.role(deal, 2))
    marketo.delete(Kind.OPPORTUNITY, [deal.id])
    orphans = [each for number in made for each in ids(marketo, MarketoQuery(Kind.ROLE, id=number))]
    assert orphans == made
    if not records.traits.roles_name_opportunity_by_key:  # The key went with the opportunity, its id did not.
        assert ids(marketo, MarketoQuery(Kind.ROLE, opportunity=records.deal_link(deal))) == made
    answer = marketo.delete(Kind.ROLE, made)
    assert [outcome.status for outcome in answer.outcomes] == [OutcomeStatus.DELETED] * 2
    assert held.ids(Kind.ROLE) == set()


def test_as_many_as_the_limit_are_deleted_in_one_call(marketo, records, held):
    made = [deal.id for deal in records.deals(marketo.delete_limit)]
    before = held.calls
    answer = marketo.delete(Kind.OPPORTUNITY, made)
    assert {outcome.status for outcome in answer.outcomes} == {OutcomeStatus.DELETED}
    assert held.calls - before == 1
    assert held.ids(Kind.OPPORTUNITY) == set()


def test_a_program_is_not_deleted(marketo, held):
    with pytest.raises(Rejected):
        marketo.delete(Kind.PROGRAM, [FIRST_PROGRAM_ID])
    assert held.calls == 0


@pytest.mark.parametrize("beyond", [True, False], ids=["too many", "none"])
def test_deletion_of_too_many_or_none_is_refused_before_sending(marketo, records, held, beyond):
    with pytest.raises(Rejected):
        marketo.delete(Kind.ROLE, [records.nobody] * (marketo.delete_limit + 1) if beyond else [])
    assert held.calls == 0


@with_faults("fault", [(fault,) for fault in [*LOST, {"kind": "row_status", "row_status": "UPDATED"}]])
def test_deletion_whose_answer_was_lost_is_unknown(connect, records, held, fail, fault):
    marketo = connect(**patience(fault))
    made = [deal.id for deal in records.deals(2)]
    fail("delete", **fault)
    with pytest.raises(MarketoError) as caught:
        marketo.delete(Kind.OPPORTUNITY, made)
    assert type(caught.value) is OutcomeUnknown
    again = marketo.delete(Kind.OPPORTUNITY, made)
    assert {outcome.status for outcome in again.outcomes} <= {OutcomeStatus.DELETED, OutcomeStatus.UNCHANGED}
    assert held.ids(Kind.OPPORTUNITY) == set()
