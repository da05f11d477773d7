"""Whether an upgrade keeps every value: a filled database of an earlier build (migration 0021) is brought to this one.

    python bench/upgrade.py [--records 5000] [--database postgres://user@host:5432/postgres]

Without ``--database`` it fills a temporary SQLite file. With it, it makes a database on that server and drops it at the
end. It tells how long the migration took, and names each table and column whose rows are not as before. Exit code 1 if
there is one.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.surroundings import temporary_database  # noqa: E402

EARLIER = ("mobjects", "0021_daily_figures")
CHUNK = 1_000

Digests = dict[str, dict[str, tuple[int, str]]]
"""By table and column: how many rows, and a digest of all values in the order of ids."""


def main() -> int:
    """Fill, migrate, compare; returns the exit code."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--database", default="", help="a server's address; default: a temporary SQLite file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, temporary_database(asked.database, Path(folder)) as address:
        os.environ |= {
            "DATABASE_URL": address,
            "DJANGO_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "marketo_admin.settings_test",
        }
        import django

        django.setup()
        lost = upgrade(asked.records)
        from django.db import connection

        connection.close()
    sys.stdout.write("\n".join(lost or ["Every value is as it was."]) + "\n")
    return 1 if lost else 0


def upgrade(records: int) -> list[str]:
    """Make the database of the earlier build, fill it, bring it to this build; returns what is not as before."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate([EARLIER, ("auth", "0012_alter_user_first_name_max_length")])
    fill(MigrationExecutor(connection).loader.project_state([EARLIER]).apps, records)
    before = digest_tables()
    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    rows = sum(next(iter(columns.values()))[0] for columns in before.values())
    sys.stdout.write(f"{rows} rows, migrated in {time.perf_counter() - started:.1f} s\n")
    after = digest_tables(before)
    gone = [f"{table}.{column}" for table in before for column in before[table] if column not in after[table]]
    sys.stdout.write(f"Columns that this build does without: {', '.join(gone) or 'none'}\n")
    return [
        f"{table}.{column}: {count} rows before, {after[table][column][0]} after, or other values"
        for table, columns in before.items()
        for column, (count, digest) in columns.items()
        if column in after[table] and after[table][column] != (count, digest)
    ]


def digest_tables(names: Iterable[str] = ()) -> Digests:
    """Tables, column by column: all of ours, or those named."""
    from django.db import connection

    found: Digests = {}
    with connection.cursor() as cursor:
        ours = [name for name in connection.introspection.table_names(cursor) if name.startswith("mobjects_")]
        for table in names or ours:
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [each[0] for each in cursor.description]
            place_of_id = columns.index("id") if "id" in columns else 0
            rows = sorted(cursor.fetchall(), key=lambda row: row[place_of_id])
            found[table] = {
                column: (len(rows), hashlib.sha256(repr([row[place] for row in rows]).encode()).hexdigest())
                for place, column in enumerate(columns)
            }
    return found


STATUSES = ("CREATED", "UPDATED", "FAILED", "SKIPPED", "UNKNOWN", "")


def fill(apps: Any, records: int) -> None:
    """Programs with costs and tags, opportunities, roles, and a history with results, edits and an import."""
    fill_programs(apps, records // 10)
    deals = make(
        apps,
        "Opportunity",
        (
            {"external_id": f"E-{n}", "name": f"Größe {n} 서울", "stage": "Won", "amount": n, **engine_state(n)}
            | {"custom_attributes": {"Months": n}}
            for n in range(records)
        ),
    )
    roles = ({"opportunity": deal, "person_id": 7, "role": "Buyer", **engine_state(n)} for n, deal in enumerate(deals))
    make(apps, "OpportunityPersonRole", roles)
    fill_history(apps, deals)


def make(apps: Any, name: str, rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Rows of a model as the earlier build knew it."""
    model = apps.get_model("mobjects", name)
    return list(model.objects.bulk_create((model(**row) for row in rows), batch_size=CHUNK))


def engine_state(number: int) -> dict[str, Any]:
    """What the engine knows of a record, in every combination."""
    status = STATUSES[number % 6]
    return {
        "revision": number % 4 + 1,
        "synced_revision": number % 3,
        "answered_revision": number % 4,
        "last_status": status,
        "last_error": f"Stage “{number}” is not allowed" if status == "FAILED" else "",
        "accepted": {"Name": f"Before {number}", "서울": "값"} if number % 3 else {},
    }


def fill_programs(apps: Any, count: int) -> None:
    """Each with a cost and a tag."""
    rows = (
        {"marketo_id": 1001 + n, "name": f"Program {n}", "channel": "Webinar"} | engine_state(n) for n in range(count)
    )
    programs = make(apps, "Program", rows)
    make(apps, "ProgramCost", ({"program": each, "month": "2026-06-01", "amount": "1500.50"} for each in programs))
    make(apps, "ProgramTag", ({"program": each, "type": "Region", "value": "EMEA"} for each in programs))


def fill_history(apps: Any, deals: list[Any]) -> None:
    """A job of one batch with a result for each deal, an edit of each, an import."""
    from django.contrib.auth.models import User

    asked = {"kind": "Opportunity", "state": "problems", "selection": {}, "counts": {"CREATED": 1}}
    (job,) = make(apps, "SyncJob", [{**asked, "user": user_of(apps, User.objects.create_user("alice"))}])
    sent = {"sequence": 1, "kind": "Opportunity", "operation": "INSERT", "size": 2, "state": "answered"}
    (batch,) = make(apps, "SyncBatch", [{"job": job, **sent}])
    results = (
        {"job": job, "batch": batch, "kind": "Opportunity", "record_id": deal.pk, "label": deal.name, "revision": 1}
        | {"status": STATUSES[n % 5], "error": f"Stage “{n}” is not allowed" if n % 5 == 2 else ""}
        | {"diff": [["Stage", "Open", "Won"]]}
        for n, deal in enumerate(deals)
    )
    make(apps, "SyncResult", results)
    edits = (
        {"kind": "Opportunity", "record_id": deal.pk, "label": deal.name, "changes": ["stage"]}
        | {"source": "form", "username": "alice"}
        for deal in deals
    )
    make(apps, "RecordEdit", edits)
    uploaded = {"kind": "opportunities", "state": "committed", "username": "alice", "file_name": "deals.csv"}
    make(apps, "Import", [{**uploaded, "size": 2048, "sha256": "ab" * 32}])


def user_of(apps: Any, user: Any) -> Any:
    """The same person, as the earlier build knew people."""
    return apps.get_model("auth", "User").objects.get(pk=user.pk)


if __name__ == "__main__":
    sys.exit(main())
