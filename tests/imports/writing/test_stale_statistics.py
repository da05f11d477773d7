"""PostgreSQL plans by what it last saw of a table, which may be from when it was empty."""

from __future__ import annotations

import pytest
from django.db import connection

from mobjects.imports.writing import undo as undoing
from mobjects.models import ImportChange, ImportRow, Opportunity
from tests.imports.rows import checked, commit, new

pytestmark = pytest.mark.django_db

JOINED = (ImportChange, ImportRow, Opportunity)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps no statistics unless it is told to")
def test_an_undo_counts_on_what_there_is_now_not_on_what_was_seen_when_the_tables_were_emptied():
    commit(checked("opportunities", *(new(external_id=f"E-{number}", name="Q") for number in range(500))))
    for model in JOINED:
        model._default_manager.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in JOINED)}")
    imported = commit(checked("opportunities", *(new(external_id=f"E-{number}", name="Q") for number in range(500))))
    undoing.undo_import(imported, lambda done: None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [ImportChange._meta.db_table])
        assert cursor.fetchone()[0] >= 500
    assert not Opportunity.objects.exists()
