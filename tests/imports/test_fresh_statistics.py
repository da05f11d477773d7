"""What looks at a whole import stays quick where the database's statistics know of other imports only.

PostgreSQL then expects a row or two, and a join of two such parts looks at every pair.
"""

from __future__ import annotations

import pytest
from django.db import connection

from mobjects.imports import duplicates, error_file
from mobjects.imports.writing import commit
from mobjects.models import Import, ImportChange, ImportRow
from tests.imports import rows

pytestmark = pytest.mark.django_db

ROWS = 12_000
PATIENCE = "1500ms"
"""All pairs take much longer, all rows one by one a tenth of it."""


def filled(*, keys: int, written: int) -> Import:
    """A checked import of new records with so many different keys, of which the first ones were written."""
    imported = rows.checked("opportunities", committed_to=ROWS + 1, rows=ROWS)
    ImportRow.objects.bulk_create(
        ImportRow(imported=imported, number=number, outcome="new", key=f"K-{number % keys}", data={"name": "x" * 600})
        for number in range(2, ROWS + 2)
    )
    ImportChange.objects.bulk_create(
        ImportChange(
            imported=imported,
            number=number,
            record_id=number,
            owner_kind="Opportunity",
            owner_id=number,
            created=True,
            revision=1,
        )
        for number in range(2, written + 2)
    )
    return imported


@pytest.fixture(autouse=True)
def known():
    filled(keys=ROWS, written=ROWS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def be_quick() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # What the planner takes anyway most of the time, but not each time.
            cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")


def test_rows_that_mean_the_same_are_found():
    imported = filled(keys=ROWS // 2, written=0)
    be_quick()
    duplicates.mark_duplicates(imported.pk, "opportunity", [duplicates.UniqueRule("key", "External ID", 1)])
    assert imported.found_problems.count() == imported.found.filter(outcome="error").count() == ROWS
    assert (
        imported.found_problems.get(number=2).rule == f"rows 2 and {2 + ROWS // 2} mean the same opportunity; keep one."
    )


def test_rows_that_were_not_written_are_found():
    imported = filled(keys=ROWS, written=ROWS - 1)
    be_quick()
    assert [row.number for row in commit.unwritten_rows(imported)] == [ROWS + 1]
    Import.objects.filter(pk=imported.pk).update(checked_at=imported.created_at)
    imported.refresh_from_db()
    assert error_file.has_error_rows(imported)
