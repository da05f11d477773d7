"""What every transport promises about deleting, against a Marketo that keeps state."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import MarketoError, OutcomeUnknown, Rejected
from mobjects.marketo.types import Kind, LinkTarget, MarketoQuery, OutcomeStatus, RecordAssociation
from mobjects.sandbox.seed import FIRST_PROGRAM_ID
from tests.contract.records import LOST, ids, opportunities, role, send


def test_deleted_unchanged_and_refused_land_on_their_own_ids(marketo, sandbox):
    made = opportunities(marketo, 3)
    sandbox.faults.add("bad_row", operation="deleteMObjects", row=2, text="<나쁨> & bad")
    answer = marketo.delete(Kind.OPPORTUNITY, [made[0], 424_242, made[2]])
    assert [outcome.status for outcome in answer.outcomes] == [
        OutcomeStatus.DELETED,
        OutcomeStatus.UNCHANGED,
        OutcomeStatus.FAILED,
    ]
    assert answer.outcomes[2].message == "<나쁨> & bad"
    assert sorted(sandbox.store.opportunities) == made[1:]
    assert answer.exchange.request


def test_deleting_an_opportunity_leaves_its_roles_without_it(marketo, sandbox):
    (deal,) = opportunities(marketo, 1)
    made = send(marketo, role(deal, 1), role(deal, 2))
    marketo.delete(Kind.OPPORTUNITY, [deal])
    orphans = MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.OPPORTUNITY, id=deal))
    assert ids(marketo, orphans) == made
    answer = marketo.delete(Kind.ROLE, made)
    assert [outcome.status for outcome in answer.outcomes] == [OutcomeStatus.DELETED] * 2
    assert ids(marketo, orphans) == []


def test_as_many_as_the_limit_are_deleted_in_one_call(marketo, sandbox):
    made = opportunities(marketo, marketo.delete_limit)
    before = len(sandbox.calls)
    answer = marketo.delete(Kind.OPPORTUNITY, made)
    assert {outcome.status for outcome in answer.outcomes} == {OutcomeStatus.DELETED}
    assert len(sandbox.calls) - before == 1
    assert sandbox.store.opportunities == {}


@pytest.mark.parametrize(("kind", "count"), [(Kind.PROGRAM, 1), (Kind.ROLE, 101), (Kind.ROLE, 0)])
def test_deletion_that_marketo_does_not_know_is_refused_before_sending(marketo, sandbox, kind, count):
    with pytest.raises(Rejected):
        marketo.delete(kind, range(FIRST_PROGRAM_ID, FIRST_PROGRAM_ID + count))
    assert sandbox.calls == []


@pytest.mark.parametrize("fault", [*LOST, {"kind": "row_status", "row_status": "UPDATED"}], ids=str)
def test_deletion_whose_answer_was_lost_is_unknown(connect, sandbox, fault):
    marketo = connect(timeout_seconds=1 if fault["kind"] == "slow" else 5)
    made = opportunities(marketo, 2)
    sandbox.faults.add(**fault, operation="deleteMObjects")
    with pytest.raises(MarketoError) as caught:
        marketo.delete(Kind.OPPORTUNITY, made)
    assert type(caught.value) is OutcomeUnknown
    again = marketo.delete(Kind.OPPORTUNITY, made)
    assert {outcome.status for outcome in again.outcomes} <= {OutcomeStatus.DELETED, OutcomeStatus.UNCHANGED}
    assert sandbox.store.opportunities == {}
