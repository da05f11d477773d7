"""A history of two years in a PostgreSQL database, written by SQL alone, and as fast as that goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from bench import pages_fill
from mobjects.models import SyncBatch, SyncJob, SyncResult

SECONDS = 2 * 365 * 86400
CALLS = 4
"""Batches of each job."""
CALL = 300
"""Results of each batch, as many as Marketo takes over REST."""


def fill_history(jobs: int, records: int) -> int:
    """Put so many jobs of four full calls each in the place of the history, evenly over two years.

    Args:
        jobs: how many.
        records: so many opportunities there are; the results go round them.

    Returns:
        How many results there are now.
    """
    batches, results = jobs * CALLS, jobs * CALLS * CALL
    tables = [model._meta.db_table for model in (SyncJob, SyncBatch, SyncResult)]
    with bare_tables(tables):
        pages_fill.insert_jobs(jobs, planned=CALLS * CALL, seconds=seconds_ago(jobs))
        of_job = f"((n - 1) / {CALLS} + 1)"
        pages_fill.insert_batches(batches, of_job, sequence=f"(n - 1) % {CALLS} + 1", seconds=seconds_ago(batches))
        of_job, of_batch = f"((n - 1) / {CALLS * CALL} + 1)", f"((n - 1) / {CALL} + 1)"
        record = f"(n - 1) % {records} + 1"
        pages_fill.insert_results(results, of_job, of_batch, record=record, seconds=seconds_ago(results))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return results


def seconds_ago(rows: int) -> str:
    """SQL for how long ago row ``n`` was made."""
    return f"({rows} - n) * {SECONDS} / {rows}"


@contextmanager
def bare_tables(tables: list[str]) -> Iterator[None]:
    """Empty tables without triggers, foreign keys and further indexes; with them again afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS "
            "(SELECT 1 FROM pg_constraint WHERE conindid = format('%%I', indexname)::regclass)",
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("SET session_replication_role = replica")
        for table in tables:
            cursor.execute(f'DELETE FROM "{table}"')
        cursor.execute("SET maintenance_work_mem = '1GB'")
        yield
        cursor.execute("RESET session_replication_role")
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
