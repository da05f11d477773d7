"""Jobs and the queue: ask for one, queue it, work on it, pause it, find it again when its worker died.

The job's row in the database is the truth; the queue carries nothing but its id. Losing the queue loses no work:
:func:`sweep` calls every job back that should be worked on and is not.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypedDict, Unpack

import django_rq
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError
from rq import get_current_job

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import Transport
from mobjects.models import Circuit, Schedule, SyncJob, SyncLane
from mobjects.sync import config, lanes
from mobjects.sync.engine import SendTask
from mobjects.sync.limits import Limits
from mobjects.sync.selection import Selection
from mobjects.sync.tasks import TASKS
from mobjects.sync.transports import key_fields, open_transport
from mobjects.sync.work import Context, Task

QUEUE = "sync"
SWEEP_SECONDS = 15
_KEPT = {"result_ttl": 60, "failure_ttl": 24 * 3600}
"""How long Redis remembers a call, in seconds; what became of the job is in the database."""
LATE = timedelta(seconds=10)
"""How long after a job should have been called it counts as forgotten by the queue."""

State = SyncJob.State
Action = SyncJob.Action

logger = logging.getLogger(__name__)


class Asked(TypedDict, total=False):
    """Who asks for a job, and why.

    ``user`` is one of ours, whose name is kept even if the user is deleted later; ``username`` is anybody else.
    ``reason`` is free text for the history, ``source`` is where it was asked (the admin, if nothing is said),
    ``origin`` is the job that this one repeats in part, ``schedule`` what started it by the clock.
    """

    user: User | None
    username: str
    reason: str
    source: SyncJob.Source
    origin: SyncJob | None
    schedule: Schedule | None


# --- asking ---------------------------------------------------------------------------------


def create(
    action: SyncJob.Action, kind: str, selection: Mapping[str, Any], operation: str = "AUTO", **asked: Unpack[Asked]
) -> SyncJob:
    """Write down a job that is not queued yet.

    Args:
        action: what to do.
        kind: Marketo's name of the kind, or ``several``.
        selection: what it is about, in the form of the action's task.
        operation: of a job that sends.
    """
    user = asked.get("user")
    if user is not None:
        asked["username"] = user.get_username()
    return SyncJob.objects.create(action=action, kind=kind, selection=dict(selection), operation=operation, **asked)


def create_job(selection: Selection, **asked: Unpack[Asked]) -> SyncJob:
    """Write down a job that sends and is not queued yet."""
    kind = selection.kinds[0].value if len(selection.kinds) == 1 else "several"
    return create(Action.SEND, kind, selection.to_json(), selection.operation.value, **asked)


def request(
    *, action: SyncJob.Action, kind: str, selection: Mapping[str, Any], operation: str = "AUTO", **asked: Unpack[Asked]
) -> SyncJob:
    """Ask for a job and queue it once the surrounding transaction commits.

    The same work is not queued twice: if a job that has not begun is about to do exactly this, it is returned.
    If the queue cannot be reached the job stays "not queued" and is queued by :func:`sweep` later. Arguments as in
    :func:`create`.
    """
    twin = SyncJob.objects.filter(
        state=State.QUEUED, started_at=None, action=action, kind=kind, operation=operation, selection=dict(selection)
    ).first()
    if twin is not None:
        return twin
    job = create(action, kind, selection, operation, **asked)
    transaction.on_commit(partial(enqueue, job))
    return job


def request_sync(selection: Selection, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job that sends; see :func:`request`."""
    kind = selection.kinds[0].value if len(selection.kinds) == 1 else "several"
    return request(
        action=Action.SEND, kind=kind, selection=selection.to_json(), operation=selection.operation.value, **asked
    )


def repeat(job: SyncJob, statuses: tuple[str, ...], error: str | None = None, **asked: Unpack[Asked]) -> SyncJob:
    """Ask for a job about those records of another that have certain results there; it is linked to that job.

    Args:
        statuses: results by status.
        error: only results with exactly this reason; ``None`` means any.
    """
    old = Selection.from_json(job.selection)
    selection = Selection(
        kinds=old.kinds,
        operation=old.operation,
        resend=old.resend,
        of_job=str(job.pk),
        of_statuses=tuple(statuses),
        of_error=error,
        read_first=old.read_first,
    )
    asked["origin"] = job
    return request_sync(selection, **asked)


# --- the queue ------------------------------------------------------------------------------


