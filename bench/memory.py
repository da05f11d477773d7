"""Whether the memory of the process that works on a job grows with the job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.apis import Api
from bench.own_process import send_all
from bench.records import opportunities
from bench.surroundings import Surroundings, lift_limits
from mobjects.jobs.runner import run_job
from mobjects.models import SyncJob

SIZES = (10_000, 100_000)


def measure(
    around: Surroundings, say: Callable[[str], None], apis: Sequence[Api], *, sizes: tuple[int, ...] = SIZES
) -> None:
    """Print the largest memory of a process of its own that works on a whole job, for two sizes of job."""
    for api in apis:
        api.select()
        say(f"{api.name.upper()}: peak memory of the working process:")
        _measure(around, say, sizes)


def _measure(around: Surroundings, say: Callable[[str], None], sizes: tuple[int, ...]) -> None:
    peaks = []
    for size in sizes:
        around.reset()
        opportunities(size)
        peaks.append(int(send_all("memory.work", size)))
        say(f"  {size:>7,} records: {peaks[-1] / 1024:.0f} MiB")
    say(f"  ratio {peaks[-1] / peaks[0]:.2f} for {sizes[-1] / sizes[0]:.0f} times as many records")


def work(job_id: str) -> None:
    """Work on a job to its end, and write the process' largest memory so far, in KiB."""
    lift_limits()
    run_job(SyncJob.objects.get(pk=job_id))
    # Not getrusage: what that tells includes the memory of the process this one was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    sys.stdout.write(peak)
