"""Two at once at a bulk edit, and what others do meanwhile."""

from __future__ import annotations

import pytest

from mobjects.bulk_edits import service
from mobjects.bulk_edits.lifecycle import EDIT_STATES
from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.models import BulkEdit, BulkEditState, EditSource, Opportunity, RecordEdit
from tests import factories
from tests.support.concurrent import concurrently, postgresql

pytestmark = [pytest.mark.django_db(transaction=True), postgresql, pytest.mark.usefixtures("redis_url")]
LEAVING = "UPDATE mobjects_bulkeditrow"


def confirmed() -> BulkEdit:
    """A bulk edit that sets the stage of all opportunities and that nobody is at yet."""
    asked = service.ask_bulk_edit(Opportunity.objects.all(), "", factories.user())
    assert service.choose_operation(asked, EditOperation(do=Do.SET, field="Stage", value="Won"))
    asked.refresh_from_db()
    EDIT_STATES.change(asked, BulkEditState.APPLYING, position=0)
    return asked


def test_two_workers_change_each_record_once(groups):
    for _ in range(3):
        factories.opportunity(stage="Open")
    asked = confirmed()
    with concurrently(lambda: service.run_bulk_edit(asked.pk), before=LEAVING):
        service.run_bulk_edit(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.position, asked.counts["changed"]) == ("applied", 3, 3)
    assert RecordEdit.objects.filter(source=EditSource.BULK).count() == 3


def test_an_edit_in_the_last_moment_is_not_overwritten_unseen(groups):
    factories.opportunity(stage="Open")
    asked = confirmed()
    with concurrently(lambda: Opportunity.objects.update(stage="Lost"), before=LEAVING) as edited:
        service.run_bulk_edit(asked.pk)
    # It waits for the bulk edit, and is an edit of what that has left.
    assert (edited, Opportunity.objects.get().stage) == ([1], "Lost")
    stages = [
        {name: (old, new) for name, old, new in edit.changes}["Stage"] for edit in RecordEdit.objects.order_by("pk")[1:]
    ]
    assert stages == [("Open", "Won"), ("Won", "Lost")]
