"""Counts are exact while they are small, and say so where they are not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.template import Context, Template

from mobjects.db.row_counts import EXACT_UP_TO, RowCount, count_rows
from mobjects.models import Program

pytestmark = pytest.mark.django_db


def test_an_estimate_says_so():
    assert [RowCount(1234).words, str(RowCount(1234, about=True)), RowCount(5) + 0] == ["1,234", "about 1,234", 5]
    # As the theme's templates show it.
    shown = Template("{% load i18n %}{% blocktranslate with n as total %}{{ total }} results{% endblocktranslate %}")
    assert shown.render(Context({"n": RowCount(1234, about=True)})) == "about 1,234 results"


def test_many_rows_are_estimated_on_postgresql_and_counted_on_sqlite(django_assert_max_num_queries):
    number = EXACT_UP_TO + 500
    Program.objects.bulk_create(Program(name=f"P{each}", marketo_id=each + 1) for each in range(number))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with django_assert_max_num_queries(2):
        count = count_rows(Program.objects.all())
    estimated = connection.vendor == "postgresql"
    assert count.about is estimated
    assert abs(count - number) <= (number / 10 if estimated else 0)
