"""Each kind of field with each of its operators: which records are found, in which words, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from mobjects.filters.asked import add_condition, read_conditions, without_condition
from mobjects.filters.conditions import OPERATORS, FilterRefused, build_condition, read_condition
from mobjects.filters.fields import FieldType, FilterField, fields_of
from mobjects.filters.periods import NAMED, OFFERED, days_of, period_words
from mobjects.filters.queries import apply_conditions
from mobjects.marketo.reason_masking import reason_key
from mobjects.marketo.types import DataType
from mobjects.models import (
    Conflict,
    CustomField,
    Kind,
    Opportunity,
    OpportunityPersonRole,
    Program,
    RecordEdit,
    SyncJobState,
)
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db

JOB = "12345678-1234-5678-1234-567812345678"


def fitting(model, *texts, username="anna"):
    fields = fields_of(model.KIND)
    conditions = [read_condition(text, fields) for text in texts]
    return apply_conditions(model.objects.order_by("pk"), conditions, model.KIND, username)


def found(model, *texts, username="anna"):
    return [str(record) for record in fitting(model, *texts, username=username)]


def words(model, text):
    return read_condition(text, fields_of(model.KIND)).words()


@pytest.fixture
def deals():
    factories.opportunity(
        name="Seoul 50%",
        amount=Decimal("1500.50"),
        close_date=date(2026, 6, 15),
        is_won=True,
        stage="Won",
        last_activity_date=None,
        fiscal_year=2026,
        external_created_date=datetime(2026, 6, 14, 15, 30, tzinfo=UTC),
    )
    factories.opportunity(name="Busan_A", amount=Decimal(300), close_date=date(2026, 7, 1), is_won=False, stage="")
    factories.opportunity(name="Jeju", external_id=None, marketo_id=77)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.contains.eou", ["Seoul 50%"]),
        ("name.contains.0%", ["Seoul 50%"]),
        ("name.contains._A", ["Busan_A"]),
        ("name.lacks.seoul", ["Busan_A", "Jeju"]),
        ("name.is.Jeju", ["Jeju"]),
        ("name.starts.bus", ["Busan_A"]),
        ("name.contains.a.b", []),
        ("stage.empty", ["Busan_A", "Jeju"]),
        ("stage.filled", ["Seoul 50%"]),
        ("external_id.empty", ["Jeju"]),
        ("amount.is.300", ["Busan_A"]),
        ("amount.from.300.00", ["Seoul 50%", "Busan_A"]),
        ("amount.from.300.01", ["Seoul 50%"]),
        ("amount.to.1500.50", ["Seoul 50%", "Busan_A"]),
        ("amount.empty", ["Jeju"]),
        ("amount.filled", ["Seoul 50%", "Busan_A"]),
        ("marketo_id.is.77", ["Jeju"]),
        ("fiscal_year.is.2026", ["Seoul 50%"]),
        ("close_date.is.2026-06-15", ["Seoul 50%"]),
        ("close_date.from.2026-06-16", ["Busan_A"]),
        ("close_date.to.2026-06-15", ["Seoul 50%"]),
        ("close_date.within.this-month", ["Seoul 50%"]),
        ("close_date.within.Next 30 days", ["Seoul 50%", "Busan_A"]),
        ("close_date.empty", ["Jeju"]),
        ("is_won.is.yes", ["Seoul 50%"]),
        ("is_won.is.false", ["Busan_A"]),
        ("is_won.empty", ["Jeju"]),
    ],
)
def test_what_is_found(deals, text, expected):
    with time_machine.travel("2026-06-15T09:00:00Z", tick=False):
        assert found(Opportunity, text) == expected


def test_conditions_are_all_met(deals):
    assert found(Opportunity, "amount.from.100", "name.contains.an") == ["Busan_A"]


@pytest.mark.parametrize(("zone", "expected"), [("Asia/Seoul", ["Seoul 50%"]), ("UTC", [])])
def test_a_moment_lies_on_a_day_of_the_persons_zone(deals, zone, expected):
    with timezone.override(zone):
        assert found(Opportunity, "external_created_date.is.2026-06-15") == expected
        assert found(Opportunity, "external_created_date.from.2026-06-15") == expected
        assert found(Opportunity, "external_created_date.to.2026-06-14") == ([] if expected else ["Seoul 50%"])


def test_custom_attributes_are_asked_for_by_their_type(groups):
    for name, data_type in (("Region", "string"), ("Renewal", "date"), ("Partner", "boolean")):
        CustomField.objects.create(kind="Opportunity", name=name, label=name, data_type=data_type)
    factories.opportunity(name="A", custom_attributes={"Region": "EMEA", "Renewal": "2026-06-30", "Partner": "true"})
    factories.opportunity(name="B", custom_attributes={"Region": "", "Renewal": "2026-07-01", "Partner": "false"})
    factories.opportunity(name="C", custom_attributes={})
    for text, expected in (
        ("custom_Region.contains.me", ["A"]),
        ("custom_Region.lacks.me", ["B", "C"]),
        ("custom_Region.starts.em", ["A"]),
        ("custom_Region.is.EMEA", ["A"]),
        ("custom_Region.empty", ["B", "C"]),
        ("custom_Region.filled", ["A"]),
        ("custom_Renewal.to.2026-06-30", ["A"]),
        ("custom_Renewal.from.2026-07-01", ["B"]),
        ("custom_Renewal.is.2026-07-01", ["B"]),
        ("custom_Partner.is.yes", ["A"]),
        ("custom_Partner.is.no", ["B"]),
        ("custom_Partner.empty", ["C"]),
    ):
        assert found(Opportunity, text) == expected, text


def test_moments_of_custom_attributes_are_asked_for_by_the_days_of_whoever_asks(groups):
    CustomField.objects.create(kind="Opportunity", name="Signed", data_type="datetime")
    for name, text in (("A", "2026-06-30T14:59:59+00:00"), ("B", "2026-06-30T15:00:00+00:00"), ("C", "")):
        factories.opportunity(name=name, custom_attributes={"Signed": text} if text else {})
    with timezone.override("Asia/Seoul"):
        for asked, expected in (
            ("custom_Signed.is.2026-06-30", ["A"]),
            ("custom_Signed.is.2026-07-01", ["B"]),
            ("custom_Signed.to.2026-06-30", ["A"]),
            ("custom_Signed.from.2026-07-01", ["B"]),
            ("custom_Signed.from.0002-01-01", ["A", "B"]),
            ("custom_Signed.to.9998-12-31", ["A", "B"]),
            ("custom_Signed.empty", ["C"]),
            ("custom_Signed.filled", ["A", "B"]),
        ):
            assert found(Opportunity, asked) == expected, asked


@pytest.mark.parametrize(("data_type", "said"), [("integer", "1000"), ("float", "1,000"), ("currency", "1,000.00")])
def test_numbers_of_custom_attributes_are_compared_as_numbers(data_type, said):
    CustomField.objects.create(kind="Opportunity", name="Seats", label="Seats", data_type=data_type)
    kept = {
        "nine": "9",
        "ten": "10.00",
        "million": "1.5E6",
        "minus": "-2",
        "words": "many",
        "none": "",
        "huge": "9" * 400,
    }
    for name, text in kept.items():
        factories.opportunity(name=name, custom_attributes={"Seats": text})
    factories.opportunity(name="absent", custom_attributes={})
    for text, expected in (
        ("custom_Seats.is.10", ["ten"]),
        ("custom_Seats.from.10", ["ten", "million"]),
        ("custom_Seats.to.9", ["nine", "minus"]),
        ("custom_Seats.from.-2", ["nine", "ten", "million", "minus"]),
        ("custom_Seats.empty", ["none", "absent"]),
        ("custom_Seats.filled", ["nine", "ten", "million", "minus", "words", "huge"]),
    ):
        assert found(Opportunity, text) == expected, text
    assert words(Opportunity, "custom_Seats.from.1000") in (
        "Seats from 1000",
        "Seats from 1,000",
        "Seats from 1,000.00",
    )


def test_costs_and_tags_of_programs():
    spring, autumn, bare = (factories.program(name=name, marketo_id=1001 + n) for n, name in enumerate(("S", "A", "B")))
    factories.cost(spring, month=date(2026, 3, 1), amount=Decimal(500))
    factories.cost(autumn, month=date(2026, 9, 1), amount=Decimal(900))
    factories.tag(spring, type="Region", value="EMEA")
    factories.tag(autumn, type="Region", value="APAC")
    for text, expected in (
        ("cost_month.to.2026-06-30", ["S"]),
        ("cost_month.is.2026-09-01", ["A"]),
        ("cost_month.empty", ["B"]),
        ("cost_amount.from.600", ["A"]),
        ("cost_amount.filled", ["S", "A"]),
        ("tag.contains.emea", ["S"]),
        ("tag.is.Region: APAC", ["A"]),
        ("tag.lacks.EMEA", ["A", "B"]),
        ("tag.empty", ["B"]),
    ):
        assert found(Program, text) == [{"S": str(spring), "A": str(autumn), "B": str(bare)}[n] for n in expected], text


def test_who_changed_it_and_when_is_asked_of_one_edit(groups):
    old, new = factories.opportunity(name="Old"), factories.opportunity(name="New")
    for record, name, day in ((old, "anna", 1), (old, "bert", 20), (new, "anna", 20)):
        RecordEdit.objects.create(
            kind="Opportunity",
            record_id=record.pk,
            username=name,
            source="form",
            created_at=datetime(2026, 6, day, 12, tzinfo=UTC),
        )
    assert found(Opportunity, "edited_by.is.anna") == ["Old", "New"]
    assert found(Opportunity, "edited_by.is.me", username="bert") == ["Old"]
    assert found(Opportunity, "edited_by.is.anna", "edited_at.from.2026-06-10") == ["New"]
    assert found(Opportunity, "edited_at.empty") == []


def test_a_job_and_what_became_of_records_in_it(groups):
    factories.opportunity(name="Out")
    failed, sent = factories.opportunity(name="Failed"), factories.opportunity(name="Sent")
    job = pages.job(state=SyncJobState.PROBLEMS)
    pages.result(job, record_id=failed.pk, status="FAILED")
    pages.result(job, record_id=sent.pk, status="CREATED")
    assert found(Opportunity, f"job.is.{job.pk}") == ["Failed", "Sent"]
    assert found(Opportunity, f"job.is.{job.pk}:FAILED") == ["Failed"]
    assert found(OpportunityPersonRole, f"job.is.{job.pk}") == []
    pages.result(job, record_id=sent.pk, status="HELD", error="its amount 5 is too large")
    key = reason_key("its amount 7 is too large")
    assert found(Opportunity, f"job.is.{job.pk}:HELD:{key}") == ["Sent"]
    assert found(Opportunity, f"job.is.{job.pk}:HELD:{'0' * 16}") == []


def test_statuses_and_errors(groups):
    factories.opportunity(name="Bad", last_status="FAILED", last_error="Stage “Wun” is not allowed")
    factories.opportunity(name="Good", last_status="UPDATED")
    factories.opportunity(name="New")
    assert found(Opportunity, "last_status.is.FAILED") == ["Bad"]
    assert found(Opportunity, "last_status.is.failed") == ["Bad"]
    assert found(Opportunity, "last_status.empty") == ["New"]
    assert found(Opportunity, "last_error.contains.wun") == ["Bad"]
    assert found(Opportunity, "last_error.starts.stage") == ["Bad"]
    assert found(Opportunity, "last_error.lacks.wun") == ["Good", "New"]
    assert found(Opportunity, "last_error.filled") == ["Bad"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL's indexes")
@pytest.mark.parametrize(
    ("model", "index"),
    [(Program, "program_error"), (Opportunity, "opportunity_error"), (OpportunityPersonRole, "role_error")],
)
@pytest.mark.parametrize("text", ["last_error.contains.wun", "last_error.starts.stage", "last_error.filled"])
def test_records_by_their_error_are_found_without_reading_all(model, index, text):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert index in fitting(model, text).explain()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name.contains.Seoul", "Name contains “Seoul”"),
        ("amount.from.1000", "Amount from 1,000.00"),
        ("fiscal_year.is.2026", "Fiscal Year: 2026"),
        ("close_date.within.last-7-days", "Close Date: the last 7 days"),
        ("close_date.to.2026-06-30", "Close Date up to 2026-06-30"),
        ("is_won.is.no", "Is Won: no"),
        ("stage.empty", "Stage is empty"),
        ("last_status.is.FAILED", "Last status: Failed"),
        ("edited_by.is.me", "Changed by: me"),
    ],
)
def test_the_words(text, said):
    assert words(Opportunity, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("revision.from.1", "This list has no field “revision” to filter by"),
        ("", "This list has no field “” to filter by"),
        ("name.regex.(", "“Name” cannot be asked for “regex”; choose one of: contains, does not contain, is,"),
        ("amount.contains.1", "“Amount” cannot be asked for “contains”; choose one of: is, from, up to, is empty"),
        ("amount.from.abc", "“Amount”: “abc” is not a number; write digits with a point, for example 1234.50."),
        ("amount.from.", "“Amount”: give a value of at most 255 characters."),
        ("name.is." + "x" * 256, "“Name”: give a value of at most 255 characters."),
        ("close_date.is.31/12/2026", "“Close Date”: “31/12/2026” "),
        ("close_date.to.9999-12-31", "“Close Date”: “9999-12-31” is outside the years 2 to 9998."),
        ("last_synced_at.is.0001-01-01", "“Last synced”: “0001-01-01” is outside the years 2 to 9998."),
        ("close_date.within.someday", "“Close Date”: “someday” is no period; choose one of: today, yesterday,"),
        ("is_won.is.perhaps", "“Is Won”: “perhaps” "),
        ("last_status.is.LOST", "“Last status”: “LOST” is not among the choices: CREATED"),
        (f"uncorrected.is.{JOB}:FAILED:no key", "“Not accepted by a job and not corrected since”: “12345678-1234-"),
        (f"job.is.{JOB}:FAILED:0123456789abcdef:x", "“Job that dealt with it”: “12345678-1234-"),
        ("job.is.7", "“Job that dealt with it”: “7” is no job's number"),
        ("marketo_id.is.9999999999999999999999", "“Marketo ID”: "),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text, said):
    with pytest.raises(FilterRefused) as refused:
        read_condition(text, fields_of(Kind.OPPORTUNITY))
    assert str(refused.value).startswith(said)


def test_there_are_not_too_many_of_them():
    query = QueryDict(mutable=True)
    query.setlist("where", [f"name.contains.{number}" for number in range(21)])
    with pytest.raises(FilterRefused, match="at most 20 conditions"):
        read_conditions(query, fields_of(Kind.OPPORTUNITY))


@pytest.mark.parametrize("name", OFFERED)
def test_periods_follow_each_other_without_a_gap(name):
    with time_machine.travel("2026-01-31T12:00:00Z", tick=False):
        begin, end = days_of(name)
        assert begin < end
        assert period_words(name)
        if name in NAMED and name.startswith("last-"):
            assert days_of(name.replace("last", "this"))[0] == end
        if name in NAMED and name.startswith("next-"):
            assert days_of(name.replace("next", "this"))[1] == begin


TEXT = FilterField("name", "Name", FieldType.TEXT, "name", DataType.STRING)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40),
    st.sampled_from(["contains", "lacks", "is", "starts"]),
)
def test_a_condition_comes_back_from_its_address(value, operator):
    condition = build_condition("name", operator, value, {"name": TEXT})
    query = add_condition(QueryDict("q=x"), condition)
    read = read_conditions(QueryDict(query.urlencode()), {"name": TEXT})
    assert read == [condition]
    assert without_condition(query, condition.write()).urlencode() == "q=x"


def test_every_field_has_all_its_operators_tried(deals):
    """No pair of a field and an operator breaks on the database."""
    samples = {"number": "1", "day": "2026-01-01", "moment": "2026-01-01", "yes_no": "yes", "choice": "FAILED"}
    for model in (Program, Opportunity, OpportunityPersonRole):
        for field in fields_of(model.KIND).values():
            for operator in OPERATORS[field.type]:
                value = "today" if operator == "within" else samples.get(field.type, "x")
                if field.type is FieldType.JOB:
                    value = JOB
                condition = build_condition(field.name, operator, value, {field.name: field})
                records = apply_conditions(model.objects.all(), [condition], model.KIND, "anna")
                assert records.count() <= 3


def test_what_a_sending_would_hold_back(groups):
    factories.opportunity(name="Sendable")
    decided, synced = factories.opportunity(name="To decide"), factories.opportunity(name="Synced")
    Opportunity.objects.filter(pk=synced.pk).update(synced_revision=1, last_status="UPDATED")
    Conflict.objects.create(kind="Opportunity", record_id=decided.pk, label="x", reason="both")
    factories.role(decided, role="Boss")
    assert found(Opportunity, "held.is.yes") == found(Opportunity, "held.filled") == ["To decide"]
    assert found(Opportunity, "held.is.no") == ["Sendable", "Synced"]
    assert len(found(OpportunityPersonRole, "held.is.yes")) == 1
