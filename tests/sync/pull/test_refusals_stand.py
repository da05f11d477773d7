"""A pull of other fields is no correction of what Marketo refused."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, RecordState, RecordStatus
from tests import factories
from tests.support import memory
from tests.support.memory import Memory
from tests.support.pulls import in_step, pull

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def test_a_failed_record_stays_failed_where_a_pull_takes_another_field():
    in_step(factories.opportunity(marketo_id=71, stage="Open", type="A"))
    Opportunity.objects.update(stage="Bad")
    revision = Opportunity.objects.get().revision
    Opportunity.objects.update(
        last_status=RecordStatus.FAILED, last_error="Stage is not valid", answered_revision=revision
    )
    pull(Memory(memory.opportunity(Stage="Open", Type="B")), Kind.OPPORTUNITY)
    record = Opportunity.objects.get()
    assert (record.type, record.stage, record.current_state) == ("B", "Bad", RecordState.FAILED)
    assert record.refusal_stands
