"""Opportunities and person roles that changed in Marketo are saved together, exactly as each by itself would be."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from mobjects.marketo.types import Kind, LinkTarget, RecordAssociation
from mobjects.models import CustomField, EditSource, RecordEdit, records_of_kind
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.content.write_local import write_local_values
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.memory import Memory
from tests.support.pulls import in_step, pull

pytestmark = pytest.mark.django_db

KINDS = pytest.mark.parametrize("kind", [Kind.OPPORTUNITY, Kind.ROLE])
FILLED = {
    Kind.OPPORTUNITY: {
        "Name": "Grün “계약”",
        "Description": "a\nb \\ \"c\" 'd'",
        "Amount": "1234567890123.45",
        "Quantity": "2.5",
        "Probability": "80",
        "CloseDate": "2026-06-30",
        "IsWon": "true",
        "IsClosed": "false",
        "FiscalYear": "2026",
        "ExternalCreatedDate": "2026-01-05T09:00:00+00:00",
    },
    Kind.ROLE: {"Role": "Käufer 책임", "IsPrimary": "true", "ExternalCreatedDate": "2026-01-05T09:00:00+00:00"},
}
CUSTOM = {"Months": "12", "Region": "한국, “Süd”"}


@pytest.fixture(autouse=True)
def custom_fields():
    for kind in FILLED:
        CustomField.objects.create(kind=kind.value, name="Months", data_type="integer")
        CustomField.objects.create(kind=kind.value, name="Region", data_type="string")


def found(kind, number, **values):
    if kind is Kind.OPPORTUNITY:
        company = RecordAssociation(LinkTarget.COMPANY, id=7)
        return memory.opportunity(number, company, **{**FILLED[kind], **values})
    return memory.role(number, 71, number, **{**FILLED[kind], **values})


def page(kind, numbers, **values):
    return Memory(*(found(kind, number, **values) for number in numbers))


def statements(kind, transport):
    with CaptureQueriesContext(connection) as seen:
        job = pull(transport, kind)
    return len(seen), job.counts


def columns_of(record, *without):
    """All columns of a record as they stand in the database, to the letter."""
    names = [field.column for field in record._meta.concrete_fields if field.name not in without]
    with connection.cursor() as cursor:
        listed = ", ".join(f'"{name}"' for name in names)
        cursor.execute(f"SELECT {listed} FROM {record._meta.db_table} WHERE id = %s", [record.pk])
        return dict(zip(names, cursor.fetchone(), strict=True))


@KINDS
def test_a_page_takes_as_many_statements_however_many_records_it_has(kind):
    factories.opportunity(marketo_id=71)
    counts = {}
    for size in (3, 20):
        numbers = range(1000 * size, 1000 * size + size)
        counts[size] = [
            statements(kind, page(kind, numbers, **CUSTOM)),
            statements(kind, page(kind, numbers, **CUSTOM)),
            statements(kind, page(kind, numbers, ExternalCreatedDate="2026-01-06T09:00:00+00:00", Months="13")),
        ]
    assert [made for _, made in counts[20]] == [{"ADDED": 20}, {"SAME": 20}, {"TAKEN": 20}]
    assert [number for number, _ in counts[20]] == [number for number, _ in counts[3]]
    changed = records_of_kind(kind).filter(marketo_id__gte=20_000)
    assert {(each.external_created_date.day, each.custom_attributes["Months"]) for each in changed} == {(6, "13")}
    assert not changed.dirty().exists()


@KINDS
def test_what_is_saved_together_stands_as_what_is_saved_by_itself(kind):
    factories.opportunity(marketo_id=71)
    pull(page(kind, [801, 802, 803]), kind)
    together, again, alone = records_of_kind(kind).filter(marketo_id__gte=801).order_by("marketo_id")
    changes = {"Role": "Ü", "IsPrimary": "false"} if kind is Kind.ROLE else {"Name": "Ü", "Amount": "0.50", "IsWon": ""}
    values = {**changes, "ExternalCreatedDate": "2026-02-28T23:59:59+00:00", **CUSTOM}
    write_local_values(load_records(kind, [alone.pk])[0], values, KeyFields())
    pull(page(kind, [801, 802], **values), kind)
    own = (
        "id",
        "marketo_id",
        "person_id",
        "modified_at",
        "created_at",
        "read_at",
        "accepted",
        "synced_revision",
        "state",
    )
    expected = columns_of(alone, *own)
    assert columns_of(together, *own) == columns_of(again, *own) == expected
    assert fresh(together).custom_attributes == CUSTOM
    assert fresh(together).modified_at > together.modified_at


@KINDS
def test_the_history_tells_only_of_what_changed_of_each_record(kind):
    factories.opportunity(marketo_id=71)
    pull(page(kind, [801, 802], **CUSTOM), kind)
    before = RecordEdit.objects.latest("pk").pk
    revisions = dict(records_of_kind(kind).values_list("pk", "revision"))
    job = pull(page(kind, [801, 802], **{**CUSTOM, "Months": "13"}), kind)
    edits = RecordEdit.objects.filter(kind=kind.value, pk__gt=before)
    assert [(edit.changes, edit.source, edit.reference) for edit in edits] == [
        ([["Months", "12", "13"]], EditSource.PULL.value, job.pk.hex)
    ] * 2
    for record in records_of_kind(kind).filter(marketo_id__gte=801):
        assert record.revision == revisions[record.pk] + 1


def test_one_that_the_database_refuses_leaves_nothing_behind_and_holds_back_no_other():
    keys = KeyFields(opportunity="Key")
    pull(Memory(found(Kind.OPPORTUNITY, 801, Key="A"), found(Kind.OPPORTUNITY, 802, Key="B")), Kind.OPPORTUNITY, keys)
    factories.opportunity(external_id="C", name="Ours")
    changed = Memory(
        found(Kind.OPPORTUNITY, 801, Key="C", Stage="Won"), found(Kind.OPPORTUNITY, 802, Key="B", Stage="Won")
    )
    job = pull(changed, Kind.OPPORTUNITY, keys)
    assert job.counts == {"HELD": 1, "TAKEN": 1}
    held = job.results.get(status="HELD")
    assert (held.marketo_id, held.error) == (
        801,
        "Not taken. External id “C”: Opportunity with this External ID already exists.",
    )
    kept = records_of_kind(Kind.OPPORTUNITY).filter(marketo_id__in=[801, 802]).order_by("marketo_id")
    assert list(kept.values_list("external_id", "stage")) == [("A", ""), ("B", "Won")]


def test_what_was_edited_here_stays_and_the_rest_is_taken():
    deal = in_step(factories.opportunity(marketo_id=801, name="Deal", stage="Old", next_step="Call"))
    other = in_step(factories.opportunity(marketo_id=802, name="Deal 2", stage="Old"))
    records_of_kind(Kind.OPPORTUNITY).filter(pk=deal.pk).update(next_step="Wait")
    job = pull(
        Memory(
            memory.opportunity(801, Name="Deal", Stage="New", NextStep="Call"),
            memory.opportunity(802, Name="Deal 2", Stage="New"),
        ),
        Kind.OPPORTUNITY,
    )
    assert job.counts == {"TAKEN": 2}
    deal, other = fresh(deal), fresh(other)
    assert (deal.stage, deal.next_step, deal.is_dirty) == ("New", "Wait", True)
    assert (other.stage, other.is_dirty) == ("New", False)


def test_every_field_that_people_edit_is_saved_together():
    for kind in Kind:
        model = records_of_kind(kind).model
        edited = set(model.edited_fields())
        assert set(model.content_fields) <= edited
        assert not edited & model.SYNC_FIELDS
        assert not any(isinstance(model._meta.get_field(name), models.GeneratedField) for name in edited)
