"""A bulk edit of 100,000 opportunities beside the form's own save, and beside one bare UPDATE with its history rows.

    python bench/bulk.py [--records 100000] [--sample 300] [--database postgres://user@host:5432/postgres]

Without ``--database`` it fills a temporary SQLite file. With it, it makes a database on that server and drops it at the
end. The bulk edit counts from the frozen list to the last record: its plan and the change. docs/performance.md explains
the figures. Exit code 1 if it is less than ten times as fast as the form, takes more than three times as long as the
bare UPDATE, or needs more than 50 MB above an idle process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.surroundings import ROOT, surroundings  # noqa: E402

TIMES_THE_FORM, TIMES_BARE, MEGABYTES = 10, 3, 50


def main() -> int:
    """Fill, measure, tell; returns the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=300, help="records that are saved by the form")
    parser.add_argument("--database", default="", help="a PostgreSQL to measure on (default: a temporary SQLite file)")
    options = parser.parse_args()
    with surroundings(options.database):
        from bench.records import opportunities

        opportunities(options.records)
        by_form = _time(lambda: _save_forms(options.sample)) / options.sample
        _settle()
        bare = _time(lambda: _update_bare("Bare one"))
        _settle()
        found = _edit_in_bulk()
        _settle()
        bare = (bare + _time(lambda: _update_bare("Bare two"))) / 2
        return _tell(options.records, by_form, bare, found)


def _time(work: Callable[[], None]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _settle() -> None:
    """Have PostgreSQL clear away what the measurement before has left."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _save_forms(count: int) -> None:
    """Save records one by one, as the page of one record does: locked, by its form, as an edit."""
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.test import RequestFactory

    from mobjects.db.edit_context import edit
    from mobjects.models import EditSource, Opportunity

    request = RequestFactory().post("/")
    request.user = User.objects.create_superuser("boss")
    page = admin.site.get_model_admin(Opportunity)
    for pk in Opportunity.objects.order_by("pk").values_list("pk", flat=True)[:count]:
        with edit(EditSource.FORM, request.user):
            record = Opportunity.objects.select_for_update().get(pk=pk)
            form_class = page.get_form(request, record, change=True)
            shown = form_class(instance=record)
            data = {}
            for bound in shown:
                now = bound.value()
                data[bound.html_name] = data[bound.html_initial_name] = "" if now is None else now
            data["stage"] = "By form"
            form = form_class(data, instance=record)
            if not form.is_valid():
                raise RuntimeError(str(form.errors))
            page.save_model(request, form.save(commit=False), form, change=True)


def _update_bare(stage: str) -> None:
    """One statement; the triggers write the rows of the history."""
    from mobjects import clock
    from mobjects.db.edit_context import edit
    from mobjects.models import EditSource, Opportunity

    with edit(EditSource.BULK, username="bare", reference=stage):
        Opportunity.objects.update(stage=stage, modified_at=clock.now())


def _edit_in_bulk() -> dict[str, float]:
    """Ask for it here, as a page does, and have a process of its own do it, as a worker does."""
    from django.contrib.auth.models import User

    from mobjects.bulk_edits import service
    from mobjects.bulk_edits.operations import Do, EditOperation
    from mobjects.models import Opportunity

    user = User.objects.get(username="boss")
    before = time.perf_counter()
    asked = service.ask_bulk_edit(Opportunity.objects.all(), "", user)
    service.choose_operation(asked, EditOperation(Do.SET, "Stage", value="In bulk"))
    frozen = time.perf_counter() - before
    code = f"from bench import bulk; bulk.work({asked.pk})"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    if Opportunity.objects.exclude(stage="In bulk").exists():
        raise RuntimeError("the bulk edit left records out")
    return {"frozen": frozen, **json.loads(done.stdout)}


def work(pk: int) -> None:
    """Plan and make a bulk edit; write how long that took, and how much memory above idle."""
    from django.contrib.auth.models import User

    from mobjects.bulk_edits import service
    from mobjects.models import BulkEdit

    asked = BulkEdit.objects.get(pk=pk)
    idle = _memory("VmRSS")
    found = {"planned": _time(lambda: service.run_bulk_edit(pk))}
    asked.refresh_from_db()
    service.confirm_bulk_edit(asked, asked.plan, User.objects.get(username="boss"))
    found["changed"] = _time(lambda: service.run_bulk_edit(pk))
    found["megabytes"] = (_memory("VmHWM") - idle) / 1024
    sys.stdout.write(json.dumps(found))


def _memory(name: str) -> int:
    """What the process has of memory, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _tell(records: int, by_form: float, bare: float, found: dict[str, float]) -> int:
    whole = found["frozen"] + found["planned"] + found["changed"]
    faster, slower = by_form * records / whole, whole / bare
    sys.stdout.write(
        f"form: {1 / by_form:,.0f} records/s; bare UPDATE with history: {bare:.1f} s, {records / bare:,.0f} records/s\n"
        f"bulk edit of {records:,}: {whole:.1f} s, {records / whole:,.0f} records/s (frozen {found['frozen']:.1f} s, "
        f"planned {found['planned']:.1f} s, changed {found['changed']:.1f} s)\n"
        f"{faster:.1f} times as fast as the form, {slower:.2f} times a bare UPDATE, "
        f"{found['megabytes']:.0f} MB above idle\n"
    )
    good = faster >= TIMES_THE_FORM and slower <= TIMES_BARE and found["megabytes"] <= MEGABYTES
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
