"""One build's pages on a database that is filled already: milliseconds, queries and bytes of each, and of its bare SQL.

Started by bench/pages.py, once for each build; prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = os.environ.get("BENCH_PRODUCT", str(ROOT))
"""The checkout whose pages are measured, with what this one's bench/ does."""
sys.path[0] = str(ROOT)
import bench  # noqa: E402, F401 -- from here, whatever the product

sys.path.insert(0, PRODUCT)

import django  # noqa: E402
from django.conf import settings  # noqa: E402

MARKED = 10_000
"""The deep page is so many pages from the first."""
PER_PAGE = 50


def main() -> None:
    """Migrate; fill (with ``fill ROWS``) or measure (with ``measure ROWS ROUNDS [PAGE …]``)."""
    django.setup()
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    told: dict[str, Any] = {"migrate": time.perf_counter() - began}
    if sys.argv[1] == "fill":
        from bench import pages_fill

        began = time.perf_counter()
        pages_fill.fill(int(sys.argv[2]))
        told["fill"] = time.perf_counter() - began
    else:
        _analyze()
        told["pages"] = _measure(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    sys.stdout.write(f"{json.dumps(told)}\n")


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        # What a server does by itself, in the minutes after a migration.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _measure(rows: int, rounds: int, only: Sequence[str]) -> dict[str, dict[str, float]]:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client, override_settings

    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    users = get_user_model().objects
    found: dict[str, dict[str, float]] = {}
    with override_settings(STORAGES=storages):
        client = Client()
        client.force_login(users.filter(username="bench").first() or users.create_superuser("bench"))
        for name, (fetch, bare) in _pages(client, rows).items():
            if only and name not in only:
                continue
            fetch()  # The first time loads templates.
            with connection.execute_wrapper(seen := _Queries()):
                answer = fetch()
            if answer.status_code != 200 and str(ROOT) != PRODUCT:
                continue  # An earlier build may not know how to ask for it.
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: {answer.status_code} {answer.headers.get('Location', '')}")
            found[name] = {
                "ms": _milliseconds(fetch, rounds),
                "sql": _milliseconds(partial(_run, bare), rounds),
                "cpu": _processor_milliseconds(fetch, rounds),
                "cpu_sql": _processor_milliseconds(partial(_run, bare), rounds),
                "queries": seen.count,
                "bytes": len(answer.content),
            }
    return found


class _Queries:
    """Counts what a connection executes."""

    count = 0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.count += not str(args[0]).startswith(("SAVEPOINT", "RELEASE", "BEGIN"))
        return execute(*args)


def _pages(client: Any, rows: int) -> dict[str, tuple[Callable[[], Any], str]]:
    """What fetches each page, and the SQL that reads the rows it shows."""
    from django.urls import reverse

    from bench.pages_fill import JOB_ID
    from mobjects.marketo.types import Kind

    opportunities = reverse("admin:mobjects_opportunity_changelist")
    job = f"{JOB_ID}{1:012}"
    records, results = 'SELECT * FROM "mobjects_opportunity"', 'SELECT * FROM "mobjects_syncresult"'
    deep = min(MARKED, rows // PER_PAGE // 2)
    last = rows - (deep - 1) * PER_PAGE
    selected = {"action": "sync_selected", "_selected_action": [7], "select_across": "1"}

    def get(url: str, **data: Any) -> Callable[[], Any]:
        return lambda: client.get(url, data)

    pages = {
        "dashboard": (get(reverse("admin:index")), 'SELECT * FROM "mobjects_syncjob" ORDER BY created_at DESC LIMIT 5'),
        "list": (get(opportunities), f"{records} ORDER BY id DESC LIMIT {PER_PAGE}"),
        f"page {deep:,} of the list": (
            get(opportunities, **_place(last, deep)),
            f"{records} WHERE id <= {last} ORDER BY id DESC LIMIT {PER_PAGE}",
        ),
        "list of the failed": (
            get(opportunities, state="failed"),
            f"{records} WHERE last_status = 'FAILED' AND revision > synced_revision ORDER BY id DESC LIMIT {PER_PAGE}",
        ),
        "send page of all changed": (
            lambda: client.post(f"{opportunities}?state=changed", selected),
            "SELECT id FROM mobjects_opportunity WHERE revision > synced_revision AND last_status = 'UPDATED'",
        ),
        "list of jobs": (
            get(reverse("admin:mobjects_syncjob_changelist")),
            f'SELECT * FROM "mobjects_syncjob" ORDER BY created_at DESC LIMIT {PER_PAGE}',
        ),
        "job": (
            get(reverse("admin:mobjects_syncjob_change", args=[job])),
            f"{results} WHERE job_id = '{_stored(job)}' ORDER BY id LIMIT {PER_PAGE}",
        ),
        "results": (
            get(reverse("admin:mobjects_syncresult_changelist")),
            f"{results} ORDER BY id DESC LIMIT {PER_PAGE}",
        ),
        "record": (
            get(reverse("admin:mobjects_opportunity_change", args=[rows // 2])),
            f"{records} WHERE id = {rows // 2}",
        ),
        "history of a record": (
            get(reverse("mobjects:record-history", args=[Kind.OPPORTUNITY.value, rows // 2])),
            f"{results} WHERE kind = '{Kind.OPPORTUNITY.value}' AND record_id = {rows // 2}",
        ),
    }
    return {**pages, **_of_history(get, rows, job), **_narrowed(get, rows, job)}


def _of_history(get: Callable[..., Callable[[], Any]], rows: int, job: str) -> dict[str, tuple[Callable[[], Any], str]]:
    """Lists of results and of jobs by conditions, and from places in their midst."""
    from django.urls import reverse

    from mobjects.models import SyncResult

    last = SyncResult.objects.order_by("-pk").values_list("pk", flat=True)[0]
    results, jobs = reverse("admin:mobjects_syncresult_changelist"), reverse("admin:mobjects_syncjob_changelist")
    bare = 'SELECT * FROM "mobjects_syncresult" WHERE {} ORDER BY id DESC LIMIT ' + str(PER_PAGE)
    record, of_job = f"kind = 'Opportunity' AND record_id = {rows // 2}", f"job_id = '{_stored(job)}'"
    worded = "id IN (SELECT job_id FROM mobjects_syncresult WHERE {})"
    in_jobs = f'SELECT * FROM "mobjects_syncjob" WHERE {worded} ORDER BY created_at DESC LIMIT {PER_PAGE}'
    return {
        "results, all": (get(results, status="all"), bare.format("true")),
        "results, from their midst": (get(results, status="all", after=last // 2), bare.format(f"id < {last // 2}")),
        "results, of a record": (get(results, record=rows // 2, kind="Opportunity"), bare.format(record)),
        "results, of a Marketo ID": (get(results, q=rows // 2), bare.format(f"marketo_id = {rows // 2}")),
        "results, by a name": (get(results, status="all", q="Renewal 77"), bare.format("label LIKE '%Renewal 77%'")),
        "results, by no name": (get(results, status="all", q="Nothing such"), bare.format(f"id > {last - 50_000}")),
        "results, of the oldest days": (get(results, until="2025-01-31"), bare.format(of_job)),
        "results, of a status": (get(results, status="HELD"), bare.format("status = 'HELD'")),
        "jobs, of a Marketo ID": (get(jobs, q=rows // 2), in_jobs.format(f"marketo_id = {rows // 2}")),
        "jobs, by a name": (get(jobs, q="Renewal 77 Seoul"), in_jobs.format("label LIKE '%Renewal 77 Seoul%'")),
    }


def _narrowed(get: Callable[..., Callable[[], Any]], rows: int, job: str) -> dict[str, tuple[Callable[[], Any], str]]:
    """The list of opportunities by conditions and by searches."""
    from django.urls import reverse

    opportunities, records = reverse("admin:mobjects_opportunity_changelist"), 'SELECT * FROM "mobjects_opportunity"'
    one = f"Renewal {rows // 2}"
    searches = {"many": "Renewal", "some": f"Renewal {rows // 2000} ", "one": one, "none": "Nothing such"}
    pages = {}
    for words, (condition, where) in _filters(rows, job).items():
        bare = f"{records} WHERE {where} ORDER BY id DESC LIMIT {PER_PAGE}"
        pages[f"filter, {words}"] = (get(opportunities, where=condition), bare)
    for words, term in searches.items():
        like = f"WHERE name LIKE '%{term}%' ORDER BY id DESC LIMIT {PER_PAGE}"
        bare = f"{records} {like}" if words == "many" else f"{records} WHERE id = {rows // 2 if words == 'one' else 0}"
        pages[f"search, {words}"] = (get(opportunities, q=term), bare)
    return pages


def _filters(rows: int, job: str) -> dict[str, tuple[str, str]]:
    """Conditions on the list of opportunities, and the same in SQL: some find much, some next to nothing."""
    of_edits = "kind = 'Opportunity' AND record_id = mobjects_opportunity.id"
    edited = "EXISTS (SELECT 1 FROM mobjects_recordedit WHERE {} AND username = '{}')"
    return {
        "amount, many": ("amount.from.50000", "amount >= 50000"),
        "amount, few": ("amount.is.7.5", "amount = 7.5"),
        "amount, none": ("amount.from.1000000", "amount >= 1000000"),
        "days": ("close_date.within.this-quarter", "close_date >= '2026-10-01' AND close_date < '2027-01-01'"),
        "text, many": ("name.contains.Seoul", "upper(name) LIKE '%SEOUL%'"),
        "text, none": ("name.contains.Nothing such", "upper(name) LIKE '%NOTHING SUCH%'"),
        "empty": ("next_step.filled", "next_step <> ''"),
        "errors": ("last_error.contains.stage", "upper(last_error) LIKE '%STAGE%'"),
        "job": (f"job.is.{job}", f"id IN (SELECT record_id FROM mobjects_syncresult WHERE job_id = '{_stored(job)}')"),
        "changed by, many": ("edited_by.is.olga", edited.format(of_edits, "olga")),
        "changed by, none": ("edited_by.is.nobody", edited.format(of_edits, "nobody")),
    }


def _place(last: int, page: int) -> dict[str, str]:
    """How a build's address says where a page of the list begins."""
    if (Path(PRODUCT) / "mobjects" / "views" / "keyset.py").exists():
        return {"after": str(last + 1)}
    return {"p": str(page)}


def _stored(job: str) -> str:
    from django.db import connection

    return job if connection.vendor == "postgresql" else job.replace("-", "")


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()


def _milliseconds(work: Callable[[], Any], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    # Whatever else the machine does only adds.
    return min(taken) * 1000


def _processor_milliseconds(work: Callable[[], Any], rounds: int) -> float:
    """What one of so many times takes of the processor, here and in PostgreSQL's process for us; not in its helpers."""
    from bench.surroundings import database_seconds

    began = time.process_time() + database_seconds()
    for _ in range(rounds):
        work()
    return (time.process_time() + database_seconds() - began) * 1000 / rounds


if __name__ == "__main__":
    main()
