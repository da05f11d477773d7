"""Opportunities to send, each with 19 attributes and an external key, which goes out as the twentieth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import connection

from mobjects.db.edit_context import edit
from mobjects.models import EditSource, Opportunity

BATCH = 100


def opportunities(count: int, *, after: int = 0) -> list[int]:
    """Make changed opportunities; returns their ids."""
    made: list[int] = []
    for start in range(after, after + count, 2000):
        rows = [_opportunity(number) for number in range(start, min(start + 2000, after + count))]
        made += [row.pk for row in Opportunity.objects.bulk_create(rows)]
    return made


def many_opportunities(count: int) -> None:
    """Make changed opportunities by one statement, which copies the first of them: a million in half a minute or so."""
    (first,) = opportunities(1)
    own = {"external_id": "'E-' || number", "name": "'Renewal ' || number"}
    fields = [each for each in Opportunity._meta.concrete_fields if not (each.primary_key or each.generated)]
    columns = ", ".join(each.column for each in fields)
    values = ", ".join(own.get(each.column, each.column) for each in fields)
    with edit(EditSource.IMPORT), connection.cursor() as cursor:  # Whose values the import keeps, not the triggers.
        cursor.execute(
            f"INSERT INTO {Opportunity._meta.db_table} ({columns}) WITH RECURSIVE numbers(number) AS "
            "(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s) "
            f"SELECT {values} FROM numbers, {Opportunity._meta.db_table} WHERE id = %s",
            [count - 1, first],
        )


def _opportunity(number: int) -> Opportunity:
    return Opportunity(
        external_id=f"E-{number:07}",
        name=f"Renewal {number}",
        description="Three years, with support; the customer asked for a price in writing.",
        type="Existing business",
        stage="Negotiation",
        amount=Decimal("12500.50") + number,
        expected_revenue=Decimal("10000.00") + number,
        probability=number % 101,
        quantity=Decimal("12.5000"),
        close_date=date(2026, 12, 1 + number % 28),
        is_closed=False,
        is_won=False,
        fiscal="FY26",
        fiscal_quarter=1 + number % 4,
        fiscal_year=2026,
        forecast_category_name="Best case",
        lead_source="Web",
        next_step="Call the buyer",
        external_created_date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        last_activity_date=date(2026, 11, 1 + number % 28),
    )
