"""A pull goes page by page, or record by record, and any process can go on with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.types import Kind
from mobjects.models import Program
from mobjects.sync.pull.task import PullSelection, PullTask
from tests import factories
from tests.support import memory
from tests.support.memory import Memory, finished
from tests.support.pulls import in_step, known_program, pull

pytestmark = pytest.mark.django_db


def test_a_step_reads_one_page_and_another_process_goes_on_with_the_next():
    transport = Memory(*(memory.program(number) for number in (1001, 1002, 1003)), page_size=2)
    surroundings = memory.context(transport, PullSelection(Kind.PROGRAM).to_json())
    assert PullTask(surroundings).step()
    assert Program.objects.count() == 2
    assert PullTask(surroundings).step()
    assert not PullTask(surroundings).step()
    assert Program.objects.count() == 3
    assert [batch.size for batch in surroundings.job.batches.order_by("sequence")] == [2, 1]
    assert list(surroundings.job.results.order_by("pk").values_list("position", flat=True)) == [1, 2, 1]


def test_a_failed_call_is_made_again_by_the_next_step():
    transport = Memory(memory.program())
    transport.failing = Unavailable("down")
    surroundings = memory.context(transport, PullSelection(Kind.PROGRAM).to_json())
    with pytest.raises(Unavailable):
        PullTask(surroundings).step()
    assert finished(PullTask, surroundings).counts == {"ADDED": 1}


def test_a_stale_position_begins_again_once_and_says_so():
    transport = Memory(*(memory.program(number) for number in (1001, 1002)), page_size=1)
    surroundings = memory.context(transport, PullSelection(Kind.PROGRAM).to_json())
    PullTask(surroundings).step()
    transport.stale = {"1001"}
    PullTask(surroundings).step()
    PullTask(surroundings).step()
    assert surroundings.job.batches.order_by("-sequence").first().cause.startswith("Marketo no longer knew the place")
    with pytest.raises(Rejected):
        PullTask(surroundings).step()


def test_records_can_be_pulled_one_by_one():
    known = in_step(known_program())
    gone = factories.program(marketo_id=1002)
    job = pull(Memory(memory.program(), memory.program(1003)), ids=(gone.pk, known.pk, 999_999))
    assert dict(job.results.values_list("record_id", "status")) == {known.pk: "SAME", gone.pk: "MISSING"}
    held = pull(Memory(), Kind.OPPORTUNITY, ids=(factories.opportunity().pk,))
    assert (held.counts, held.batches.count()) == ({"HELD": 1}, 0)


def test_what_was_asked_survives_the_job_row():
    asked = PullSelection(
        Kind.PROGRAM, name="x", workspace="w", updated_since=datetime(2026, 1, 1, tzinfo=UTC), archived=True
    )
    assert PullSelection.from_json(asked.to_json()) == asked
    assert PullSelection.from_json({"kind": "Opportunity"}) == PullSelection(Kind.OPPORTUNITY)
    query = PullSelection(Kind.PROGRAM, tag_type="Region", tag_value="EMEA").to_query()
    assert (query.tag.type, query.tag.value, query.details) == ("Region", "EMEA", True)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": Kind.ROLE, "name": "x"}, "Name"),
        ({"kind": Kind.OPPORTUNITY, "workspace": "x"}, "Workspace"),
        ({"kind": Kind.PROGRAM, "tag_type": "x"}, "Tag"),
        ({"kind": Kind.PROGRAM, "updated_since": datetime(2026, 1, 1)}, "time zone"),
        ({"kind": Kind.PROGRAM, "ids": (1,), "name": "x"}, "filtered"),
        (
            {
                "kind": Kind.PROGRAM,
                "tag_type": "x",
                "tag_value": "y",
                "updated_since": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1),
            },
            "only one of them",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        PullSelection(**asked)


def test_a_page_whose_saving_is_tried_again_is_saved_once():
    refusals = [OperationalError("deadlock detected")]

    def refuse(execute, sql, params, many, context):
        if refusals and sql.startswith('UPDATE "mobjects_syncjob" SET "progress"'):
            raise refusals.pop()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        job = pull(Memory(memory.program(costs=[(5, 6, "1")])))
    assert not refusals
    assert (job.counts, job.results.count(), Program.objects.get().costs.count()) == ({"ADDED": 1}, 1, 1)
