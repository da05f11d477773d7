"""For random files the check finds what the models themselves find, row by row and one query at a time.

The cells are in our own spelling, or bad: how a whole file decides about others is tried in tests/imports/formats.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mobjects.marketo.value_text import drop_unseen
from mobjects.models import CustomField, Opportunity, OpportunityPersonRole
from mobjects.resources import RESOURCES
from mobjects.resources.columns import CustomColumn
from tests import factories
from tests.imports.helpers import checked, imported, outcomes

pytestmark = pytest.mark.django_db

rounds = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

CELLS = {
    "Marketo ID": ["", "5", "6", "7", "8", "7.0", "x", "0"],
    "Marketo GUID": ["", "dff-5", "dff-6", "DFF-7", " dff-8 ", "dff 5", "d" * 37],
    "External ID": ["A", "B", "C", "D", "E", "F", "", " A", "'A", "a"],
    "Name": ["x", "Deal A", "y", "", "   ", "n" * 256, "a\x07"],
    "Stage": ["", "Won", "=1", " Won "],
    "Amount": ["", "5", "5.00", "05.0", "-1", "n/a", "1e2", "12.345"],
    "Probability": ["", "80", "80%", "101", "80.0", "x"],
    "Quantity": ["", "1.5", "1.5000", "0.00001"],
    "CloseDate": ["", "2026-06-30", "tbd"],
    "IsWon": ["", "yes", "true", "0", "maybe"],
    "FiscalQuarter": ["", "1", "4", "5", "0"],
    "FiscalYear": ["", "2026", "26"],
    "ExternalCreatedDate": ["", "2026-06-30T14:00:00+02:00", "2026-06-30 12:00:00", "noon"],
    "Company ID": ["", "", "", "7", "8"],
    "Company Key": ["", "", "", "acme"],
    "Score": ["", "5", "5.0", "many"],
    "Opportunity": ["A", "B", "5", "Marketo ID 6", "6", "", "Z", "Marketo GUID dff-6"],
    "Person ID": ["19", "20", "21", "", "-1"],
    "Person Key": ["", "", "k"],
    "Role": ["", "Boss", "Buyer", "boss"],
    "IsPrimary": ["", "true", "no"],
}
"""Cells to draw from, by column: many that meet a record or another row, some that are wrong."""


def files(*columns: str) -> st.SearchStrategy[list[dict[str, str]]]:
    """Rows of a file that has some of these columns."""

    def rows(chosen: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, str]]]:
        # The first cells of each list come more often: fewer rows with an error.
        cells = {name: st.sampled_from(CELLS[name][:3] * 8 + CELLS[name]) for name in chosen}
        return st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=4)

    return (
        st.sets(st.sampled_from(columns), max_size=7)
        .map(lambda chosen: tuple(n for n in columns if n in chosen))
        .flatmap(rows)
    )


def as_text(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Refused(Exception):
    """A row breaks a rule."""


class Done(Exception):
    """Carries an outcome out of a transaction that is to be rolled back."""


class Reference:
    """Rows judged one by one with model instances, in a transaction that is rolled back after each."""

    def __init__(self, kind: str, rows: list[dict[str, str]]) -> None:
        self.columns = {column.name: column for column in RESOURCES[kind]().columns}
        self.kind, self.rows = kind, rows
        self.keys: dict[Any, set[int]] = {}

    def outcomes(self) -> dict[int, str]:
        """The outcome of each row, by its number."""
        found = {
            number: self.judged(number, row)
            for number, row in enumerate(self.rows, 2)
            if any(map(str.strip, row.values()))
        }
        doubles = {number for numbers in self.keys.values() if len(numbers) > 1 for number in numbers}
        return {number: "error" if number in doubles else outcome for number, outcome in found.items()}

    def judged(self, number: int, row: dict[str, str]) -> str:
        values, bad = {}, False
        for name, cell in row.items():
            try:
                values[name] = self.columns[name].parse_cell(cell)
            except ValueError:
                bad = True
        try:
            with transaction.atomic():
                outcome = (self.opportunity if self.kind == "opportunities" else self.role)(number, row, values, bad)
                raise Done(outcome)
        except Done as done:
            return str(done)
        except (Refused, ValidationError, IntegrityError):
            return "error"

    def seen(self, number: int, *keys: Any) -> None:
        for key in keys:
            self.keys.setdefault(key, set()).add(number)

    def opportunity(self, number: int, row: dict[str, str], values: dict[str, Any], bad: bool) -> str:
        marketo_id, guid, key = values.get("Marketo ID"), values.get("Marketo GUID"), values.get("External ID")
        by_id = Opportunity.objects.filter(marketo_id=marketo_id).first() if marketo_id else None
        by_key = Opportunity.objects.filter(external_id=key).first() if key else None
        by_guid = Opportunity.objects.filter(marketo_guid=guid).first() if guid else None
        record = by_id or by_guid or by_key
        self.seen(number, *[("id", marketo_id)] * bool(marketo_id), *[("key", key)] * bool(key))
        self.seen(number, *[("guid", guid)] * bool(guid))
        if record:
            self.seen(number, ("pk", record.pk))
        if bad or not (marketo_id or guid or key):
            raise Refused
        return self.saved(record or Opportunity(), (by_id, by_guid, by_key), values)

    def role(self, number: int, row: dict[str, str], values: dict[str, Any], bad: bool) -> str:
        name = values.get("Opportunity")
        number_text = (name or "").removeprefix("Marketo ID ")
        parent = Opportunity.objects.filter(external_id=name).first() if name else None
        if parent is None and number_text.isdecimal():
            parent = Opportunity.objects.filter(marketo_id=int(number_text)).first()
        if parent is None and (name or "").startswith("Marketo GUID "):
            parent = Opportunity.objects.filter(marketo_guid=name.removeprefix("Marketo GUID ")).first()
        marketo_id = values.get("Marketo ID")
        if marketo_id:
            self.seen(number, ("id", marketo_id))
        by_id = OpportunityPersonRole.objects.filter(marketo_id=marketo_id).first() if marketo_id else None
        guid = values.get("Marketo GUID")
        self.seen(number, *[("guid", guid)] * bool(guid))
        by_guid = OpportunityPersonRole.objects.filter(marketo_guid=guid).first() if guid else None
        person_id, person_key = values.get("Person ID"), values.get("Person Key") or ""
        whole = parent and "Role" in values and (person_id is None) != (person_key == "")
        by_key = None
        if whole and not (row.keys() - values.keys()) & {"Person ID", "Person Key", "Role"}:
            by_key = OpportunityPersonRole.objects.filter(
                opportunity=parent, person_id=person_id, person_key=person_key, role=values["Role"] or ""
            ).first()
        record = by_id or by_guid or by_key or OpportunityPersonRole()
        if record.pk:
            self.seen(number, ("pk", record.pk))
        self.seen_role(number, row, record, values, parent)
        if bad or ("Opportunity" in row and not parent) or (record._state.adding and "Role" not in row):
            raise Refused
        if parent:
            values["Opportunity"] = parent
        return self.saved(record, (by_id, by_guid, by_key), values)

    def seen_role(self, number: int, row: dict[str, str], record: Any, values: dict[str, Any], parent: Any) -> None:
        """The key that the record will have, if all of it can be read."""
        names = {"Person ID": "person_id", "Person Key": "person_key", "Role": "role"}
        if any(name in row and name not in values for name in names) or ("Opportunity" in row and parent is None):
            return
        now = [(values[name] if name in values else getattr(record, field)) or "" for name, field in names.items()]
        of = parent.pk if parent else record.opportunity_id
        if of and bool(now[0]) != bool(now[1]):
            self.seen(number, ("role", of, *now))

    def saved(self, record: Any, found: tuple[Any, ...], values: dict[str, Any]) -> str:
        """Set what the row says, and let the model judge it."""
        new = record._state.adding
        if len({each.pk for each in found if each}) > 1:
            raise Refused
        for name, kept in (("Marketo ID", record.marketo_id), ("Marketo GUID", record.marketo_guid)):
            if kept and values.get(name) and values[name] != kept:
                raise Refused
        before = self.content(record)
        for name, value in values.items():
            if name not in ("Marketo ID", "Marketo GUID") or value is not None:
                self.assign(record, self.columns[name], value)
        if self.kind == "opportunities":
            self.tidy(record, {} if new else before)
        record.full_clean()
        record.save()
        if not new:  # Saving leaves what Marketo gives alone; an import writes it.
            given = {"marketo_id": record.marketo_id, "marketo_guid": record.marketo_guid}
            type(record).objects.filter(pk=record.pk).update(**given)
        after = self.content(type(record).objects.get(pk=record.pk))
        return "new" if new else "unchanged" if before == after else "changed"

    @staticmethod
    def content(record: Any) -> dict[str, Any]:
        """All that a file can set."""
        return {
            field.attname: getattr(record, field.attname)
            for field in record._meta.concrete_fields
            if field.name in ("marketo_id", "marketo_guid") or field.name in record.content_fields
        }

    @staticmethod
    def tidy(record: Any, before: dict[str, Any]) -> None:
        """Refuse new names of spaces, and new keys with a space at an end or with what nobody sees."""
        key = record.external_id or ""
        if (key != drop_unseen(key).strip() and key != before.get("external_id")) or not record.name.strip():
            raise Refused

    @staticmethod
    def assign(record: Any, column: Any, value: Any) -> None:
        if isinstance(column, CustomColumn):
            others = {name: text for name, text in record.custom_attributes.items() if name != column.name}
            record.custom_attributes = {**others, **({column.name: str(value)} if value is not None else {})}
            return
        field = record._meta.get_field(column.field)
        setattr(record, column.field, "" if value is None and not field.null else value)


@pytest.fixture(autouse=True)
def here():
    """Records that the files meet; external IDs of some look like Marketo IDs of others."""
    for kind in ("Opportunity", "OpportunityPersonRole"):
        CustomField.objects.create(kind=kind, name="Score", data_type="integer")
    first = factories.opportunity(
        external_id="A",
        marketo_id=5,
        marketo_guid="dff-5",
        name="Deal A",
        stage="Won",
        amount=5,
        custom_attributes={"Score": "5"},
    )
    second = factories.opportunity(external_id="B", name="x", company_key="acme", probability=80, is_won=True)
    factories.opportunity(
        external_id=None, marketo_id=6, marketo_guid="dff-6", name="x", company_id=7, fiscal_quarter=1
    )
    factories.opportunity(external_id="6", name="x")
    factories.role(first, role="Boss", marketo_id=5, is_primary=True)
    factories.role(first, role="Buyer", marketo_id=6, marketo_guid="dff-6")
    factories.role(second, role="Boss", marketo_guid="dff-5")
    factories.role(second, role="Buyer", person_key="k", custom_attributes={"Score": "5"})


OPPORTUNITY = (
    *("Name", "Stage", "Amount", "Probability", "Quantity", "CloseDate", "IsWon", "FiscalQuarter", "FiscalYear"),
    *("ExternalCreatedDate", "Company ID", "Company Key", "Score"),
)
ROLE = ("Opportunity", "Person ID", "Person Key", "Role", "IsPrimary", "ExternalCreatedDate", "Score")


KINDS = {
    "opportunities": files("Marketo ID", "Marketo GUID", "External ID", *OPPORTUNITY).filter(
        lambda rows: bool({"Marketo ID", "Marketo GUID", "External ID"} & set(rows[0]))
    ),
    "roles": files("Marketo ID", "Marketo GUID", *ROLE).filter(
        lambda rows: bool({"Marketo ID", "Marketo GUID"} & set(rows[0])) or {"Opportunity", "Role"} <= set(rows[0])
    ),
}


def agree(kind: str, rows: list[dict[str, str]]) -> None:
    expected = Reference(kind, rows).outcomes()
    if not expected:
        return  # Nothing but blank rows: no file.
    # A model instance has the value that a cell gives, the empty one too.
    assert outcomes(checked(kind, as_text(rows), blank_clears=list(rows[0]))) == expected


@rounds
@given(files("External ID", *OPPORTUNITY).filter(lambda rows: "External ID" in rows[0]))
def test_opportunities_by_our_key(rows):
    agree("opportunities", rows)


@rounds
@given(KINDS["opportunities"])
@example([{"Marketo ID": "7", "External ID": "B"}])
def test_opportunities_by_both_keys(rows):
    agree("opportunities", rows)


@rounds
@given(KINDS["roles"])
def test_roles(rows):
    agree("roles", rows)


@rounds
@example(("roles", [{"Marketo ID": "5", "Opportunity": "B", "Person ID": "19", "Role": ""}]))
@given(st.sampled_from(sorted(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind])))
def test_what_the_check_lets_through_can_be_written(file):
    kind, rows = file
    if not any(cell.strip() for row in rows for cell in row.values()):
        return
    with transaction.atomic():
        found = imported(kind, as_text(rows))
        assert found.written == {"created": found.counts["new"], "changed": found.counts["changed"], "left": 0}
        again = outcomes(checked(kind, as_text(rows)))
        good = [number for number, outcome in outcomes(found).items() if outcome != "error"]
        assert {again[number] for number in good} <= {"unchanged"}
        transaction.set_rollback(True)
