"""Values by the types of the instance, and back as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from mobjects.marketo.rest.lead_database.field_catalogue import InstanceField, content_name
from mobjects.marketo.rest.lead_database.json_values import from_json, to_json
from mobjects.marketo.types import Kind

MORNING = datetime(2026, 6, 30, 9, 0, tzinfo=timezone(timedelta(hours=2)))


def field(type_, name="Probability", size=None):
    return InstanceField(name[0].lower() + name[1:], name, name, type_, size, updateable=True)


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [
        ("string", "x ", "x "),
        ("string", 12, "12"),
        ("string", Decimal("501.00"), "501.00"),
        ("email", True, "true"),
        ("integer", 80, 80),
        ("integer", "80 %", 80),
        ("integer", Decimal("80.0"), 80),
        ("score", "7", 7),
        ("percent", "80%", 80),
        ("percent", 80, 80),
        ("currency", Decimal("1604.47"), 1604.47),
        ("currency", Decimal("501.00"), 501),
        ("currency", Decimal("1E+20"), 1e20),
        ("float", "2.50", 2.5),
        ("boolean", "yes", True),
        ("boolean", False, False),
        ("date", date(2026, 6, 30), "2026-06-30"),
        ("date", "2026-06-30", "2026-06-30"),
        ("datetime", MORNING, "2026-06-30T09:00:00+02:00"),
        ("datetime", date(2026, 6, 30), "2026-06-30T00:00:00+00:00"),
        ("datetime", "2026-06-30T09:00:00+02:00", "2026-06-30T07:00:00+00:00"),
        ("something new", "x", "x"),
        ("something new", 7, 7),
        ("something new", Decimal("7.5"), 7.5),
        ("something new", date(2026, 6, 30), "2026-06-30"),
        ("integer", None, None),
        ("integer", "", None),
    ],
    ids=repr,
)
def test_a_value_is_written_as_its_field_wants_it(type_, value, written):
    found = to_json(value, field(type_))
    assert (found, type(found)) == (written, type(written))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("string", "x" * 11),
        ("integer", "14.1"),
        ("integer", Decimal("14.1")),
        ("integer", "many"),
        ("integer", str(2**63)),
        ("float", "many"),
        ("currency", Decimal("NaN")),
        ("something new", Decimal("NaN")),
        ("boolean", "other"),
        ("date", "yesterday"),
        ("datetime", "yesterday"),
    ],
    ids=repr,
)
def test_a_value_of_another_type_is_refused_with_the_value(type_, value):
    with pytest.raises(ValueError, match=str(value)[:5]):
        to_json(value, field(type_, "Other", 10))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Amount", Decimal("34.66"), "34.66"),
        ("Amount", None, ""),
        ("Quantity", 480, "480"),
        ("IsWon", False, "false"),
        ("CloseDate", "2026-06-30", "2026-06-30"),
        ("ExternalCreatedDate", "2014-10-24T17:00:00Z", "2014-10-24T17:00:00+00:00"),
        ("ExternalCreatedDate", "2014-10-24T17:00:00Z+0000", "2014-10-24T17:00:00+00:00"),
        ("CloseDate", "soon", "soon"),
        ("ContractMonths", 12, "12"),
        ("ContractMonths", ["x"], "['x']"),
    ],
    ids=repr,
)
def test_what_marketo_writes_is_read_as_canonical_text(name, value, text):
    assert from_json(Kind.OPPORTUNITY, name, value) == text


@pytest.mark.parametrize(
    ("kind", "name", "ours"),
    [
        (Kind.OPPORTUNITY, "closeDate", "CloseDate"),
        (Kind.OPPORTUNITY, "closedate", "CloseDate"),
        (Kind.OPPORTUNITY, "externalOpportunityId", "externalOpportunityId"),
        (Kind.OPPORTUNITY, "contractMonths", "ContractMonths"),
        (Kind.ROLE, "leadId", "PersonId"),
        (Kind.ROLE, "isPrimary", "IsPrimary"),
    ],
)
def test_content_has_soap_names(kind, name, ours):
    assert content_name(kind, name) == ours


def test_a_time_is_the_same_moment_whatever_its_offset():
    assert datetime.fromisoformat(str(to_json(MORNING, field("datetime")))) == datetime(2026, 6, 30, 7, tzinfo=UTC)
