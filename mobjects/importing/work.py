"""What a worker does with an import: it claims it, does the step that its state names, and gives signs of life.

The import's row is the truth; the queue carries nothing but its id. A process claims an import by writing its token
into the row, renews its sign of life with every chunk and from a thread of its own, and stops as soon as the token is
no longer its own. So a step can be called any number of times, by anybody; killed and forgotten ones are found by
:func:`sweep`.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import django_rq
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from redis.exceptions import RedisError
from rq import get_current_job

from mobjects.importing import checking, commit, files, undo
from mobjects.jobs.queue import LATE, QUEUE
from mobjects.models import Import
from mobjects.sync.saving import insisting
from mobjects.tables.contract import FileRefused

BEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=40)
"""A process that has not been heard of for so long is dead; four beats, so that a slow database kills none."""
TIMEOUT_SECONDS = 4 * 3600
"""Longest time for one step."""
MOST_DEATHS = 5
"""After so many killed processes in a row a step is given up: it may be the import that kills them."""
_KEPT = {"result_ttl": 60, "failure_ttl": 24 * 3600}

State = Import.State
Alive = Callable[[int], None]

logger = logging.getLogger(__name__)


class Lost(Exception):
    """The import is no longer this process's: it was discarded, or taken for dead and given to another one."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done in a state.

    Args:
        do: does it, calling its second argument with the number of rows (or the row) it is at after every chunk.
        then: the state that follows.
        done_at: the field that keeps when it was done.
        counts: the field that is raised to the number given to ``alive``, if any.
    """

    do: Callable[[Import, Alive], None]
    then: Import.State
    done_at: str
    counts: str = ""


def _check(imported: Import, alive: Alive) -> None:
    with files.opened(imported) as file:
        checking.check(imported, file, alive)


STEPS: dict[str, Step] = {
    State.CHECKING: Step(_check, State.REVIEW, "checked_at", "rows"),
    State.COMMITTING: Step(commit.commit, State.COMMITTED, "committed_at"),
    State.UNDOING: Step(undo.undo, State.UNDONE, "undone_at"),
}


# --- the queue ------------------------------------------------------------------------------


def call(pk: int) -> bool:
    """Call a worker for an import; ``False`` if the queue cannot be reached, and :func:`sweep` does it later."""
    try:
        queue = django_rq.get_queue(QUEUE)
        queue.enqueue(run, pk, job_id=f"{_prefix(pk)}{secrets.token_hex(4)}", job_timeout=TIMEOUT_SECONDS, **_KEPT)
    except RedisError as error:
        logger.warning("Import %s could not be queued: %s", pk, type(error).__name__)
        return False
    return True


def _prefix(pk: int) -> str:
    return f"import-{pk}-"


def run(import_id: int) -> None:
    """The queue's entry point: do the step an import waits for. Safe to call at any time, any number of times."""
    current = get_current_job()
    imported = claim(import_id, current.id if current else "")
    if imported is not None and _work(imported, beat=True):
        call(import_id)


def run_inline(imported: Import, *, beat: bool = False) -> None:
    """Do the step an import waits for in this process, without the queue. ``imported`` is read anew afterwards.

    Args:
        imported: nobody else works on it.
        beat: whether to give signs of life from a thread of its own; a process that may die wants that.

    Raises:
        OperationalError, InterfaceError: the database was lost for good.
    """
    claimed = claim(imported.pk)
    while claimed is not None:
        claimed = claim(imported.pk) if _work(claimed, beat=beat) else None
    imported.refresh_from_db()


# --- working --------------------------------------------------------------------------------


def claim(pk: int, queue_id: str = "") -> Import | None:
    """Begin to work on an import; ``None`` if there is nothing to do, or another process is at it.

    Args:
        pk: of the import.
        queue_id: RQ's id of the work, if it has one.
    """
    now, token = timezone.now(), secrets.token_hex(16)
    waiting = Import.objects.filter(pk=pk, token="", state__in=Import.WORKING)
    if not waiting.update(token=token, queue_id=queue_id, beat_at=now, begun_at=Coalesce("begun_at", now)):
        return None
    return Import.objects.filter(pk=pk, token=token).first()


def _work(imported: Import, *, beat: bool) -> bool:
    """Do the step.

    Returns:
        Whether it was cut off and should be called again.

    Raises:
        OperationalError, InterfaceError: the database is away for longer than saving insists; the sweep sees to it.
    """
    step = STEPS[imported.state]
    heart: AbstractContextManager[None] = beating(imported) if beat else nullcontext()
    try:
        with heart:
            step.do(imported, signing(imported))
        _leave(imported, step.then, **{step.done_at: timezone.now()})
    except Lost:
        logger.info("Import %s was taken away", imported.pk)
    except (OperationalError, InterfaceError):
        # A lost connection, a deadlock: as if this process had died.
        logger.exception("Import %s lost the database while %s", imported.pk, imported.state)
        return _bury(imported.pk, Q(token=imported.token))
    except commit.NothingWritten as error:
        _leave(imported, State.REVIEW, problem=str(error))
    except checking.ColumnGone as error:
        _leave(imported, State.MAPPING, problem=str(error))
    except FileRefused as error:
        _leave(imported, State.REFUSED, problem=str(error))
    except BaseException as error:
        # The one wide catch: whatever broke, Ctrl-C included, a person has to be able to try again.
        reference = secrets.token_hex(4)
        logger.exception("Import %s failed while %s, reference %s", imported.pk, imported.state, reference)
        _give_up(imported, f"Something went wrong on our side (reference {reference})")
        if not isinstance(error, Exception):
            raise
    return False


