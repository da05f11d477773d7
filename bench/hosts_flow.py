"""What happens to the hosts, what is measured meanwhile, and both sides compared at the end."""

from __future__ import annotations

import json
import sys
import threading
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.db.migrations.loader import MigrationLoader
from django.db.models import F
from django.test import Client

from bench.herd import wait_for
from bench.hosts_site import AT_ONCE, PORT, WEB, WINDOW, Site
from bench.records import opportunities
from bench.verdict import both_sides, left
from mobjects.jobs.requests import request_sync
from mobjects.models import Opportunity, SyncJob, WorkerLease
from mobjects.processes import status
from mobjects.sync.send.selection import SyncSelection

JOB_SECONDS = 240
SERVER_CUT_SECONDS = 10
PAGES = ("/admin/", "/admin/mobjects/opportunity/", "/admin/mobjects/syncjob/")
MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{leaf!r}]
    operations = [migrations.AddField("syncbatch", "later", models.IntegerField(default=7))]
"""
MODEL = '\n\nfrom django.db import models\n\nSyncBatch.add_to_class("later", models.IntegerField(default=7))\n'


@dataclass
class Phase:
    """One thing that happens, and what it cost.

    ``hosts`` are those that worked on its jobs; ``pages`` how many were read from both web hosts, ``slowest`` in
    seconds, ``failed`` how many were no page.
    """

    name: str
    seconds: float = 0.0
    hosts: list[str] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    pages: int = 0
    median: float = 0.0
    slowest: float = 0.0
    failed: int = 0


class Reader(threading.Thread):
    """A person who is signed in and reads pages of one web host after the other."""

    def __init__(self, site: Site, cookie: str) -> None:
        super().__init__(daemon=True)
        self._site, self._cookies = site, {settings.SESSION_COOKIE_NAME: cookie}
        self._over = threading.Event()
        self.read: list[tuple[float, int]] = []

    def run(self) -> None:
        """Read until asked to end."""
        number = 0
        while not self._over.wait(0.3):
            host, page = WEB[number % len(WEB)], PAGES[number // len(WEB) % len(PAGES)]
            number += 1
            began = time.monotonic()
            try:
                address = f"http://{self._site.addresses[host]}:{PORT}{page}"
                answer = requests.get(address, cookies=self._cookies, timeout=30, allow_redirects=False)
                code = answer.status_code
            except requests.RequestException:
                code = 0
            self.read.append((time.monotonic() - began, code))

    def end(self) -> None:
        """Have it end."""
        self._over.set()
        self.join()


class Flow:
    """One run.

    Args:
        site: running.
        records: new ones for each job.
        say: prints a line.
    """

    def __init__(self, site: Site, records: int, say: Callable[[str], None]) -> None:
        self._site, self._records, self._say = site, records, say
        self._made = 0
        self._jobs: list[SyncJob] = []
        self.phases: list[Phase] = []
        user = User.objects.create_superuser("admin", password=None)
        browser = Client()
        browser.force_login(user)
        self._cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Something that happens while a job about new and changed records runs, and the time until all has arrived."""
        phase, first, calls = Phase(name), len(self._jobs), self._site.sandbox.load.calls
        reader, began = Reader(self._site, self._cookie), time.monotonic()
        reader.start()
        self._hosts: set[str] = set()
        self._edit()
        self._ask()
        self._wait_until_at_work()
        yield
        self._finish()
        reader.end()
        phase.seconds = round(time.monotonic() - began, 1)
        phase.hosts = sorted(self._hosts)
        phase.calls = self._site.sandbox.load.calls - calls
        states = [SyncJob.objects.get(pk=job.pk).get_state_display() for job in self._jobs[first:]]
        phase.jobs = dict(Counter(str(state) for state in states))
        times = sorted(seconds for seconds, _ in reader.read)
        phase.pages, phase.median = len(times), round(times[len(times) // 2], 2)
        phase.slowest, phase.failed = round(times[-1], 2), sum(code != 200 for _, code in reader.read)
        self.phases.append(phase)
        self._say(_line(phase))

    def wait_for_batches(self, more: int = 2) -> None:
        """Go on once Marketo got so many calls more."""
        calls = self._site.sandbox.load.calls
        wait_for(lambda: self._look() or self._site.sandbox.load.calls >= calls + more, "calls")

    def _edit(self) -> None:
        Opportunity.objects.update(next_step=f"Step {len(self._jobs)}")
        ids = opportunities(self._records, after=self._made)
        self._made += self._records
        # A description of its own tells a double from a namesake.
        Opportunity.objects.filter(pk__in=ids).update(description=F("external_id"))

    def _ask(self) -> None:
        self._jobs.append(request_sync(SyncSelection()))

    def _wait_until_at_work(self) -> None:
        wait_for(lambda: self._look() or WorkerLease.objects.exists(), "a worker")
        self.wait_for_batches()

    def _finish(self) -> None:
        """Let the last job end, and send again what it did not deal with."""
        for _ in range(5):
            wait_for(self._is_over, "the end of the job", JOB_SECONDS)
            if not any(left().values()):
                return
            self._ask()

    def _is_over(self) -> bool:
        self._look()
        time.sleep(0.2)
        self._jobs[-1].refresh_from_db()
        return self._jobs[-1].state in SyncJob.FINAL_STATES

    def _look(self) -> bool:
        """Note who works; always ``False``."""
        self._hosts |= {process.partition(" ")[0] for process in WorkerLease.objects.values_list("process", flat=True)}
        return False


def run_flow(site: Site, asked: Namespace) -> int:
    """Do it all, print the figures; returns the exit code."""

    def say(line: str) -> None:
        if not asked.json:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    flow = Flow(site, asked.records, say)
    with flow.phase("nothing happens"):
        pass
    with flow.phase(f"a worker's host is cut off for {asked.cut:g} s"):
        site.lan.cut("worker-1")
        time.sleep(asked.cut)
        site.lan.mend("worker-1")
    for server in ("redis", "db"):
        with flow.phase(f"{server} is cut off for {SERVER_CUT_SECONDS} s"):
            site.lan.cut(server)
            time.sleep(SERVER_CUT_SECONDS)
            site.lan.mend(server)
    aside = roll_out(flow, site)
    verdict = both_sides(site.sandbox)
    load = site.sandbox.load
    report: dict[str, Any] = {
        "phases": [asdict(phase) for phase in flow.phases],
        "stepped_aside": aside,
        "calls": load.calls,
        "busiest_window": load.busiest_window,
        "most_at_once": load.most_at_once,
        **verdict,
    }
    crashed = sum(phase.jobs.get("Crashed", 0) for phase in flow.phases)
    wrong = [verdict[name] for name in ("lost", "doubled", "history", "changed", "unknown", "claimed")]
    good = not any(wrong) and not crashed and aside and load.busiest_window <= WINDOW and load.most_at_once <= AT_ONCE
    say(f"stepped aside: {', '.join(aside) or 'nobody'}")
    say(f"{load.calls} calls; at most {load.busiest_window} in 20 s, {load.most_at_once} at once")
    say(", ".join(f"{name} {value}" for name, value in verdict.items()) + f", jobs that crashed {crashed}")
    if asked.json:
        sys.stdout.write(f"{json.dumps({**report, 'good': bool(good)})}\n")
    if not good:
        sys.stderr.write(site.read_logs())
    return 0 if good else 1


def roll_out(flow: Flow, site: Site) -> list[str]:
    """Migrate to a later release while a job runs, then bring one worker's host to it; which hosts stepped aside."""
    later = site.copy_release()
    (leaf,) = MigrationLoader(None).graph.leaf_nodes("mobjects")
    file = later / "mobjects" / "migrations" / "9999_later.py"
    file.write_text(MIGRATION.format(leaf=leaf), encoding="utf-8")
    models = later / "mobjects" / "models" / "__init__.py"
    models.write_text(models.read_text(encoding="utf-8") + MODEL, encoding="utf-8")
    with flow.phase("a later release comes, with a new NOT NULL column"):
        site.manage("web-1", "migrate", "--verbosity", "0", folder=later)
        wait_for(lambda: len(status.read().behind) == 2, "both workers to step aside")
        aside = sorted(host.host for host in status.read().behind)
        site.stop("worker-1")
        site.start_worker("worker-1", later)
    return aside


def _line(phase: Phase) -> str:
    jobs = ", ".join(f"{number} {state}" for state, number in phase.jobs.items())
    pages = f"{phase.pages} pages, median {phase.median} s, slowest {phase.slowest} s, {phase.failed} failed"
    return f"{phase.name}: {phase.seconds} s, {phase.calls} calls from {' and '.join(phase.hosts)}; {jobs}; {pages}"
