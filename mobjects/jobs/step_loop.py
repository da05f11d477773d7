"""Taking step after step of a job, until there is a reason to leave it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from mobjects.jobs import lifecycle
from mobjects.jobs.lifecycle import Left
from mobjects.marketo.errors import MarketoError, Trouble
from mobjects.models import Circuit, SyncJob, SyncLane, SyncResult
from mobjects.sync import config
from mobjects.sync.retry import WAITING_WORDS, Action, clock_words, rule_for, wait_seconds
from mobjects.sync.saving import insisting
from mobjects.sync.work import Context, Task, Wait

TURN_SECONDS = 10.0
"""After so long a lane makes room in its worker and queues up again."""
TURN_OVER = "It makes room for other jobs, and goes on at once."

State = SyncJob.State


class StepLoop:
    """Takes steps until there is a reason to leave, and leaves.

    Args:
        context: the job and what it works with.
        task: of the job.
        turn_seconds: after so long it makes room for other jobs.
    """

    def __init__(self, context: Context, task: Task, *, turn_seconds: float = TURN_SECONDS) -> None:
        self._context = context
        self._task = task
        self._until = time.monotonic() + turn_seconds
        self._looked_as_last = False
        self._expired = False
        self._failed = False

    def run(self) -> Left:
        """Work.

        Raises:
            BaseException: a fault of ours; the lane is not left then, see :func:`mobjects.jobs.lifecycle.crash`.
        """
        while self._may_go_on():
            try:
                left = self._step()
            except Wait as wait:
                left = self._leave_until(wait.until, wait.words)
            except MarketoError as error:
                left = self._cope(error)
            if left is not None:
                return left
        return self._leave()

    def _step(self) -> Left | None:
        busy = self._task.step()
        self._expired = False
        if busy:
            self._looked_as_last = False
            self._answered()
            over = time.monotonic() >= self._until
            return self._leave_until(timezone.now(), TURN_OVER) if over else None
        if not self._is_last():
            return self._leave()
        if self._looked_as_last:
            return self._finish()
        # Another lane may have left something undone when it went; now nobody else is there.
        self._looked_as_last = True
        return None

    def _may_go_on(self) -> bool:
        """Whether nobody has stopped, braked, paused, halted or buried this lane since the last step."""
        lane = SyncLane.objects.filter(pk=self._context.lane.pk)
        halted = Exists(Circuit.objects.filter(reset_at__isnull=True))
        found = lane.values_list("job__state", "job__wish", "job__waits_until", "job__failures", halted).first()
        if found is None:
            return False
        state, wish, waits_until, failures, halted_now = found
        self._failed = failures > 0
        braked = waits_until is not None and waits_until > timezone.now()
        return state == State.RUNNING and not wish and not braked and not halted_now

    def _is_last(self) -> bool:
        return not self._context.job.lanes.exclude(pk=self._context.lane.pk).exists()

    def _answered(self) -> None:
        if self._failed:
            SyncJob.objects.filter(pk=self._context.job.pk).update(failures=0)

    def _cope(self, error: MarketoError) -> Left | None:
        """Do what the table says; ``None`` means go on at once."""
        job = self._context.job
        rule = rule_for(error, expired_before=self._expired)
        self._expired = error.trouble is Trouble.EXPIRED
        if rule.action is Action.HALT:
            lifecycle.halt(job, error)
            return self._stop(error)
        if rule.action is Action.AGAIN:
            return None
        failures = lifecycle.one_more_failure(job)
        if rule.action in (Action.HALVE, Action.REFUSE) or (failures >= config.tries() and not rule.endless):
            return self._stop(error)
        if rule.action is Action.FEWER:
            self._context.permits.fewer()
        now = timezone.now()
        until = now + timedelta(seconds=wait_seconds(rule.action, failures, now))
        words = f"{error.message} {WAITING_WORDS[rule.action]}"
        SyncJob.objects.filter(pk=job.pk, state=State.RUNNING).update(waits_until=until, waits_for=words)
        return self._leave_until(until, words)

    def _stop(self, error: MarketoError) -> Left:
        lifecycle.stop(
            self._context.job,
            State.STOPPED,
            lifecycle.problem_word(error),
            f"{error.message} {clock_words(error)}".strip(),
        )
        return self._leave()

    def _finish(self) -> Left:
        """The last lane has found nothing to do: wait for what is due later, or end the job."""
        due = self._task.due()
        if due is not None:
            return self._leave_until(due, "It waits until Marketo can no longer be working on what was not answered.")
        self._task.finish()
        self._end()
        return self._leave()

    @insisting
    def _end(self) -> None:
        """End the job, unless a lane has begun meanwhile; then that one will."""
        job = self._context.job
        with transaction.atomic():
            job.refresh_from_db(fields=["counts"], from_queryset=SyncJob.objects.select_for_update())
            if self._is_last():
                # A comparison is there to find differences.
                good = SyncResult.ACCEPTED | (SyncResult.FINDINGS if job.action == SyncJob.Action.COMPARE else set())
                clean = set(job.counts) <= {status.value for status in good}
                lifecycle.stop(job, State.SUCCEEDED if clean else State.PROBLEMS)

    def _leave_until(self, until: datetime, words: str) -> Left:
        return lifecycle.leave(self._context.job, self._context.lane, until=until, words=words)

    def _leave(self) -> Left:
        return lifecycle.leave(self._context.job, self._context.lane)
