"""A database as it is after years: a million opportunities, and all that became of them; written by SQL alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import connection, models

from bench.surroundings import unlocked_history
from mobjects.marketo.types import Kind

JOBS = 2000
JOB_ID = "00000000-0000-4000-8000-"
NEWEST = "2026-11-28 08:00:00"
KIND = f"'{Kind.OPPORTUNITY.value}'"


def fill(rows: int) -> None:
    """Write so many opportunities, results and edits each, a tenth as many roles, and the jobs and batches of it.

    One opportunity in a hundred was changed since Marketo accepted it, one in a thousand failed and one in ten thousand
    was skipped; the result of a record stands in one of the jobs.
    """
    jobs = min(JOBS, rows // 10)
    fill_records(rows)
    insert_jobs(jobs, planned=rows // jobs, seconds=f"({jobs} - n) * 600")
    insert_batches(jobs, "n", sequence="1", seconds=f"({jobs} - n) * 600")
    of_job = f"((n - 1) * {jobs} / {rows} + 1)"
    insert_results(rows, of_job, of_job, record="n", seconds="n")
    with unlocked_history(), connection.cursor() as cursor:
        cursor.execute('DELETE FROM "mobjects_recordedit"')  # What triggers kept of the rows above.
    _insert("RecordEdit", rows, _edit())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if _on_postgresql() else "ANALYZE")


def fill_records(rows: int) -> None:
    """Write so many opportunities, a tenth as many roles and 1,000 programs, as :func:`fill` does."""
    _insert("Opportunity", rows, _opportunity())
    _insert("OpportunityPersonRole", rows // 10, _role())
    _insert("Program", 1000, _program())


def insert_jobs(jobs: int, *, planned: int, seconds: str) -> None:
    """Write jobs that succeeded.

    Args:
        jobs: how many; their numbers ``n`` count from 1.
        planned: records of each.
        seconds: SQL for how long ago a job ``n`` was.
    """
    at = {name: _ago(seconds) for name in ("created_at", "queued_at", "started_at", "finished_at")}
    counts = _json({"UPDATED": planned})
    _insert("SyncJob", jobs, {"id": _job("n"), **_JOB, "counts": counts, "planned": str(planned), **at})


def insert_batches(batches: int, of_job: str, *, sequence: str, seconds: str) -> None:
    """Write batches that were answered; ``of_job`` and ``sequence`` are SQL for the number of its job and its place."""
    sent = {name: _ago(seconds) for name in ("created_at", "sent_at", "answered_at")}
    _insert("SyncBatch", batches, {"job_id": _job(of_job), **_BATCH, "sequence": sequence, **sent})


def insert_results(rows: int, of_job: str, of_batch: str, *, record: str, seconds: str) -> None:
    """Write results; by SQL, the numbers of the job, the batch and the opportunity of each, and how long ago it was."""
    which = {"job_id": _job(of_job), "batch_id": of_batch, "record_id": record, "created_at": _ago(seconds)}
    _insert("SyncResult", rows, _result() | {"marketo_id": record, **which})


def _insert(name: str, rows: int, given: Mapping[str, str]) -> None:
    """Rows 1 to ``rows`` of a model. ``given``: SQL by column, of the number ``n``; the others get their default."""
    model: Any = apps.get_model("mobjects", name)
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = {field.column: given.get(field.column) or _default(field) for field in fields}
    columns["id"] = given.get("id", "n")
    names, values = ", ".join(f'"{column}"' for column in columns), ", ".join(columns.values())
    series = f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {rows})"
    if _on_postgresql():
        series = f"WITH series(n) AS (SELECT generate_series(1, {rows}::bigint))"
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table}" ({names}) {series} SELECT {values} FROM series')
        if _on_postgresql() and "id" not in given:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, rows])


def _default(field: models.Field[Any, Any]) -> str:
    value = field.get_default()
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, int) else _json(value) if isinstance(value, (dict, list)) else f"'{value}'"


def _json(value: object) -> str:
    return f"'{json.dumps(value)}'" + ("::jsonb" if _on_postgresql() else "")


def _on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def _ago(seconds: str) -> str:
    if _on_postgresql():
        return f"TIMESTAMPTZ '{NEWEST}+00' - ({seconds}) * INTERVAL '1 second'"
    return f"datetime('{NEWEST}', '-' || ({seconds}) || ' seconds')"


def _job(number: str) -> str:
    if _on_postgresql():
        return f"('{JOB_ID}' || lpad(({number})::text, 12, '0'))::uuid"
    return f"replace('{JOB_ID}', '-', '') || substr('000000000000' || ({number}), -12)"


def _words(choices: str) -> str:
    """One of several words, by the number."""
    words = choices.split()
    return "CASE" + "".join(f" WHEN n % {len(words)} = {at} THEN '{word}'" for at, word in enumerate(words)) + " END"


def _date() -> str:
    if _on_postgresql():
        return "DATE '2026-01-01' + (n % 365)::int"
    return "date('2026-01-01', '+' || (n % 365) || ' days')"


def _state() -> dict[str, str]:
    return {
        "revision": "CASE WHEN n % 100 = 7 OR n % 1000 = 5 OR n % 10000 = 9 THEN 2 ELSE 1 END",
        "synced_revision": "1",
        "answered_revision": "CASE WHEN n % 1000 = 5 OR n % 10000 = 9 THEN 2 ELSE 1 END",
        "last_status": "CASE WHEN n % 1000 = 5 THEN 'FAILED' WHEN n % 10000 = 9 THEN 'SKIPPED' ELSE 'UPDATED' END",
        "last_error": "CASE WHEN n % 1000 = 5 THEN 'Marketo says no: the stage is not known (1003).' ELSE '' END",
        "marketo_id": "n",
        "created_at": _ago("n"),
        "modified_at": _ago("n"),
    }


def _opportunity() -> dict[str, str]:
    return _state() | {
        "name": f"'Renewal ' || n || ' ' || {_words('Busan Seoul Incheon Daegu Ulsan Sejong Jeju')}",
        "external_id": "'E-' || n",
        "type": "'Existing business'",
        "stage": _words("Prospecting Negotiation Won Lost"),
        "amount": "n % 100000 + 0.5",
        "probability": "n % 101",
        "close_date": _date(),
        "last_synced_at": _ago("n"),
        "accepted": _json({"Name": "Renewal", "Stage": "Negotiation", "Amount": "12500.50"}),
    }


def _role() -> dict[str, str]:
    return _state() | {"opportunity_id": "n", "person_id": "n", "role": _words("Buyer Sponsor User")}


def _program() -> dict[str, str]:
    return _state() | {"name": "'Program ' || n", "channel": "'Webinar'"}


def _about_record() -> dict[str, str]:
    return {"kind": KIND, "record_id": "n", "label": "'Renewal ' || n", "created_at": _ago("n")}


def _result() -> dict[str, str]:
    return _about_record() | {
        "revision": "1",
        "position": "n % 100 + 1",
        "status": "CASE WHEN n % 1000 = 5 THEN 'FAILED' ELSE 'UPDATED' END",
        "error": "CASE WHEN n % 1000 = 5 THEN 'Marketo says no: the stage is not known (1003).' ELSE '' END",
        "marketo_id": "n",
        "sent": _json({"Name": "Renewal", "Stage": "Negotiation"}),
        "diff": _json([["Stage", "Prospecting", "Negotiation"]]),
    }


def _edit() -> dict[str, str]:
    changes = _json([["Stage", "Prospecting", "Negotiation"]])
    return _about_record() | {"source": "'form'", "username": "'olga'", "changes": changes}


_JOB = {"state": "'succeeded'", "action": "'send'", "kind": KIND, "username": "'olga'"}
_BATCH = {"kind": KIND, "operation": "'UPDATE'", "state": "'answered'", "size": "100"}
