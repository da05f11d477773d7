"""A page of a pull: what it costs the database, what its history tells, and what one bad object of it leaves behind."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobjects.marketo.types import Kind
from mobjects.models import EditSource, Program, ProgramCost, ProgramTag, RecordEdit
from tests.factories import fresh
from tests.support import memory
from tests.support.memory import Memory
from tests.support.pulls import in_step, known_program, pull

pytestmark = pytest.mark.django_db


def page(size, *, amount="1", value="A"):
    return Memory(
        *(
            memory.program(
                number,
                costs=[(3 * number + each, 6, amount) for each in range(3)],
                tags={"Region": value, "Area": "North"},
            )
            for number in range(1, size + 1)
        )
    )


def statements(transport):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        job = pull(transport)
    return len(seen), job.counts


def test_a_page_takes_as_many_statements_however_many_programs_it_has():
    few = [statements(page(3)), statements(page(3)), statements(page(3, amount="2", value="B"))]
    ProgramCost.objects.all().delete()
    ProgramTag.objects.all().delete()
    Program.objects.all().delete()
    many = [statements(page(30)), statements(page(30)), statements(page(30, amount="2", value="B"))]
    assert [counts for _, counts in many] == [{"ADDED": 30}, {"SAME": 30}, {"TAKEN": 30}]
    assert [number for number, _ in many] == [number for number, _ in few]
    assert set(ProgramCost.objects.values_list("amount", flat=True)) == {2}
    assert set(ProgramTag.objects.values_list("type", "value")) == {("Region", "B"), ("Area", "North")}
    assert not Program.objects.dirty().exists()


def test_the_history_tells_of_each_program_of_a_page_who_pulled_it():
    pull(page(3))
    before = RecordEdit.objects.latest("pk").pk
    job = pull(page(3, amount="2"))
    edits = RecordEdit.objects.filter(kind=Kind.PROGRAM.value, pk__gt=before)
    assert set(edits.values_list("source", "reference")) == {(EditSource.PULL.value, job.pk.hex)}
    assert set(edits.values_list("record_id", flat=True)) == set(Program.objects.values_list("pk", flat=True))


def test_a_program_that_the_database_refuses_leaves_nothing_behind_and_holds_back_no_other():
    record = in_step(known_program())
    refused = memory.program(Name="New", costs=[(5, 6, "1")], tags={"Region": "EMEA", "region": "APAC"})
    job = pull(Memory(refused, memory.program(1002, costs=[(6, 6, "1")])))
    assert job.counts == {"HELD": 1, "ADDED": 1}
    held = job.results.get(status="HELD")
    assert (held.record_id, held.position) == (record.pk, 1)
    assert held.error == "Not taken. This program already has a tag of this type."
    record = fresh(record)
    assert (record.name, record.costs.count(), record.tags.count()) == ("Webinar", 0, 0)
    assert Program.objects.get(marketo_id=1002).costs.count() == 1


def test_an_object_that_stands_in_a_page_twice_is_added_once():
    class Twice(Memory):
        def find(self, query, position=""):
            found = super().find(query, position)
            found.found.extend(found.found)
            return found

    job = pull(Twice(memory.program(costs=[(5, 6, "1")])))
    assert job.counts == {"ADDED": 1, "SAME": 1}
    assert ProgramCost.objects.count() == Program.objects.count() == 1
