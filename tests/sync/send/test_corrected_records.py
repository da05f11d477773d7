"""A record that Marketo refused and that was corrected since: what it is called, and what is tried again."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from mobjects.models import Opportunity, RecordState
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "redis_url")]


@pytest.mark.parametrize(
    ("fault", "refused", "corrected"),
    [
        (("bad_row", {"row": 0, "text": "Bad stage"}), RecordState.FAILED, RecordState.CHANGED_FAILED),
        (
            ("row_status", {"row": 0, "row_status": "SKIPPED", "text": "Locked"}),
            RecordState.SKIPPED,
            RecordState.CHANGED_SKIPPED,
        ),
        (("soap", {"code": "20019"}), RecordState.FAILED, RecordState.CHANGED_FAILED),
    ],
    ids=["a row failed", "a row was skipped", "the batch was refused"],
)
def test_a_refused_record_says_that_it_was_changed_since(sandbox, fault, refused, corrected):
    record = factories.opportunity()
    name, options = fault
    sandbox.faults.add(name, **options, operation="syncMObjects", times=1)
    factories.sync(record)
    assert factories.fresh(record).current_state == refused
    Opportunity.objects.update(stage="Won")
    assert factories.fresh(record).current_state == corrected
    factories.sync(record)
    assert factories.fresh(record).current_state == RecordState.SYNCED


def test_the_migration_takes_the_revision_from_the_history(sandbox):
    known, unknown = factories.opportunity(), factories.opportunity()
    sandbox.faults.add("soap", code="20019", operation="syncMObjects", times=1)
    factories.sync(known)
    Opportunity.objects.update(stage="Won")
    Opportunity.objects.filter(pk=unknown.pk).update(last_status="FAILED")
    Opportunity.objects.update(answered_revision=0)
    import_module("mobjects.migrations.0012_states_and_time_zones").forwards(apps, None)
    states = [factories.fresh(record).current_state for record in (known, unknown)]
    assert states == [RecordState.CHANGED_FAILED, RecordState.FAILED]
