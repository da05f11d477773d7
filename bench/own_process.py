"""Work on a whole job in a process of its own, so that only that is measured."""

from __future__ import annotations

import subprocess
import sys

from bench.surroundings import ROOT
from mobjects.jobs.requests import create_sync_job
from mobjects.sync.send.selection import SyncSelection


def send_all(work: str, count: int) -> str:
    """Send what changed.

    Args:
        work: the function that works on a job and prints what it measured, ``module.function`` in ``bench``; it gets
            the job's id.
        count: so many new records.

    Returns:
        What it printed.

    Raises:
        RuntimeError: not all of them were created.
    """
    job = create_sync_job(SyncSelection())
    module, name = work.split(".")
    code = f"from bench import {module}; {module}.{name}('{job.pk}')"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    worker = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    job.refresh_from_db()
    if job.counts != {"CREATED": count}:
        raise RuntimeError(f"the job ended {job.state} with {job.counts}: {job.problem_text}")
    return worker.stdout
