"""The plan of a bulk edit says what the form says to the same value, and writes what the form would write."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import RequestFactory

from mobjects.bulk_edits.operations import Do, EditOperation
from mobjects.bulk_edits.service import build_planner
from mobjects.models import AllowedTag, BulkEditOutcome, CustomField
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db

LONG, NOTE = "a" * 255, "n" * 2000
OPPORTUNITIES = [
    # The input, what the record holds, the operation, and what a person would type for the same.
    ("name", {"name": "Draft"}, EditOperation(Do.REPLACE, "Name", sought="Draft"), ""),
    ("name", {"name": "Draft deal"}, EditOperation(Do.REPLACE, "Name", sought="Draft"), " deal"),
    ("name", {"name": "Draft deal"}, EditOperation(Do.SET, "Name", value="Deal"), "Deal"),
    ("stage", {"stage": LONG}, EditOperation(Do.REPLACE, "Stage", sought="a", value="ab"), "ab" * 255),
    ("stage", {"stage": "Won"}, EditOperation(Do.REPLACE, "Stage", sought="o", value="\x01"), "W\x01n"),
    ("stage", {"stage": "Won"}, EditOperation(Do.REPLACE, "Stage", sought="Won", value=" Lost "), " Lost "),
    (
        "description",
        {"description": NOTE},
        EditOperation(Do.REPLACE, "Description", sought="n", value="nn"),
        "nn" * 2000,
    ),
    ("description", {"description": "a\nb"}, EditOperation(Do.REPLACE, "Description", sought="b", value="c"), "a\r\nc"),
    ("stage", {"stage": "Won"}, EditOperation(Do.CLEAR, "Stage"), ""),
    ("probability", {"probability": 60}, EditOperation(Do.MULTIPLY, "Probability", value="2"), "120"),
    ("probability", {"probability": 60}, EditOperation(Do.ADD, "Probability", value="-61"), "-1"),
    ("probability", {"probability": 33}, EditOperation(Do.MULTIPLY, "Probability", value="0.5"), "17"),
    (
        "amount",
        {"amount": Decimal("9999999999999.99")},
        EditOperation(Do.ADD, "Amount", value="0.01"),
        "10000000000000.00",
    ),
    ("amount", {"amount": Decimal("5.00")}, EditOperation(Do.ADD, "Amount", value="-7"), "-2.00"),
    ("quantity", {"quantity": Decimal("3.0000")}, EditOperation(Do.MULTIPLY, "Quantity", value="0.00001"), "0.0000"),
    ("close_date", {}, EditOperation(Do.SET, "CloseDate", value="2026-06-30"), "2026-06-30"),
    ("fiscal_quarter", {"fiscal_quarter": 1}, EditOperation(Do.SET, "FiscalQuarter", value="5"), "5"),
    ("company_id", {"company_key": "C-1"}, EditOperation(Do.SET, "Company ID", value="7"), "7"),
    ("company_id", {}, EditOperation(Do.SET, "Company ID", value="0"), "0"),
    ("company_key", {"company_id": 7}, EditOperation(Do.SET, "Company Key", value="C-1"), "C-1"),
    ("custom_Score", {"custom_attributes": {"Score": "5"}}, EditOperation(Do.ADD, "Score", value="1"), "6"),
    ("custom_Score", {}, EditOperation(Do.SET, "Score", value="many"), "many"),
    ("custom_Region", {"custom_attributes": {"Region": "EMEA"}}, EditOperation(Do.CLEAR, "Region"), ""),
    ("stage", {"custom_attributes": {"Score": "high"}}, EditOperation(Do.SET, "Stage", value="Won"), "Won"),
    ("custom_Score", {"custom_attributes": {"Score": "high"}}, EditOperation(Do.SET, "Score", value="3"), "3"),
]
COSTS = [
    ("amount", {"amount": Decimal("5.00")}, EditOperation(Do.ADD, "Amount", value="-5.01"), "-0.01"),
    ("amount", {"amount": Decimal("5.00")}, EditOperation(Do.ADD, "Amount", value="-5"), "0.00"),
    ("note", {"note": "Ads"}, EditOperation(Do.REPLACE, "Note", sought="Ads", value="x" * 2001), "x" * 2001),
    ("month", {}, EditOperation(Do.SHIFT, "Month", value="7"), "2027-01"),
]
PROGRAMS = [
    ("name", {"name": "Web"}, EditOperation(Do.REPLACE, "Name", sought="Web"), ""),
    ("channel", {"channel": "Old"}, EditOperation(Do.SET, "Channel", value="Webnar"), "Webnar"),
    ("channel", {"channel": "Old"}, EditOperation(Do.SET, "Channel", value="webinar"), "webinar"),
    ("channel", {"channel": "Old"}, EditOperation(Do.CLEAR, "Channel"), ""),
    ("workspace", {"channel": "Old"}, EditOperation(Do.SET, "Workspace", value="EMEA"), "EMEA"),
]


@pytest.fixture
def request_of_boss():
    request = RequestFactory().post("/")
    request.user = User.objects.create_superuser("boss")
    CustomField.objects.create(name="Score", data_type="integer")
    CustomField.objects.create(name="Region", data_type="string")
    AllowedTag.objects.create(type="Channel", value="Webinar", described_at=pages.MOMENT)
    return request


def save_by_form(request, record, name, typed):
    """Whether the form takes the value."""
    page = admin.site.get_model_admin(type(record))
    form_class = page.get_form(request, record, change=True)
    data = {}
    for bound in form_class(instance=record):
        value = bound.field.prepare_value(bound.value())
        shown = "" if value is None else value
        if hasattr(bound.field.widget, "decompress"):
            continue  # Moments, which have two inputs and are empty here.
        shown = shown.replace("\n", "\r\n") if isinstance(shown, str) else shown  # As a browser sends it.
        data[bound.html_name] = data[bound.html_initial_name] = shown
    form = form_class(data | {name: typed}, instance=record)
    if form.is_valid():
        form.save()
        return True
    return False


def make_record(kind, values):
    if kind == "program":
        return factories.program(**values)
    if kind == "programcost":
        return factories.cost(factories.program(), **values)
    return factories.opportunity(**{"stage": "New", **values})


@pytest.mark.parametrize(
    ("kind", "cases"), [("opportunity", OPPORTUNITIES), ("programcost", COSTS), ("program", PROGRAMS)]
)
def test_the_plan_says_what_the_form_says(request_of_boss, kind, cases):
    different = []
    for name, values, operation, typed in cases:
        with transaction.atomic():
            record = make_record(kind, values)
            (row,) = build_planner(kind, operation).plan_rows([record.pk])
            taken = save_by_form(request_of_boss, type(record).objects.get(pk=record.pk), name, typed)
            if taken:
                # Planned once more, what the form has saved is what was asked for, or holds the same text.
                lookup = build_planner(kind, EditOperation(Do.SET, operation.field, value=row.new or "-"))
                saved = lookup.plan_rows([record.pk])[0].old
                if row.outcome != BulkEditOutcome.CHANGED or (saved or "") != (row.new or ""):
                    different.append((operation, row, saved))
            elif row.outcome != BulkEditOutcome.REFUSED:
                different.append((operation, row, "refused by the form"))
            transaction.set_rollback(True)
    assert different == []
