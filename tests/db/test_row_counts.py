"""Counts are exact while they are small, and say so where they are not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.template import Context, Template

from mobjects import selectors
from mobjects.db.row_counts import EXACT_UP_TO, RowCount, count_rows
from mobjects.models import Kind, Opportunity, Program
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_estimate_says_so():
    assert [RowCount(1234).words, str(RowCount(1234, about=True)), RowCount(5) + 0] == ["1,234", "about 1,234", 5]
    # As the theme's templates show it.
    shown = Template("{% load i18n %}{% blocktranslate with n as total %}{{ total }} results{% endblocktranslate %}")
    assert shown.render(Context({"n": RowCount(1234, about=True)})) == "about 1,234 results"


def test_states_are_counted_by_kind_in_one_query(django_assert_num_queries):
    factories.opportunity()
    factories.opportunity()
    Opportunity.objects.filter(pk=factories.opportunity().pk).update(last_status="FAILED", answered_revision=1)
    with django_assert_num_queries(1):
        found = selectors.state_counts([Kind.OPPORTUNITY, Kind.ROLE])
    assert {state: number for state, number in found[Kind.OPPORTUNITY].items() if number} == {"never": 2, "failed": 1}
    assert not any(found[Kind.ROLE].values())
    assert selectors.state_counts([]) == {}


def test_many_rows_are_estimated_on_postgresql_and_counted_on_sqlite(django_assert_max_num_queries):
    number = EXACT_UP_TO + 500
    Program.objects.bulk_create(Program(name=f"P{each}", marketo_id=each + 1) for each in range(number))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with django_assert_max_num_queries(4):
        whole = count_rows(Program.objects.all())
        never = selectors.state_counts([Kind.PROGRAM])[Kind.PROGRAM]["never"]
    estimated = connection.vendor == "postgresql"
    for count in (whole, never):
        assert count.about is estimated
        assert abs(count - number) <= (number / 10 if estimated else 0)
