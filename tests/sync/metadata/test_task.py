"""Reading fields, tags and channels from Marketo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection

from mobjects.audit.door import history_opened
from mobjects.marketo.errors import Unavailable
from mobjects.marketo.types import Kind
from mobjects.models import AllowedTag, CustomField, MarketoField, SyncBatchState, SyncJob
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.metadata.task import DescribeTask
from mobjects.sync.transport_factory import open_transport
from tests import factories
from tests.support import guid_reading
from tests.support.catalog_transport import ROLE, STAGE, CatalogTransport, context, field

pytestmark = pytest.mark.django_db


def described(transport, keys=KeyFields()) -> SyncJob:  # noqa: B008  # frozen
    """A job that has read all there is."""
    surroundings = context(transport, keys)
    task = DescribeTask(surroundings)
    while task.step():
        pass
    task.finish()
    surroundings.job.refresh_from_db()
    return surroundings.job


def summary(job) -> str:
    return " ".join(job.progress["summary"])


def custom_fields(kind=Kind.OPPORTUNITY):
    return list(CustomField.objects.filter(kind=kind.value).values_list("name", "data_type", "size"))


def test_each_step_makes_one_call_and_keeps_it_in_the_history():
    transport = CatalogTransport()
    surroundings = context(transport)
    for number, asked in enumerate(["Opportunity", "OpportunityPersonRole", "tags", "channels"], 1):
        # Made anew each time, as another worker would.
        assert DescribeTask(surroundings).step()
        assert transport.asked[-1] == asked
        assert len(transport.asked) == number
    assert not DescribeTask(surroundings).step()
    batches = surroundings.job.batches.order_by("sequence")
    assert [(batch.operation, batch.state, batch.response) for batch in batches] == [
        ("DESCRIBE", SyncBatchState.ANSWERED, "<told/>")
    ] * 4


def test_a_key_field_that_the_api_has_fixed_is_missed_without_naming_a_setting():
    chosen = KeyFields(opportunity="Key")
    assert "no field “Key”: check MARKETO_OPPORTUNITY_KEY_FIELD." in summary(described(CatalogTransport(), chosen))
    with history_opened("for a second job"):
        SyncJob.objects.all().delete()
    said = summary(described(CatalogTransport(), guid_reading.KEYS))
    assert "no field “externalOpportunityId”: without it none can be found by external ID." in said
    assert "MARKETO_OPPORTUNITY_KEY_FIELD" not in said


def test_a_lane_whose_job_is_out_of_date_goes_on_where_another_came_to():
    transport = CatalogTransport()
    surroundings = context(transport)
    other = replace(surroundings, job=SyncJob.objects.get())
    DescribeTask(surroundings).step()
    DescribeTask(other).step()
    assert transport.asked == ["Opportunity", "OpportunityPersonRole"]


def test_what_was_read_is_not_kept_without_how_far_the_job_came():
    def full(execute, sql, params, many, context):
        if sql.startswith('UPDATE "mobjects_syncjob" SET "progress"'):
            raise RuntimeError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full), pytest.raises(RuntimeError):
        described(CatalogTransport())
    assert not MarketoField.objects.exists()


def test_a_failed_call_is_made_again_by_the_next_step():
    transport = CatalogTransport(tags={"Region": ["EMEA"]})
    surroundings = context(transport)
    task = DescribeTask(surroundings)
    task.step()
    transport.failing = Unavailable("down")
    with pytest.raises(Unavailable):
        task.step()
    while task.step():
        pass
    assert transport.asked == ["Opportunity", *["OpportunityPersonRole"] * 2, "tags", "channels"]
    surroundings.job.refresh_from_db()
    assert len(surroundings.job.progress["summary"]) == 4


def test_says_what_was_read():
    months = field("ContractMonths", "integer")
    tags = {"Region": ["EMEA", "APAC"], "Unit": ["Cloud"]}
    job = described(CatalogTransport([STAGE, months], [ROLE], tags, ["Webinar", "Email"]))
    assert job.progress["summary"] == [
        "2 opportunity fields, 1 of them custom.",
        "New custom field: ContractMonths.",
        "1 role field, none of them custom.",
        "2 tag types with 3 values.",
        "2 channels.",
    ]
    assert job.counts == {}


def test_what_is_read_replaces_what_was_known():
    first = CatalogTransport([STAGE, field("Old")], tags={"Region": ["EMEA"], "Gone": ["x"]}, channels=["Email"])
    described(first)
    described(CatalogTransport([STAGE], tags={"Region": ["APAC"]}, channels=["Webinar"]))
    assert set(MarketoField.objects.values_list("kind", "name")) == {
        ("Opportunity", "Stage"),
        ("OpportunityPersonRole", "Role"),
    }
    assert set(AllowedTag.objects.values_list("type", "value")) == {("Region", "APAC"), ("Channel", "Webinar")}


def test_writable_custom_fields_of_both_kinds_become_columns():
    opportunity = [
        STAGE,
        field("ContractMonths", "integer", label="Contract Months"),
        field("Signed", "dateTime"),
        field("Locked", read_only=True),
        field("Owner", "reference"),
    ]
    job = described(CatalogTransport(opportunity, [ROLE, field("Influence", "text", size=40)]))
    assert custom_fields() == [("ContractMonths", "integer", None), ("Signed", "datetime", None)]
    assert custom_fields(Kind.ROLE) == [("Influence", "string", 40)]
    assert CustomField.objects.get(name="ContractMonths").label == "Contract Months"
    assert "Owner links to other objects" in summary(job)


def test_the_field_of_our_external_id_is_no_custom_field():
    fields = [STAGE, field("ExternalOpportunityId", size=255)]
    described(CatalogTransport(fields), KeyFields(opportunity="ExternalOpportunityId"))
    assert custom_fields() == []
    assert MarketoField.objects.filter(name="ExternalOpportunityId").exists()


def test_a_key_field_that_is_not_there_is_told():
    assert "no field “ExternalId”: check MARKETO_OPPORTUNITY_KEY_FIELD" in summary(
        described(CatalogTransport(), KeyFields(opportunity="ExternalId"))
    )


def test_a_field_that_is_gone_is_kept_and_told():
    CustomField.objects.create(name="ContractMonths", data_type="integer")
    job = described(CatalogTransport())
    assert custom_fields() == [("ContractMonths", "integer", None)]
    assert "ContractMonths is gone" in summary(job)


def test_a_field_that_became_read_only_is_told():
    CustomField.objects.create(name="ContractMonths", data_type="integer")
    assert "ContractMonths is read-only" in summary(
        described(CatalogTransport([field("ContractMonths", "integer", read_only=True)]))
    )


@pytest.mark.parametrize("used", [True, False])
def test_a_new_type_is_taken_but_values_stay(used):
    CustomField.objects.create(name="ContractMonths", data_type="string", size=20)
    record = factories.opportunity(custom_attributes={"ContractMonths": "two"} if used else {})
    job = described(CatalogTransport([field("ContractMonths", "integer")]))
    assert custom_fields() == [("ContractMonths", "integer", None)]
    assert factories.fresh(record).custom_attributes == record.custom_attributes
    assert factories.fresh(record).revision == 1
    assert "ContractMonths has a new type: integer, was string." in summary(job)
    assert ("The values in 1 opportunity were left as they are" in summary(job)) is used


def test_an_unknown_type_is_taken_as_text_and_told():
    assert "type “percent”, which is not known here" in summary(described(CatalogTransport([field("Odds", "percent")])))
    assert custom_fields() == [("Odds", "string", None)]


def test_reading_again_changes_nothing_and_says_no_news():
    transport = CatalogTransport([STAGE, field("ContractMonths", "integer")], tags={"Region": ["EMEA"]})
    described(transport)
    before = list(CustomField.objects.values())
    assert "New" not in summary(described(transport))
    assert list(CustomField.objects.values()) == before


def test_repeated_empty_and_overlong_values_do_no_harm():
    described(CatalogTransport(tags={"Region": ["EMEA", "EMEA", "", "x" * 256], "Channel": ["Fax"]}))
    assert list(AllowedTag.objects.values_list("type", "value")) == [("Region", "EMEA")]


def test_the_sandbox_tells_its_fields_tags_and_channels(marketo_settings):
    transport = open_transport()
    job = described(transport, KeyFields(opportunity="ExternalOpportunityId"))
    transport.close()
    assert custom_fields() == [("ContractMonths", "integer", None)]
    assert {"Region", "Product Line", "Business Unit", "Fiscal Quarter", "Channel"} == set(
        AllowedTag.objects.values_list("type", flat=True)
    )
    assert AllowedTag.objects.filter(type="Channel").count() == 8
    assert "2 of them custom" in summary(job)