def _give_up(imported: Import, what: str) -> None:
    """Back to where the step can be asked for again.

    Args:
        what: happened; the beginning of a sentence.
    """
    imported.refresh_from_db(fields=["committed_to"])
    kept = "nothing of the step in progress was kept. Try again."
    if imported.state == State.COMMITTING and imported.committed_to:
        kept = f"the file is written up to row {imported.committed_to:,}. Write again to go on from there."
    elif imported.state == State.UNDOING:
        kept = "what is undone already stays so. Undo again to go on."
    _leave(imported, _before(imported), problem=f"{what}; {kept}")


def _before(imported: Import) -> Import.State:
    """The state from which the present step can be asked for again."""
    if imported.state == State.CHECKING:
        return State.MAPPING  # What an earlier check found is deleted.
    return State.COMMITTED if imported.committed_at is not None else State.REVIEW


@insisting
def _leave(imported: Import, state: Import.State, **values: Any) -> None:
    """End the step, if it is still this process's."""
    mine = Import.objects.filter(pk=imported.pk, token=imported.token, state=imported.state)
    mine.update(state=state, token="", queue_id="", cut_off=0, **values)


def signing(imported: Import) -> Alive:
    """Give what a step calls after each chunk: it renews the sign of life of the process that claimed the import.

    It raises :class:`Lost` if the import is no longer that process's.
    """
    step = STEPS[imported.state]
    mine = Import.objects.filter(pk=imported.pk, token=imported.token, state=imported.state)

    def alive(number: int) -> None:
        values: dict[str, Any] = {step.counts: number} if step.counts else {}
        # Whoever gets so far as to write a chunk did not die of the import.
        values |= {} if step.counts else {"cut_off": 0}
        if not mine.update(beat_at=timezone.now(), **values):
            raise Lost

    return alive


@contextmanager
def beating(imported: Import, *, every_seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Sign the sign of life, from a thread of its own, while the block runs."""
    over = threading.Event()
    arguments = (imported.pk, imported.token, over, every_seconds)
    thread = threading.Thread(target=_beat, args=arguments, daemon=True, name="import-heartbeat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(pk: int, token: str, over: threading.Event, every_seconds: float) -> None:
    try:
        while not over.wait(every_seconds):
            sign(pk, token)
    finally:
        connection.close()


def sign(pk: int, token: str) -> None:
    """Save a process's sign of life, if the import is still its own."""
    try:
        connection.close_if_unusable_or_obsolete()
        with transaction.atomic():
            # Not waiting for a lock: the process holds it itself where it writes all rows in one transaction.
            for imported in unlocked().filter(pk=pk, token=token).only("pk"):
                Import.objects.filter(pk=imported.pk, token=token).update(beat_at=timezone.now())
    except Error as error:
        # The next beat may get through; until then the process is as silent as it looks.
        logger.warning("A heartbeat could not be saved: %s", type(error).__name__)


# --- what died ------------------------------------------------------------------------------


def worker_died(queue_id: str) -> None:
    """Take an import from a process that is known to be dead, and call another one at once."""
    _bury_all(Q(queue_id=queue_id))


def sweep() -> None:
    """Find imports whose process died or that the queue forgot, and call them again. Safe at any time."""
    now = timezone.now()
    _bury_all(Q(beat_at__lt=now - SILENCE))
    forgotten = Import.objects.filter(state__in=Import.WORKING, token="", step_at__lt=now - LATE)
    pks = list(forgotten.values_list("pk", flat=True))
    if not pks:
        return
    try:
        called = django_rq.get_queue(QUEUE).get_job_ids()
    except RedisError:
        return
    for pk in pks:
        if not any(queue_id.startswith(_prefix(pk)) for queue_id in called):
            call(pk)


def _bury_all(dead: Q) -> None:
    claimed = Import.objects.filter(dead, state__in=Import.WORKING).exclude(token="")
    for pk in list(claimed.values_list("pk", flat=True)):
        if _bury(pk, dead):
            call(pk)


@insisting
def _bury(pk: int, dead: Q) -> bool:
    """Take an import from a dead process; ``False`` if it is not to be called again.

    Args:
        pk: of the import.
        dead: what still has to be true of it.
    """
    with transaction.atomic():
        # A row that is locked is being written at this moment, by a process that is very much alive.
        imported = unlocked().filter(dead, pk=pk, state__in=Import.WORKING).exclude(token="").first()
        if imported is None:
            return False
        logger.warning("The process that was at import %s (%s) is dead", pk, imported.state)
        if imported.cut_off + 1 >= MOST_DEATHS:
            _give_up(imported, f"The work was cut off {MOST_DEATHS} times in a row")
            return False
        Import.objects.filter(pk=pk).update(token="", queue_id="", cut_off=F("cut_off") + 1)
    return True


def unlocked() -> QuerySet[Import]:
    """Imports, locked until the transaction ends; without those that somebody else has locked."""
    return Import.objects.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
