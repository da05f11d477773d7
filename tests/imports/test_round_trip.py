"""What is exported can be imported again and changes nothing, whatever the values are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobjects.exports import service
from mobjects.exports.formats import CsvFormat, XlsxFormat
from mobjects.marketo.types import DataType
from mobjects.marketo.value_text import find_xml_problem, to_text
from mobjects.models import CustomField, Opportunity, OpportunityPersonRole, Program, ProgramCost, ProgramTag
from mobjects.resources import RESOURCES
from tests.imports.running import checked, written

pytestmark = pytest.mark.django_db

TRICKY = [
    "서울 기회",
    "🎉",
    'a "b", c',
    "x\ny",
    "=1+1",
    "''=1",
    "Deal;=6*7;x",
    "a|'+1",
    "-5",
    "'tis",
    " x ",
    " ",
    "00123",
    "#N/A",
    "_x0041_",
    "<&>;\t",
]
ids = st.integers(1, 2**31 - 1)
money = st.decimals(min_value=0, max_value=Decimal("9999999999999.99"), places=2)
days = st.dates()
moments = st.datetimes(datetime(1000, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))
characters = st.characters(exclude_categories=["Cs"]).filter(lambda character: find_xml_problem(character) is None)


def texts(least=0, most=40):
    return st.sampled_from(TRICKY) | st.text(characters, min_size=least, max_size=most).map(
        lambda text: text.replace("\r", "\n")
    )


rounds = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check(kind):
    """Export, import, and see nothing change: by what the check found, and in the database."""
    model = RESOURCES[kind]._meta.model
    before = list(model.objects.order_by("pk").values())
    for file_format in (CsvFormat(), XlsxFormat()):
        made = service.export_records(kind, model.objects.order_by("pk"), file_format, service.DownloadUser("tester"))
        imported = checked(b"".join(made.pieces), f"in.{file_format.extension}", kind)
        assert list(imported.found_problems.values_list("column", "value", "rule")) == []
        assert list(imported.found.values_list("outcome", flat=True)) == ["unchanged"] * len(before)
        written(imported)
        assert not imported.changes.exists()
        assert list(model.objects.order_by("pk").values()) == before


def start_afresh():
    Opportunity.objects.all().delete()
    Program.objects.all().delete()


def make_programs(rows):
    return [
        Program.objects.create(marketo_id=number, name=name, **rest) for number, (name, rest) in enumerate(rows, 1001)
    ]


program_rows = st.lists(
    st.tuples(texts(1), st.fixed_dictionaries({name: texts() for name in ("type", "workspace", "channel")})),
    min_size=1,
    max_size=3,
)


@rounds
@given(program_rows)
def test_programs(rows):
    start_afresh()
    make_programs(rows)
    check("programs")


@rounds
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "month": days.map(lambda day: day.replace(day=1)),
                "amount": money,
                "note": texts(0, 200),
                "marketo_cost_id": st.none() | st.integers(1, 10**9),
            }
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda cost: cost["marketo_cost_id"] or object(),
    )
)
def test_program_costs(costs):
    start_afresh()
    (program,) = make_programs([("p", {})])
    for cost in [*costs, {**costs[0], "marketo_cost_id": None}, {**costs[0], "marketo_cost_id": None}]:
        ProgramCost.objects.create(program=program, **cost)
    check("program-costs")


@rounds
@given(
    st.dictionaries(
        texts(1).filter(lambda text: text.casefold() != "channel"), texts(1), min_size=1, max_size=4
    ).filter(lambda tags: len({name.lower() for name in tags}) == len(tags))
)
def test_program_tags(tags):
    start_afresh()
    (program,) = make_programs([("p", {})])
    for name, value in tags.items():
        ProgramTag.objects.create(program=program, type=name, value=value)
    check("program-tags")


opportunity_values = st.fixed_dictionaries(
    {
        "name": texts(1),
        "description": texts(0, 300),
        "stage": texts(),
        "amount": st.none() | money | money.map(lambda amount: -amount),
        "quantity": st.none() | st.decimals(-(10**6), 10**6, places=4),
        "probability": st.none() | st.integers(0, 100),
        "close_date": st.none() | days,
        "is_won": st.none() | st.booleans(),
        "external_created_date": st.none() | moments,
        "last_activity_date": st.none() | st.just(date(1, 1, 1)),
    }
)
companies: st.SearchStrategy[dict[str, Any]] = (
    st.just({}) | st.fixed_dictionaries({"company_id": ids}) | st.fixed_dictionaries({"company_key": texts(1)})
)
keys = st.tuples(st.none() | texts(1), st.none() | ids).filter(any)


@rounds
@given(
    st.lists(st.tuples(keys, opportunity_values, companies), min_size=1, max_size=3),
    texts(1),
    st.integers(0, 9),
    money,
)
def test_opportunities(rows, text, number, amount):
    start_afresh()
    CustomField.objects.all().delete()
    custom = {"Words": (DataType.STRING, text), "Count": (DataType.INTEGER, number), "Fee": (DataType.CURRENCY, amount)}
    for name, (kind, _) in custom.items():
        CustomField.objects.create(name=name, data_type=kind.value)
    for index, ((external_id, marketo_id), values, company) in enumerate(rows):
        Opportunity.objects.create(
            external_id=external_id and f"{external_id}{index}",
            marketo_id=marketo_id and marketo_id // 8 * 4 + index + 1,
            custom_attributes={name: to_text(value) for name, (_, value) in custom.items()},
            **values,
            **company,
        )
    check("opportunities")


@rounds
@given(
    st.lists(
        st.tuples(
            st.fixed_dictionaries({"person_id": ids}) | st.fixed_dictionaries({"person_key": texts(1)}),
            texts(),
            st.none() | st.booleans(),
            st.none() | moments,
        ),
        min_size=1,
        max_size=3,
    ),
    texts(1).filter(lambda key: key != "8"),
)
def test_roles(rows, key):
    start_afresh()
    parents = [
        Opportunity.objects.create(name="by key", external_id=key),
        Opportunity.objects.create(name="by number", marketo_id=7),
        Opportunity.objects.create(name="looks the same", external_id="8", marketo_id=9),
        Opportunity.objects.create(name="by number that is a key elsewhere", marketo_id=8),
    ]
    for index, (person, role, is_primary, moment) in enumerate(rows):
        for parent in parents:
            OpportunityPersonRole.objects.create(
                opportunity=parent,
                role=f"{role}{index}",
                marketo_id=100 + index if parent is parents[0] else None,
                is_primary=is_primary,
                external_created_date=moment,
                **person,
            )
    check("roles")
