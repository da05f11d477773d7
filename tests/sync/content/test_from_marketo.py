"""What Marketo holds, under the names and in the texts of our own content."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, RecordAssociation, RemoteObject, TagValue
from mobjects.models import CustomField
from mobjects.sync.content.from_marketo import RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, record_content
from tests import factories
from tests.support import memory

pytestmark = pytest.mark.django_db

KEYS = KeyFields(opportunity="Key", person="PersonKey", company="CompanyKey")


def again(record):
    """As the engine loads it."""
    return load_records(record.KIND, [record.pk])[0]


def seen(found, record=None, keys=KeyFields()):  # noqa: B008  # frozen
    return RemoteReader(found.kind, [found], keys).read_content(found, record)


def test_an_opportunity_reads_the_same_however_marketo_writes_it():
    CustomField.objects.create(kind="Opportunity", name="Months", data_type="integer")
    CustomField.objects.create(kind="Opportunity", name="Rate", data_type="float")
    record = factories.opportunity(
        external_id="E-1",
        amount=Decimal("501.00"),
        probability=80,
        quantity=Decimal("2.5000"),
        close_date=date(2026, 6, 30),
        is_won=False,
        external_created_date=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
        description="a\nb",
        company_id=7,
        custom_attributes={"Months": "12", "Rate": "1.5000"},
    )
    found = memory.opportunity(
        71,
        RecordAssociation(LinkTarget.COMPANY, id=7),
        Amount="501",
        Probability="80",
        Quantity="2.50",
        CloseDate="2026-06-30",
        IsWon="0",
        ExternalCreatedDate="2026-01-05T10:00:00+01:00",
        Description="a\r\nb",
        Months="12",
        Rate="1.5",
        Key="E-1",
    )
    assert seen(found, again(record), KEYS).values == record_content(again(record), KEYS)


@pytest.mark.parametrize("text", ["2026-06-30T14:00:00+0200", "2026-06-30T12:00:00.000Z", "2026-06-30 12:00"])
def test_a_moment_of_a_custom_field_is_the_same_however_marketo_writes_it(text):
    CustomField.objects.create(kind="Opportunity", name="Signed", data_type="datetime")
    record = factories.opportunity(custom_attributes={"Signed": "2026-06-30T12:00:00+00:00"})
    assert seen(memory.opportunity(Signed=text)).values["Signed"] == record_content(again(record), KEYS)["Signed"]


def test_what_cannot_be_read_stays_as_marketo_wrote_it_and_unknown_attributes_stand_aside():
    found = memory.opportunity(Probability="180", Extra="x")
    told = seen(found)
    assert told.values == {"Name": "Q1 2014", "Probability": "180"}
    assert told.unknown == {"Extra": "x"}
    assert told.remote_only({}) == {"attributes": {"Extra": "x"}}


@pytest.mark.parametrize(
    ("ours", "link", "expected"),
    [
        ({"company_id": 7}, RecordAssociation(LinkTarget.COMPANY, id=8), {"Company ID": "8"}),
        (
            {"company_key": "C-1"},
            RecordAssociation(LinkTarget.COMPANY, key=ExternalKey("CompanyKey", "C-2")),
            {"Company key": "C-2"},
        ),
        ({"company_key": "C-1"}, RecordAssociation(LinkTarget.COMPANY, id=8), {"Company key": "as accepted"}),
        (
            {"company_id": 7},
            RecordAssociation(LinkTarget.COMPANY, key=ExternalKey("CompanyKey", "C-2")),
            {"Company key": "as accepted"},
        ),
        ({}, RecordAssociation(LinkTarget.COMPANY, key=ExternalKey("Other", "C-2")), {"Company key": "as accepted"}),
        ({"company_id": 7}, None, {}),
    ],
)
def test_a_company_is_compared_only_where_both_sides_name_it_the_same_way(ours, link, expected):
    record = factories.opportunity(accepted={"Company key": "as accepted"}, **ours)
    found = memory.opportunity(71, *([link] if link else []))
    assert {name: text for name, text in seen(found, record, KEYS).values.items() if name != "Name"} == expected


def test_a_role_is_compared_by_our_opportunity_and_by_person():
    opportunity = factories.opportunity(marketo_id=71)
    record = factories.role(opportunity, is_primary=True)
    assert seen(memory.role(IsPrimary="1"), again(record)).values == record_content(again(record), KeyFields())
    other = seen(memory.role(opportunity=72, person=20), again(record)).values
    assert (other["Opportunity"], other["Person ID"]) == ("Marketo ID 72", "20")


def test_a_role_by_keys_finds_our_opportunity_by_its_external_id():
    opportunity = factories.opportunity(external_id="E-1")
    record = factories.role(opportunity, person_key="P-1")
    links = (
        RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey("Key", "E-1")),
        RecordAssociation(LinkTarget.LEAD, key=ExternalKey("PersonKey", "P-1")),
    )
    found = RemoteObject(Kind.ROLE, 81, {"Role": "Influencer"}, links)
    assert seen(found, again(record), KEYS).values == record_content(again(record), KEYS)


def test_costs_are_matched_by_id_then_by_what_was_accepted_then_by_value():
    record = factories.program()
    by_id = factories.cost(record, marketo_cost_id=5, amount=Decimal("1"))
    edited = factories.cost(record, amount=Decimal("3"))
    new = factories.cost(record, amount=Decimal("2"))
    twin = factories.cost(record, amount=Decimal("2"))
    record.accepted = {edited.content_key: "2026-06 2.00"}
    found = memory.program(costs=[(5, 6, "9"), (6, 6, "2"), (7, 6, "2.00"), (8, 7, "4", "more")])
    told = seen(found, record)
    assert told.values == {
        "Channel": "Webinar",
        by_id.content_key: "2026-06 9.00",
        edited.content_key: "2026-06 2.00",
        new.content_key: "2026-06 2.00",
    }
    assert told.costs.ids == {edited.pk: 6, new.pk: 7}
    assert [cost.id for cost in told.costs.new] == [8]
    assert told.costs.lost == {twin.content_key}


def test_a_cost_without_id_that_may_have_changed_in_marketo_is_not_taken_for_another_one():
    record = factories.program()
    sent = factories.cost(record)
    record.accepted = {sent.content_key: sent.content_text}
    told = seen(memory.program(costs=[(5, 6, "2500"), (6, 7, "1")]), record)
    assert [cost.id for cost in told.costs.unclear] == [5]
    assert [cost.id for cost in told.costs.new] == [6]
    assert told.remote_only(record_content(record, KeyFields())) == {
        "costs": [{"id": 5, "month": "2026-06", "amount": "2500", "note": ""}]
    }


def test_tags_are_named_as_we_spell_their_type():
    record = factories.program(channel="Webinar")
    factories.tag(record, type="region", value="EMEA")
    found = RemoteObject(
        Kind.PROGRAM,
        1001,
        tags=[TagValue("Region", "EMEA"), TagValue("Region", "APAC"), TagValue("channel", "Webinar")],
    )
    told = seen(found, again(record))
    assert told.values == record_content(again(record), KeyFields())
    assert told.remote_only(told.values) == {"tags": {"Region": "APAC"}}
