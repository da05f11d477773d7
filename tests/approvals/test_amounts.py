"""Amounts that work would put back, or lower, count as those that it would write."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.bulk_edits.operations import EditOperation
from mobjects.bulk_edits.service import ask_bulk_edit, choose_operation, confirm_bulk_edit
from mobjects.jobs.approvals.facts import find_facts
from mobjects.jobs.approvals.gate import hold_if_ruled
from mobjects.jobs.requests import request_undo
from mobjects.models import BulkEditState, Kind, Opportunity, SyncJobAction, SyncJobState
from tests import factories
from tests.support.approvals import make_rule
from tests.views import pages

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


@pytest.mark.parametrize(
    ("kind", "diff"),
    [
        ("Opportunity", [("Amount", "n/a", "5")]),
        ("Opportunity", [("Amount", "NaN", "5"), ("Amount", "3", "5")]),
        ("Program", [("Cost 2026-06", "June, much", "2026-06 5")]),
        ("Program", [("Cost 2026-06", "2026-06 much", "2026-06 5")]),
        ("Program", [("Cost 2026-06", "2026-06", "2026-06 5")]),
    ],
)
def test_an_old_amount_that_is_no_number_is_passed_over(kind, diff):
    record = factories.opportunity() if kind == "Opportunity" else factories.program()
    factories.sync(record)
    sent = factories.job_in(SyncJobState.SUCCEEDED, action=SyncJobAction.SEND, kind=kind)
    found = {"kind": kind, "record_id": record.pk, "revision": factories.fresh(record).revision}
    pages.result(sent, status="UPDATED", diff=diff, **found)
    make_rule(amount_over=Decimal(4999))
    undo = request_undo(sent, read_first=False)
    assert undo.state != SyncJobState.HELD
    assert find_facts(undo, amounts=True, losses=False)[Kind(kind)].count == 1


@pytest.mark.parametrize(("limit", "asks"), [(None, False), (Decimal(4999), True)])
def test_old_values_are_read_only_where_a_rule_asks_for_amounts(limit, asks):
    record = factories.opportunity(amount=Decimal(5000))
    factories.sync(record)
    record.refresh_from_db()
    record.amount = Decimal(10)
    record.save()
    undo = request_undo(factories.sync(record), read_first=False)
    make_rule(amount_over=limit)
    with CaptureQueriesContext(connection) as seen:
        assert hold_if_ruled(undo)
    assert any('"diff" FROM' in each["sql"] for each in seen) is asks


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
