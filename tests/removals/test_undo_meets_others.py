"""Bringing deleted records back while others work: a sync between two chunks, an import, a conflict that was closed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mobjects.models import (
    Conflict,
    ConflictReason,
    CustomField,
    DeletedRecord,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
)
from mobjects.removals import service
from mobjects.sync.conflicts.ambiguous import close_orphaned_conflicts
from tests import factories
from tests.imports.running import checked, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]
COST = b"Program ID,Month,Amount,Note\n1001,2026-06,100,Booth\n"


def deleted(queryset):
    deletion = service.ask_deletion(queryset, "", factories.user("olga"))
    assert service.confirm_deletion(deletion)
    service.run_deletion(deletion.pk)
    deletion.refresh_from_db()
    return deletion


def test_a_cost_that_was_not_sent_is_still_to_be_sent_if_a_sync_came_between_two_chunks():
    program = factories.program(marketo_id=1001, name="AAA")
    factories.cost(program)
    factories.sync(program)
    factories.cost(program, month=date(2026, 7, 1), amount=Decimal(500))
    Program.objects.bulk_create(Program(name=f"P{number}", marketo_id=1002 + number) for number in range(600))
    deletion = deleted(Program.objects.all())
    assert not Program.objects.exists()
    assert service.undo_deletion(deletion, deletion.user)
    assert service._do_chunk(deletion.pk)
    program = Program.objects.get(marketo_id=1001)
    assert program.costs.count() == 0
    factories.sync(program)
    service.run_deletion(deletion.pk)
    program.refresh_from_db()
    assert program.costs.count() == 2
    assert program.is_dirty


def test_a_cost_that_was_imported_again_is_not_doubled():
    factories.program(marketo_id=1001)
    written(checked(COST, kind="program-costs"))
    deletion = deleted(ProgramCost.objects.all())
    written(checked(COST, "again.csv", kind="program-costs"))
    service.undo_deletion(deletion, deletion.user)
    service.run_deletion(deletion.pk)
    deletion.refresh_from_db()
    assert ProgramCost.objects.count() == 1
    assert deletion.undone == {"left": 1}
    assert "an equal cost was added" in deletion.deleted.get().note


def test_equal_costs_that_were_deleted_together_come_back_together():
    program = factories.program(marketo_id=1001)
    for _ in range(2):
        factories.cost(program)
    deletion = deleted(ProgramCost.objects.all())
    service.undo_deletion(deletion, deletion.user)
    service.run_deletion(deletion.pk)
    assert ProgramCost.objects.count() == 2


def test_what_a_person_has_to_decide_is_to_be_decided_again():
    record = factories.opportunity(marketo_id=7)
    conflict = Conflict.objects.create(
        kind="Opportunity", record_id=record.pk, label="x", reason=ConflictReason.BOTH_CHANGED
    )
    deletion = deleted(Opportunity.objects.all())
    assert close_orphaned_conflicts() == 1
    service.undo_deletion(deletion, deletion.user)
    service.run_deletion(deletion.pk)
    conflict.refresh_from_db()
    assert (conflict.decided_at, conflict.answer_text) == (None, "")


def count_statements(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_many_rows_are_deleted_and_come_back_in_statements_of_many():
    programs = Program.objects.bulk_create(Program(name=f"P{number}", marketo_id=1001 + number) for number in range(60))
    ProgramCost.objects.bulk_create(
        ProgramCost(program=each, month=date(2026, 6, 1), amount=Decimal(number), note="x")
        for each in programs
        for number in range(3)
    )
    ProgramTag.objects.bulk_create(ProgramTag(program=each, type="Region", value="EMEA") for each in programs)
    deals = Opportunity.objects.bulk_create(
        Opportunity(name=f"O{number}", external_id=str(number)) for number in range(100)
    )
    OpportunityPersonRole.objects.bulk_create(OpportunityPersonRole(opportunity=each, person_id=19) for each in deals)
    tables = (Program, ProgramCost, ProgramTag, Opportunity, OpportunityPersonRole)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    for kind in (Program, Opportunity):
        deletion = service.ask_deletion(kind.objects.all(), "", factories.user(kind.__name__))
        assert count_statements(lambda deletion=deletion: service.confirm_deletion(deletion)) < 60
        assert count_statements(lambda deletion=deletion: service.undo_deletion(deletion, deletion.user)) < 60
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_one_that_cannot_come_back_among_many_keeps_none_of_the_others():
    Opportunity.objects.bulk_create(Opportunity(name=f"O{number}", marketo_id=number + 1) for number in range(40))
    deletion = deleted(Opportunity.objects.all())
    for number in (7, 8, 31):
        factories.opportunity(marketo_id=number)
    service.undo_deletion(deletion, deletion.user)
    deletion.refresh_from_db()
    assert deletion.undone == {"restored": 37, "left": 3}
    assert [row.values["fields"]["marketo_id"] for row in deletion.deleted.filter(restored=False)] == [7, 8, 31]
    assert Opportunity.objects.count() == 40


def test_a_record_comes_back_without_values_of_a_custom_field_that_was_deleted_since_and_it_is_said(client, groups):
    fields = [CustomField.objects.create(name=name) for name in ("Kept", "Words")]
    values = {"Kept": "1", "Words": "x"}
    record = factories.opportunity(custom_attributes=values, accepted={**values, "Name": "Deal"}, revision=1)
    deletion = deleted(Opportunity.objects.all())
    fields[1].delete()
    service.undo_deletion(deletion, deletion.user)
    back = Opportunity.objects.get(pk=record.pk)
    back.full_clean()
    # Nothing of it is left to be cleared in Marketo, which may have no such field any more.
    assert (back.custom_attributes, back.accepted) == ({"Kept": "1"}, {"Kept": "1", "Name": "Deal"})
    kept = DeletedRecord.objects.get()
    note = "Words: there is no such custom field any more."
    assert (kept.restored, kept.note) == (True, note)
    client.force_login(factories.user("ida", group="editor"))
    page = client.get(reverse("mobjects:deletion", args=[deletion.pk])).content.decode()
    assert f"brought back; {note}" in page
