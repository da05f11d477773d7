"""Amounts that work would put back, or lower, count as those that it would write."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.bulk_edits.operations import EditOperation
from mobjects.bulk_edits.service import ask_bulk_edit, choose_operation, confirm_bulk_edit
from mobjects.jobs.requests import request_undo
from mobjects.models import BulkEditState, Opportunity, SyncJobState
from tests import factories
from tests.support.approvals import make_rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue", "groups")]
LIMITS = pytest.mark.parametrize(("limit", "held"), [("4999.99", True), ("5000.00", False)])


@LIMITS
def test_an_amount_that_an_undo_puts_back_counts(limit, held):
    record = factories.opportunity(amount=Decimal(5000))
    factories.sync(record)
    record.refresh_from_db()
    record.amount = Decimal(10)
    record.save()
    lowered = factories.sync(record)
    make_rule(amount_over=Decimal(limit))
    undo = request_undo(lowered, read_first=False)
    assert (undo.state == SyncJobState.HELD) is held


@LIMITS
def test_a_cost_that_an_undo_puts_back_counts(limit, held):
    record = factories.program()
    cost = factories.cost(record, amount=Decimal(5000), note="Fair in Ulm")
    factories.sync(record)
    cost.refresh_from_db()
    cost.amount = Decimal(10)
    cost.save()
    lowered = factories.sync(factories.fresh(record))
    make_rule(amount_over=Decimal(limit))
    undo = request_undo(lowered, read_first=False)
    assert (undo.state == SyncJobState.HELD) is held


@LIMITS
def test_an_amount_that_a_bulk_edit_lowers_counts(limit, held):
    make_rule(work="bulk", amount_over=Decimal(limit))
    factories.opportunity(amount=Decimal(5000))
    olga = factories.user("olga", group="operator")
    edited = ask_bulk_edit(Opportunity.objects.all(), "", olga)
    choose_operation(edited, EditOperation("set", "Amount", value="10"))
    assert confirm_bulk_edit(edited, edited.plan, olga)
    edited.refresh_from_db()
    assert (edited.state == BulkEditState.HELD) is held
