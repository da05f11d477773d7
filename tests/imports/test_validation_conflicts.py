"""Rows that would overwrite what was changed here: since the export, or without having been sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.models import ImportProblemLevel, Opportunity, Program
from tests import factories
from tests.imports.helpers import checked, counts, words
from tests.support.guids import guid

pytestmark = pytest.mark.django_db

UNSENT = "which was entered here and not sent to Marketo yet."


def accepted(record, *, synced=1, **values):
    """Let Marketo have accepted some values of a record."""
    values = {name.replace("_", " "): text for name, text in values.items()}
    type(record).objects.filter(pk=record.pk).update(synced_revision=synced, accepted=values)
    return record


# --- the revision of an export ---


def test_a_record_that_was_changed_since_the_export_is_a_conflict():
    record = factories.opportunity(external_id="A", name="x", stage="Old")
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    found = checked("opportunities", "External ID,Stage,Type,Revision\nA,There,New,1\n")
    assert counts(found) == (0, 0, 0, 0, 1)
    assert words(found, ImportProblemLevel.CONFLICT) == [
        "row 2, Revision, “1”: was changed here since the file was exported; overwritten would be: Stage, Type."
    ]
    row = found.found.get()
    assert (row.data, row.old) == ({"stage": "There", "type": "New"}, {"stage": "Here", "type": ""})
    assert found.problems == 0


def test_a_row_that_changes_nothing_is_no_conflict():
    record = factories.opportunity(external_id="A", stage="Old")
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    assert counts(checked("opportunities", "External ID,Stage,Revision\nA,Here,1\n")) == (0, 0, 1, 0)


@pytest.mark.parametrize("revision", ["1", ""])
def test_a_record_as_it_was_exported_is_no_conflict(revision):
    factories.opportunity(external_id="A", stage="Old")
    found = checked("opportunities", f"Revision,External ID,Stage\n{revision},A,New\n")
    assert (counts(found), found.found.get().data) == ((0, 1, 0, 0), {"stage": "New"})


@pytest.mark.parametrize(
    ("kind", "table", "place"),
    [
        ("opportunities", "External ID,Name,Revision\n124,Was 00124,3\n", "row 2, External ID, “124”"),
        ("opportunities", "Marketo ID,External ID,Name,Revision\n7001,,Big,3\n", "row 2, Marketo ID, “7001”"),
    ],
)
def test_an_exported_row_whose_key_is_unknown_is_an_error_that_names_the_key(kind, table, place):
    factories.opportunity(external_id="00124")
    found = checked(kind, table)
    assert counts(found) == (0, 0, 0, 1)
    assert words(found)[0].startswith(f"{place}: is the key of no record here, but the row was exported from one")


def test_a_row_that_was_added_to_an_exported_file_is_a_new_record():
    assert counts(checked("opportunities", "External ID,Name,Revision\nB,Added in the file,\n")) == (1, 0, 0, 0)


def test_a_revision_that_is_none_is_an_error():
    factories.opportunity(external_id="A", stage="Old")
    assert words(checked("opportunities", "External ID,Stage,Revision\nA,New,first\n")) == [
        "row 2, Revision, “first”: is not a whole number, for example 80."
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("program-costs", "Program ID,Month,Amount,Cost ID,Revision\n1001,2026-06,5,9,1\n"),
        ("program-tags", "Program ID,Type,Value,Revision\n1001,Region,APAC,1\n"),
        ("programs", "Marketo ID,Name,Revision\n1001,Other,1\n"),
    ],
)
def test_of_costs_and_tags_it_is_that_of_the_program(kind, text):
    program = factories.program()
    factories.cost(program, marketo_cost_id=9)
    factories.tag(program)
    assert Program.objects.get().revision > 1
    assert counts(checked(kind, text)) == (0, 0, 0, 0, 1)
    assert counts(checked(kind, text.replace(",1\n", f",{Program.objects.get().revision}\n"))) == (0, 1, 0, 0)


# --- what was not sent ---


def test_an_unsent_value_that_would_be_overwritten_is_a_conflict():
    record = accepted(
        factories.opportunity(external_id="A", name="x", stage="Sent", type="Sent"), Name="x", Stage="Sent"
    )
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    found = checked("opportunities", "External ID,Stage\nA,There\n")
    assert counts(found) == (0, 0, 0, 0, 1)
    assert words(found, ImportProblemLevel.CONFLICT) == [f"row 2, Stage, “There”: would overwrite “Here”, {UNSENT}"]
    assert counts(checked("opportunities", "External ID,Name\nA,y\n")) == (0, 1, 0, 0)


def test_what_was_never_sent_at_all_is_no_conflict():
    record = factories.opportunity(external_id="A", stage="Old")
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    assert counts(checked("opportunities", "External ID,Stage\nA,There\n")) == (0, 1, 0, 0)


def test_a_synced_record_is_no_conflict():
    accepted(factories.opportunity(external_id="A", stage="Here"), Stage="There")
    assert counts(checked("opportunities", "External ID,Stage\nA,New\n")) == (0, 1, 0, 0)


def test_values_are_compared_as_they_are_sent():
    record = factories.opportunity(external_id="A", quantity=Decimal("1.5"), amount=Decimal(5), company_id=7)
    accepted(record, synced=1, Quantity="1.5", Amount="5.00", Company_ID="7")
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    text = "External ID,Quantity,Amount,Company ID\nA,2,6,8\n"
    assert counts(checked("opportunities", text)) == (0, 1, 0, 0)
    Opportunity.objects.filter(pk=record.pk).update(quantity=3, company_id=9)
    assert words(checked("opportunities", text), ImportProblemLevel.CONFLICT) == [
        f"row 2, Quantity, “2”: would overwrite “3.0000”, {UNSENT}",
        f"row 2, Company ID, “8”: would overwrite “9”, {UNSENT}",
    ]


def test_unsent_channel_tag_and_cost_of_a_program():
    program = factories.program(channel="Here")
    tag, cost = factories.tag(program), factories.cost(program, marketo_cost_id=9)
    accepted(program, Channel="Sent", **{"Tag Region": "EMEA", cost.content_key: cost.content_text})
    assert words(checked("programs", "Marketo ID,Channel,Name\n1001,There,y\n"), ImportProblemLevel.CONFLICT) == [
        f"row 2, Channel, “There”: would overwrite “Here”, {UNSENT}"
    ]
    tags, costs = "Program ID,Type,Value\n1001,Region,x\n", "Program ID,Cost ID,Amount\n1001,9,5\n"
    assert counts(checked("program-tags", tags)) == counts(checked("program-costs", costs)) == (0, 1, 0, 0)
    type(tag).objects.update(value="Here")
    type(cost).objects.update(amount=1)
    assert words(checked("program-tags", tags), ImportProblemLevel.CONFLICT) == [
        f"row 2, Value, “x”: would overwrite “Here”, {UNSENT}"
    ]
    assert words(checked("program-costs", costs), ImportProblemLevel.CONFLICT) == [
        f"row 2, Amount, “5”: would overwrite “2026-06 1.00”, {UNSENT}"
    ]


def test_unsent_link_of_a_role():
    first, second = factories.opportunity(external_id="A"), factories.opportunity(external_id="B", name="Second")
    role = accepted(factories.role(first, marketo_id=1), Opportunity="x", Person_ID="19", Role="Influencer")
    type(role).objects.filter(pk=role.pk).update(accepted={"Opportunity": f"our no. {first.pk}", "Person ID": "19"})
    type(role).objects.filter(pk=role.pk).update(opportunity=second)
    found = checked("roles", "Marketo ID,Opportunity,Person ID\n1,A,20\n")
    assert words(found, ImportProblemLevel.CONFLICT) == [f"row 2, Opportunity, “A”: would overwrite “Second”, {UNSENT}"]


@pytest.mark.parametrize("key_field", ["", "OurKey"])
def test_an_unsent_key_counts_if_it_is_sent_at_all(key_field, settings):
    settings.MARKETO = {**settings.MARKETO, "OPPORTUNITY_KEY_FIELD": key_field}
    record = accepted(factories.opportunity(external_id="A", marketo_id=5), OurKey="Sent")
    Opportunity.objects.filter(pk=record.pk).update(stage="Here")
    found = checked("opportunities", "Marketo ID,External ID\n5,B\n")
    assert counts(found) == ((0, 0, 0, 0, 1) if key_field else (0, 1, 0, 0))


@pytest.mark.usefixtures("marketo_rest_settings")
@pytest.mark.parametrize("name", ["ExternalOpportunityId", "externalOpportunityId"])
def test_a_key_that_marketo_accepted_over_either_api_is_no_conflict(name):
    record = factories.opportunity(external_id="E-1", marketo_guid=guid(1), name="x")
    accepted(record, Name="x", **{name: "E-1"})
    Opportunity.objects.update(stage="Here")  # Another edit that was not sent.
    found = checked("opportunities", f"Marketo GUID,External ID\n{guid(1)},E-2\n")
    assert words(found, ImportProblemLevel.CONFLICT) == []
    assert counts(found) == (0, 1, 0, 0)
