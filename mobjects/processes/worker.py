"""The queue's worker, which notices when the process that did a job is killed."""

from __future__ import annotations

from typing import Any

import django_rq
from django.db import Error, connections
from django.db.models import Q
from rq import Worker
from rq.job import Job

from mobjects.imports.runner import expire_imports
from mobjects.jobs.host_clock import HostClockOff, check_host_clock
from mobjects.jobs.queue import QUEUE
from mobjects.jobs.recovery import expire_jobs
from mobjects.jobs.restored import check_installation
from mobjects.sync.installation.identity import name_outside

MAINTENANCE_SECONDS = 30
"""How often a worker looks whether somebody calls back the jobs that wait, and does so itself where nobody does."""


class SyncWorker(Worker):
    """RQ's forking worker. It forks a process for each job and outlives it.

    A process that is killed (-9, or for want of memory) can save nothing itself, and RQ calls no failure
    callback for it. So the worker says so: what was being sent has an unknown outcome, and the job (or the
    import) goes on.
    """

    def __init__(self, queues: Any, *args: Any, **kwargs: Any) -> None:
        # Before it listens: a copy of a database must not take the work of its original.
        check_installation()
        if [queue.name for queue in queues] != [name_outside(QUEUE)]:
            queues = [django_rq.get_queue(QUEUE)]
        # RQ's own ten minutes are long where the worker that had this duty died with its host.
        super().__init__(queues, *args, **{"maintenance_interval": MAINTENANCE_SECONDS, **kwargs})

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ has none here
        try:
            check_installation()
            if self.queues[0].name != name_outside(QUEUE):
                self.log.warning("This installation has a new identity; the worker ends, to be started anew.")
                self._stop_requested = True
            check_host_clock()
        except (HostClockOff, Error):
            pass  # Written down; the jobs are refused where they begin.
        # The next process is forked from this one and must not share its connection.
        connections.close_all()

    def handle_work_horse_killed(self, job: Job, retpid: Any, ret_val: Any, rusage: Any) -> None:
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]  # RQ has none here
        expire_jobs(Q(queue_id=job.id))
        expire_imports(Q(queue_id=job.id))
        # The next process is forked from this one and must not share its connection.
        connections.close_all()
