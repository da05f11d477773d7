"""Taking step after step of a job, until there is a reason to leave it."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.db.schema_version import NEWER, later_migrations
from mobjects.jobs.job_lease import JobRelease, lock_job, release_job
from mobjects.jobs.lifecycle import end_job, open_circuit, stop_job
from mobjects.marketo.errors import MarketoError, RefusalReason
from mobjects.models import Circuit, SyncJob, SyncJobState, SyncResult, WorkerLease
from mobjects.sync import marketo_settings
from mobjects.sync.retry_policy import WAITING_TEXTS, RetryAction, RetryRule, retry_rule_for, wait_seconds
from mobjects.sync.task import JobContext, JobTask, WaitRequired

TURN_SECONDS = 10.0
"""After so long a worker makes room for other jobs and queues up again."""
_STOPS = (RetryAction.HALVE, RetryAction.REFUSE, RetryAction.HALT_KIND)
"""What a task did not deal with by itself was no sending: the job could not go on, and others do not suffer from it."""
TURN_OVER = _("It makes room for other jobs, and goes on at once.")


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no garbage in circles while thousands of values are made, of which nearly all go by themselves."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class StepLoop:
    """Takes steps until there is a reason to leave, and leaves; after ``turn_seconds`` it makes room for other jobs."""

    def __init__(self, context: JobContext, task: JobTask, *, turn_seconds: float = TURN_SECONDS) -> None:
        self._context = context
        self._task = task
        self._until = time.monotonic() + turn_seconds
        self._took_step = False
        self._looked_as_last = False
        self._signature_expired = False
        self._failed = False
        self._is_behind = False

    def run(self) -> JobRelease:
        """Work.

        Raises:
            BaseException: a fault of ours; the job is not left then, see :func:`mobjects.jobs.job_lease.crash_job`.
        """
        release = None
        while release is None and self._may_go_on():
            try:
                with without_collecting():
                    busy = self._task.step()
            except WaitRequired as wait:
                release = self._leave(wait.until, wait.reason)
            except MarketoError as error:
                release = self._handle_error(error)
            else:
                release = self._after_step() if busy else self._after_nothing()
        if release is None and self._is_behind:
            return self._leave(clock.now(), NEWER)
        return release or self._leave()

    def _may_go_on(self) -> bool:
        """Whether nobody has ended, braked, paused, halted, given up or outdated this worker since the last step."""
        found = next(self._context.queries.ask("standing", self._standing), None)
        if found is None:
            return False
        state, requested, waits_until, failures, expired, halted_now, self._is_behind = found
        self._failed = failures + expired > 0
        braked = waits_until is not None and waits_until > clock.now()
        if self._is_behind:
            return False
        return state == SyncJobState.RUNNING and not requested and not braked and not halted_now

    def _standing(self) -> QuerySet[Any]:
        lease = WorkerLease.objects.filter(pk=self._context.lease.pk)
        halted = Exists(Circuit.halting(self._context.job.action))
        fields = "state", "requested_action", "waits_until", "failures", "expired_leases"
        return lease.values_list(*(f"job__{name}" for name in fields), halted, Exists(later_migrations()))

    def _after_step(self) -> JobRelease | None:
        self._took_step, self._looked_as_last, self._signature_expired = True, False, False
        if self._failed:
            SyncJob.objects.filter(pk=self._context.job.pk).update(failures=0, expired_leases=0)
        over = time.monotonic() >= self._until
        return self._leave(clock.now(), TURN_OVER) if over else None

    def _after_nothing(self) -> JobRelease | None:
        self._signature_expired = False
        return self._finish() if self._looked_as_last and self._is_last() else self._leave_to_others()

    @retry_on_database_error
    def _leave_to_others(self) -> JobRelease | None:
        """Leave, unless this worker is the last: then it looks once more for what another may have left undone.

        Both under the lock on the job: of two that see each other there and go, the second had to come again.
        """
        job, lease = self._context.job, self._context.lease
        with transaction.atomic():
            if lock_job(job, lease) and self._is_last():
                self._looked_as_last = True
                return None
            return self._leave()

    def _is_last(self) -> bool:
        return not self._context.job.leases.exclude(pk=self._context.lease.pk).exists()

    def _handle_error(self, error: MarketoError) -> JobRelease | None:
        """Do what the table says; ``None`` means go on at once."""
        self._took_step = True
        rule = retry_rule_for(error, expired_before=self._signature_expired)
        self._signature_expired = error.trouble is RefusalReason.EXPIRED
        if rule.action is RetryAction.FEWER:
            self._context.rate_limiter.reduce_concurrency()
        return None if rule.action is RetryAction.AGAIN else self._apply_rule(rule, error)

    @retry_on_database_error
    def _apply_rule(self, rule: RetryRule, error: MarketoError) -> JobRelease:
        job, lease = self._context.job, self._context.lease
        with transaction.atomic():
            if not lock_job(job, lease):
                return JobRelease()  # Another worker has made the call again meanwhile.
            if rule.action is RetryAction.HALT:
                open_circuit(job, error)
                return self._stop(error)
            job.failures += 1
            job.save(update_fields=["failures"])
            if rule.action in _STOPS or (job.failures >= marketo_settings.max_tries() and not rule.endless):
                return self._stop(error)
            now = clock.now()
            seconds = wait_seconds(rule.action, job.failures, now, at_least=error.retry_after_seconds)
            until = now + timedelta(seconds=seconds)
            words = f"{error.message} {WAITING_TEXTS[rule.action]}"
            SyncJob.objects.filter(pk=job.pk, state=SyncJobState.RUNNING).update(waits_until=until, waits_for=words)
            return self._leave(until, words)

    def _stop(self, error: MarketoError) -> JobRelease:
        stop_job(self._context.job, error)
        return self._leave()

    def _finish(self) -> JobRelease | None:
        """The last worker has found nothing to do: wait for what is due later, or end the job."""
        due = self._task.due_at()
        if due is not None:
            return self._leave(due, _("It waits until Marketo can no longer be working on what was not answered."))
        self._task.finish()
        self._end()
        return self._leave_to_others()

    @retry_on_database_error
    def _end(self) -> None:
        """End the job, unless a worker has begun meanwhile; then that one will."""
        job = self._context.job
        with transaction.atomic():
            job.refresh_from_db(fields=["counts"], from_queryset=SyncJob.objects.select_for_update())
            if self._is_last():
                # A comparison is there to find differences, a look-up to find out what Marketo has.
                good = SyncResult.ACCEPTED_STATUSES | (
                    SyncResult.FINDING_STATUSES if job.action in SyncJob.FINDING_ACTIONS else set()
                )
                clean = set(job.counts) <= {status.value for status in good}
                end_job(job, SyncJobState.SUCCEEDED if clean else SyncJobState.PROBLEMS)

    def _leave(self, until: datetime | None = None, words: str = "") -> JobRelease:
        context = self._context
        return release_job(context.job, context.lease, until=until, words=words, idle=not self._took_step)
