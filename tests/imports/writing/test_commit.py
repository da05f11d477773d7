"""What a commit writes: values as a form would save them, revisions, and what it notes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from mobjects.imports.writing import commit as committing
from mobjects.models import (
    ImportChange,
    ImportMode,
    ImportRowOutcome,
    Kind,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
)
from tests import factories
from tests.imports.rows import change, changed, checked, commit, left, new, raw

pytestmark = pytest.mark.django_db

OPPORTUNITY = {
    "external_id": "E-1",
    "name": "Größe “A” 값",
    "description": "two\nlines, 100 % 'quoted' \\ \"double\"",
    "type": "",
    "stage": "Won",
    "amount": "501.00",
    "expected_revenue": "0.10",
    "probability": "80",
    "quantity": "12.3450",
    "close_date": "2026-06-30",
    "is_closed": "true",
    "is_won": "false",
    "fiscal": "2026Q2",
    "fiscal_quarter": "2",
    "fiscal_year": "2026",
    "forecast_category_name": "",
    "lead_source": "Web",
    "next_step": "Call",
    "external_created_date": "2013-08-05T14:22:45-07:00",
    "last_activity_date": None,
    "company_id": None,
    "company_key": "C-9",
    "custom_attributes": {"Color__c": "rot, grün", "Level__c": "3"},
}
SAVED_AT = ("id", "created_at", "modified_at")


def saved_by_form(**values: object) -> Opportunity:
    """The same values, saved by way of the model."""
    typed = {
        **OPPORTUNITY,
        "amount": Decimal("501.00"),
        "expected_revenue": Decimal("0.10"),
        "quantity": Decimal("12.3450"),
        "probability": 80,
        "close_date": date(2026, 6, 30),
        "is_closed": True,
        "is_won": False,
        "fiscal_quarter": 2,
        "fiscal_year": 2026,
        **values,
    }
    return Opportunity.objects.create(**typed)


def test_a_new_record_is_stored_as_the_form_stores_it():
    imported = commit(checked("opportunities", new(**OPPORTUNITY)))
    written = raw(Opportunity.objects.get(), without=SAVED_AT)
    Opportunity.objects.all().delete()
    assert written == raw(saved_by_form(), without=SAVED_AT)
    assert imported.written == {"created": 1, "changed": 0, "left": 0}


def test_a_changed_record_is_stored_as_the_form_stores_it():
    record = factories.opportunity(external_id="E-1", name="Before", is_won=True, custom_attributes={"Old__c": "1"})
    empty = dict.fromkeys(("amount", "expected_revenue", "probability", "quantity", "close_date"))
    empty |= dict.fromkeys(("is_closed", "fiscal_quarter", "fiscal_year", "external_created_date"))
    old = {"name": "Before", "is_won": "true", "custom_attributes": {"Old__c": "1"}, **empty}
    fields = {
        name: (old.get(name, ""), value)
        for name, value in OPPORTUNITY.items()
        if name not in ("external_id", "last_activity_date", "company_id") and value != ""
    }
    imported = commit(checked("opportunities", changed(record, **fields)))
    assert imported.written == {"created": 0, "changed": 1, "left": 0}
    by_form = saved_by_form(external_id="E-2")
    without = (*SAVED_AT, "external_id", "revision")
    assert raw(record, without=without) == raw(by_form, without=without)
    assert factories.fresh(record).revision == 2


def test_saving_what_was_imported_by_the_model_changes_nothing():
    commit(checked("opportunities", new(**OPPORTUNITY)))
    record = Opportunity.objects.get()
    record.save()
    assert factories.fresh(record).revision == 1


def test_what_the_file_does_not_set_gets_its_default():
    commit(checked("opportunities", new(external_id="E-1", name="Q1")))
    record = Opportunity.objects.get()
    assert (record.stage, record.amount, record.custom_attributes, record.accepted) == ("", None, {}, {})
    assert (record.revision, record.synced_revision, record.last_status, record.claimed_by) == (1, 0, "", None)
    assert record.created_at is not None
    assert record.created_at == record.modified_at


def test_each_kind_is_created():
    program = factories.program()
    opportunity = factories.opportunity()
    commit(checked("programs", new(marketo_id="1002", name="Fair", channel="Email")))
    link = str(program.pk)
    costs = (
        new(program_id=link, month="2026-06-01", amount="2000.00", note="Booth", marketo_cost_id="5"),
        new(program_id=link, month="2026-07-01", amount="0.5"),
    )
    of_costs = commit(checked("program-costs", *costs))
    of_tags = commit(checked("program-tags", new(program_id=link, type="Region", value="EMEA")))
    of_roles = commit(
        checked(
            "roles",
            new(opportunity_id=str(opportunity.pk), person_id="19", person_key="", role="Buyer", is_primary="true"),
        )
    )
    fair = Program.objects.get(marketo_id=1002)
    assert (fair.name, fair.type, fair.channel) == ("Fair", "", "Email")
    assert list(ProgramCost.objects.values_list("program", "month", "amount", "note", "marketo_cost_id")) == [
        (program.pk, date(2026, 6, 1), Decimal("2000.00"), "Booth", 5),
        (program.pk, date(2026, 7, 1), Decimal("0.50"), "", None),
    ]
    assert list(ProgramTag.objects.values_list("program", "type", "value")) == [(program.pk, "Region", "EMEA")]
    role = OpportunityPersonRole.objects.get()
    assert (role.opportunity, role.person_id, role.role, role.is_primary) == (opportunity, 19, "Buyer", True)
    # Each statement (on SQLite: each part) raises its program's revision once; noted is where that came to in the end.
    costs, tags = (3, 4) if connection.vendor == "sqlite" else (2, 3)
    assert factories.fresh(program).revision == tags
    assert {change(of_costs, 2).revision, change(of_costs, 3).revision} == {costs}
    assert (change(of_tags, 2).revision, change(of_roles, 2).revision) == (tags, 1)
    assert change(of_costs, 3).owner_id == program.pk
    assert (change(of_roles, 2).record_id, change(of_roles, 2).owner_id) == (role.pk, role.pk)


def test_each_kind_is_changed():
    program, opportunity = factories.program(channel="Email"), factories.opportunity()
    cost, tag, role = factories.cost(program), factories.tag(program), factories.role(opportunity)
    other = factories.opportunity()
    before = factories.fresh(program).revision
    imports = [
        commit(checked("programs", changed(program, channel=("Email", "Webinar")))),
        commit(checked("program-costs", changed(cost, amount=("2000.00", "1"), marketo_cost_id=(None, "77")))),
        commit(checked("program-tags", changed(tag, value=("EMEA", "APAC")))),
        commit(checked("opportunities", changed(opportunity, name=("Q1 2014", "Q2")))),
        commit(checked("roles", changed(role, opportunity_id=(str(opportunity.pk), str(other.pk))))),
    ]
    assert [imported.written["changed"] for imported in imports] == [1] * 5
    program.refresh_from_db()
    cost.refresh_from_db()
    role.refresh_from_db()
    assert (program.channel, program.revision) == ("Webinar", before + 3)
    assert (cost.amount, cost.marketo_cost_id) == (1, 77)
    assert program.tags.get().value == "APAC"
    assert (role.opportunity, role.revision) == (other, 2)
    assert [change(imported, 2).revision for imported in imports] == [before + 1, before + 2, before + 3, 2, 2]


def test_new_and_changed_parts_of_a_program_note_where_its_revision_came_to():
    program = factories.program()
    cost = factories.cost(program)
    link = str(program.pk)
    rows = changed(cost, amount=("2000.00", "1")), new(program_id=link, month="2026-07-01", amount="5")
    imported = commit(checked("program-costs", *rows))
    revision = factories.fresh(program).revision
    assert revision == 4
    assert [change(imported, number).revision for number in (2, 3)] == [revision, revision]


def test_what_does_not_count_as_content_raises_no_revision():
    program = factories.program(type="Event")
    imported = commit(checked("programs", changed(program, type=("Event", "Webinar"))))
    assert factories.fresh(program).type == "Webinar"
    assert change(imported, 2).revision == factories.fresh(program).revision == 1


def test_a_field_is_cleared():
    record = factories.opportunity(stage="Won", amount=5, is_won=True)
    fields = {"stage": ("Won", ""), "amount": ("5.00", None), "is_won": ("true", None)}
    commit(checked("opportunities", changed(record, **fields)))
    record.refresh_from_db()
    assert (record.stage, record.amount, record.is_won) == ("", None, None)


def test_a_marketo_id_is_given_once():
    record = factories.opportunity()
    commit(checked("opportunities", changed(record, marketo_id=(None, "64"))))
    assert factories.fresh(record).marketo_id == 64
    again = commit(checked("opportunities", changed(record, marketo_id=("64", "65"))))
    assert factories.fresh(record).marketo_id == 64
    assert again.written["changed"] == 1


def test_a_synced_record_is_dirty_afterwards():
    record = factories.opportunity()
    Opportunity.objects.filter(pk=record.pk).update(synced_revision=1)
    commit(checked("opportunities", changed(record, stage=("", "Won"))))
    record.refresh_from_db()
    assert (record.revision, record.synced_revision, record.is_dirty) == (2, 1, True)


def test_conflicts_are_written_only_where_that_is_wanted():
    record = factories.opportunity(stage="Here")
    row = changed(record, ImportRowOutcome.CONFLICT, stage=("Here", "File"))
    left_alone = commit(checked("opportunities", row))
    assert left_alone.written == {"created": 0, "changed": 0, "left": 0}
    assert factories.fresh(record).stage == "Here"
    commit(checked("opportunities", row, overwrite=True))
    assert factories.fresh(record).stage == "File"


def test_errors_and_unchanged_rows_are_not_written():
    record = factories.opportunity()
    rows = ((ImportRowOutcome.ERROR, None, {"name": "X"}, {}), (ImportRowOutcome.UNCHANGED, record.pk, {}, {}))
    imported = commit(checked("opportunities", *rows))
    assert imported.written == {"created": 0, "changed": 0, "left": 0}
    assert imported.committed_to == 3
    assert not ImportChange.objects.exists()
    assert left(imported) == {}


def test_microseconds_that_no_file_shows_do_not_count_as_a_change():
    record = factories.opportunity(external_created_date="2026-01-01T10:00:00.999999Z")
    day = ("2026-01-01T10:00:00+00:00", "2026-02-01T10:00:00+09:00")
    imported = commit(checked("opportunities", changed(record, external_created_date=day)))
    assert imported.written["changed"] == 1
    assert factories.fresh(record).external_created_date.isoformat() == "2026-02-01T01:00:00+00:00"


def test_the_order_of_custom_attributes_does_not_count_as_a_change():
    record = factories.opportunity(custom_attributes={"B__c": "ü", "A__c": "1"})
    old, now = {"A__c": "1", "B__c": "ü"}, {"A__c": "2", "B__c": "ü"}
    assert commit(checked("opportunities", changed(record, custom_attributes=(old, now)))).written["changed"] == 1
    assert factories.fresh(record).custom_attributes == now


def test_the_records_to_sync_are_those_that_were_written():
    program, other = factories.program(), factories.program(marketo_id=1002)
    factories.program(marketo_id=1003)
    rows = [new(program_id=str(pk), month="2026-06-01", amount="1") for pk in (program.pk, program.pk, other.pk)]
    rows[1][2]["amount"] = "2"
    kind, ids = committing.owner_ids(commit(checked("program-costs", *rows)))
    assert (kind, list(ids)) == (Kind.PROGRAM, [program.pk, other.pk])


def test_all_or_nothing_writes_all():
    rows = [new(external_id=f"E-{number}", name="Q") for number in range(3)]
    imported = commit(checked("opportunities", *rows, mode=ImportMode.ALL))
    assert imported.written == {"created": 3, "changed": 0, "left": 0}
    assert imported.committed_to == 4
