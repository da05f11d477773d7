"""Two at once at a deletion of many records, and what others do meanwhile."""

from __future__ import annotations

import pytest

from mobjects.models import BulkDeletion, BulkDeletionState, DeletedRecord, Opportunity, OpportunityPersonRole, Program
from mobjects.removals import service
from mobjects.removals.lifecycle import DELETION_STATES
from tests import factories
from tests.support.concurrent import concurrently, postgresql
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), postgresql]
KEEPING = 'INSERT INTO "mobjects_deletedrecord"'


def confirmed() -> BulkDeletion:
    """A deletion of all opportunities that nobody is at yet."""
    deletion = service.ask_deletion(Opportunity.objects.all(), "", factories.user())
    DELETION_STATES.change(deletion, BulkDeletionState.DELETING)
    return deletion


def test_two_workers_delete_each_record_once():
    for _ in range(3):
        factories.opportunity()
    deletion = confirmed()
    with concurrently(lambda: service.run_deletion(deletion.pk), before=KEEPING):
        service.run_deletion(deletion.pk)
    deletion.refresh_from_db()
    assert (deletion.state, deletion.counts, deletion.position) == ("deleted", {"deleted": 3}, 3)
    assert DeletedRecord.objects.count() == 3


def test_an_edit_in_the_last_moment_is_not_deleted_unseen():
    factories.opportunity(stage="Open")
    deletion = confirmed()
    with concurrently(lambda: Opportunity.objects.update(stage="Won"), before=KEEPING) as edited:
        service.run_deletion(deletion.pk)
    assert edited == [0]
    assert DeletedRecord.objects.get().values["fields"]["stage"] == "Open"


def test_a_role_is_not_sent_while_it_is_deleted():
    factories.role(factories.opportunity())
    batch = pages.batch(pages.job())
    deletion = confirmed()
    with concurrently(lambda: OpportunityPersonRole.objects.update(claimed_by=batch), before=KEEPING) as claimed:
        service.run_deletion(deletion.pk)
    assert claimed == [0]


def test_an_edit_while_costs_come_back_is_still_to_be_sent():
    factories.cost(factories.program(channel="Web"))
    deletion = service.ask_deletion(Program.objects.all(), "", factories.user())
    assert service.confirm_deletion(deletion)
    cost = DeletedRecord.objects.filter(model="programcost")
    cost.update(restored=True)
    assert service.undo_deletion(deletion, deletion.user)
    cost.update(restored=None)  # As if it came with a later chunk.
    BulkDeletion.objects.update(state=BulkDeletionState.UNDOING)
    before = Program.objects.get().revision
    with concurrently(lambda: Program.objects.update(channel="Email"), before='INSERT INTO "mobjects_programcost"'):
        service.run_deletion(deletion.pk)
    program = Program.objects.get()
    assert (program.channel, program.revision, program.costs.count()) == ("Email", before + 1, 1)