def enqueue(job: SyncJob) -> bool:
    """Put a job that is not queued into the queue; safe to call twice.

    Returns:
        Whether the queue took it. If not, the job's problem text says why.
    """
    waiting = SyncJob.objects.filter(pk=job.pk, state=State.NOT_QUEUED)
    if not waiting.update(state=State.QUEUED, queued_at=timezone.now(), problem="", problem_text=""):
        return False
    if _call(job):
        return True
    SyncJob.objects.filter(pk=job.pk, state=State.QUEUED).update(
        state=State.NOT_QUEUED,
        problem="queue",
        problem_text="The queue (Redis) cannot be reached. Nothing was sent; the job is queued by itself when it is "
        "back, or queue it again.",
    )
    return False


def _call(job: SyncJob, at: datetime | None = None) -> bool:
    """Call a lane for a job, now or later; ``False`` if the queue cannot be reached."""
    queue_id = f"{job.pk}-{secrets.token_hex(4)}"
    try:
        queue = django_rq.get_queue(QUEUE)
        if at is not None and at > timezone.now():
            # RQ cuts off what is beyond the second: called too early, a lane would find that the job still waits.
            at += timedelta(microseconds=-at.microsecond % 1_000_000)
            queue.enqueue_at(at, run_lane, str(job.pk), job_id=queue_id, **_KEPT)
        else:
            queue.enqueue(run_lane, str(job.pk), job_id=queue_id, **_KEPT)
    except RedisError as error:
        logger.warning("Job %s could not be queued: %s", job.pk, type(error).__name__)
        return False
    return True


def _called(job: SyncJob) -> int:
    """How many lanes are on their way for a job."""
    queue = django_rq.get_queue(QUEUE)
    later = queue.scheduled_job_registry
    # What should have been moved into the queue and was not is on nobody's list: RQ's scheduler died, or never was.
    lost = set(later.get_jobs_to_schedule(int((timezone.now() - LATE).timestamp())))
    ids = [*queue.get_job_ids(), *(set(later.get_job_ids(cleanup=False)) - lost)]
    return sum(queue_id.startswith(str(job.pk)) for queue_id in ids)


# --- working --------------------------------------------------------------------------------


def run_lane(job_id: str) -> None:
    """The queue's entry point: work on a job for a while. Safe to call at any time, any number of times."""
    current = get_current_job()
    if _sweep_is_due():
        sweep()
    job = SyncJob.objects.filter(pk=job_id).first()
    if job is None:
        return
    left = _lane(job, queue_id=current.id if current else "", beat=True)
    if left is not None and left.again_at is not None:
        _call(job, left.again_at)


def run(job: SyncJob, *, pause: Callable[[float], None] | None = None, beat: bool = False) -> None:
    """Work on a job in this process, without the queue, until it is over or waits.

    Args:
        pause: waits so many seconds; without it a job that has to wait is left waiting.
        beat: whether to sign a sign of life from a thread of its own; a process that may die wants that.
    """
    while True:
        left = _lane(job, queue_id="", beat=beat)
        job.refresh_from_db()
        if left is None or left.again_at is None or job.state != State.WAITING:
            return
        seconds = (left.again_at - timezone.now()).total_seconds()
        if seconds > 0:
            if pause is None:
                return
            pause(seconds)


def _lane(job: SyncJob, *, queue_id: str, beat: bool) -> lanes.Left | None:
    lane = lanes.enter(job, queue_id=queue_id, alone=TASKS[job.action].single)
    if lane is None:
        return None
    heart: AbstractContextManager[None] = lanes.beating(lane) if beat else nullcontext()
    try:
        with heart:
            return _work(job, lane, top_up=bool(queue_id))
    except (OperationalError, InterfaceError):
        # The database was away for longer than saving insists. As if this process had died: the job goes on.
        logger.exception("Job %s lost the database", job.pk)
        _bury(lane)
        return None
    except BaseException as error:
        # The one wide catch: whatever broke, Ctrl-C included, nobody may be left guessing what was sent.
        logger.exception("Job %s crashed", job.pk)
        lanes.crash(job, lane, error)
        if not isinstance(error, Exception):
            raise
        return None


def _work(job: SyncJob, lane: SyncLane, *, top_up: bool) -> lanes.Left:
    try:
        transport = open_transport()
    except MarketoError as error:
        lanes.stop(job, State.STOPPED, lanes.problem_word(error), error.message)
        return lanes.leave(job, lane)
    try:
        _note_transport(job, transport)
        context = Context(job, lane, transport, key_fields(), Limits.from_settings(transport.endpoint))
        task = TASKS[job.action](context)
        _call_others(job, task, top_up=top_up)
        return lanes.work_on(context, task)
    finally:
        transport.close()


def _note_transport(job: SyncJob, transport: Transport) -> None:
    if (job.transport, job.endpoint) != (transport.name, transport.endpoint):
        job.transport, job.endpoint = transport.name, transport.endpoint
        job.save(update_fields=["transport", "endpoint"])


def _call_others(job: SyncJob, task: Task, *, top_up: bool) -> None:
    """Call as many more lanes as there is work for, unless they are at work or on their way."""
    if not isinstance(task, SendTask):
        return
    wanted = min(task.wanted_lanes(), config.lanes())
    if not top_up or wanted <= 1:
        return
    missing = wanted - job.lanes.count() - _called(job)
    for _ in range(missing):
        _call(job)


# --- what people want -----------------------------------------------------------------------


def pause(job: SyncJob) -> bool:
    """Stop a job after the batches that are under way; it can be resumed. ``False`` if it is over or cancelled."""
    with transaction.atomic():
        found = SyncJob.objects.select_for_update().get(pk=job.pk)
        if found.state == State.RUNNING and found.wish != SyncJob.Wish.CANCEL:
            found.wish = SyncJob.Wish.PAUSE
        elif found.state in (State.QUEUED, State.WAITING, State.NOT_QUEUED):
            found.state, found.waits_until, found.waits_for = State.PAUSED, None, ""
        else:
            return False
        found.save(update_fields=["state", "wish", "waits_until", "waits_for"])
    return True


def resume(job: SyncJob) -> bool:
    """Let a paused job go on. ``False`` if it is not paused."""
    paused = Q(state=State.PAUSED) | Q(state=State.RUNNING, wish=SyncJob.Wish.PAUSE)
    found = SyncJob.objects.filter(paused, pk=job.pk)
    if not found.update(wish=SyncJob.Wish.NONE):
        return False
    SyncJob.objects.filter(pk=job.pk, state=State.PAUSED).update(state=State.NOT_QUEUED)
    transaction.on_commit(partial(enqueue, job))
    return True


def cancel(job: SyncJob) -> bool:
    """End a job after the batches that are under way; what was not sent stays changed. ``False`` if it is over."""
    with transaction.atomic():
        found = SyncJob.objects.select_for_update().get(pk=job.pk)
        if found.state in SyncJob.FINAL:
            return False
        if found.lanes.exists():
            found.wish = SyncJob.Wish.CANCEL
            found.save(update_fields=["wish"])
        else:
            lanes.end_cancelled(found)
    return True


def reset_circuit(user: User) -> bool:
    """Let sending go on after it was halted, and call the jobs that wait for that. ``False`` if it is not halted."""
    now = timezone.now()
    halted = Circuit.objects.filter(reset_at__isnull=True)
    if not halted.update(reset_at=now, user=user, username=user.get_username()):
        return False
    waiting = SyncJob.objects.filter(state=State.WAITING, waits_until=None)
    waiting.update(waits_until=now)
    for job in SyncJob.objects.filter(state=State.WAITING, waits_until=now):
        transaction.on_commit(partial(_call, job))
    return True


# --- what died ------------------------------------------------------------------------------


def worker_died(queue_id: str) -> None:
    """End the lanes of a process that is known to be dead, and let their jobs go on."""
    for lane in SyncLane.objects.filter(queue_id=queue_id).select_related("job"):
        _bury(lane)


def sweep() -> None:
    """Find lanes that died and jobs that the queue forgot, and call them back. Safe at any time, from anywhere."""
    now = timezone.now()
    for lane in lanes.dead_lanes(now):
        logger.warning("The lane %s of job %s is dead", lane, lane.job_id)
        _bury(lane)
    without_lane = SyncJob.objects.filter(lanes=None)
    late = Q(state=State.WAITING, waits_until__lt=now - LATE) | Q(state=State.QUEUED, queued_at__lt=now - LATE)
    if not Circuit.objects.filter(reset_at__isnull=True).exists():
        # It found the connection halted in the moment in which that was reset.
        late |= Q(state=State.WAITING, waits_until=None)
    try:
        for job in without_lane.filter(late | Q(state=State.RUNNING)):
            if not _called(job):
                _call(job)
    except RedisError:
        return
    # Not what was made a moment ago: it is about to be queued, or is begun in a process of its own.
    for job in without_lane.filter(state=State.NOT_QUEUED, created_at__lt=now - LATE):
        enqueue(job)


def _sweep_is_due() -> bool:
    # Each lane that begins looks too: where all workers are busy, the clock's own call waits behind them.
    return bool(django_rq.get_connection(QUEUE).set("mobjects:swept", 1, nx=True, ex=SWEEP_SECONDS))


def _bury(lane: SyncLane) -> None:
    job = lanes.bury(lane)
    if job is not None:
        _call(job, job.waits_until)
