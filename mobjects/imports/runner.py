"""What a worker does with an import: it acquires its lease, does the step that its state names, and releases it.

The import's row is the truth; the queue carries nothing but its id. A step can be begun any number of times, by
anybody: one process at a time holds the lease (:mod:`mobjects.jobs.lease`), renews it with every chunk, and stops as
soon as it lost it. Killed and forgotten ones are found by :func:`sweep_imports`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop as _
from redis.exceptions import RedisError
from rq import get_current_job

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.db.schema_version import broke_on_newer_schema
from mobjects.imports import file_storage, validation
from mobjects.imports.column_mapping import ColumnGone
from mobjects.imports.formats.kept_answers import teach_answers
from mobjects.imports.lifecycle import IMPORT_STATES
from mobjects.imports.writing import commit, undo
from mobjects.jobs.lease import (
    MOST_EXPIRIES,
    LeaseLost,
    acquire_lease,
    count_expiry,
    expired,
    heartbeat,
    lock_dead_lease,
    release_lease,
    renew_lease,
)
from mobjects.jobs.queue import OVERDUE, enqueue_work, find_forgotten
from mobjects.models import Import, ImportState, WorkerLease
from mobjects.spreadsheets.types import FileRefused

RUNNER = f"{__name__}.run_queued_import"

Alive = Callable[[int], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportStep:
    """What is done in a state.

    Args:
        do: does it, calling its second argument with the number of rows (or the row) it is at after every chunk.
        then: the state that follows.
        done_at: the field that keeps when it was done.
        counts: the field that is raised to the number given to ``alive``, if any.
    """

    do: Callable[[Import, Alive], None]
    then: ImportState
    done_at: str
    counts: str = ""


def _check(imported: Import, alive: Alive) -> None:
    with file_storage.open_import_file(imported) as file:
        validation.check_import(imported, file, alive)


def _write(imported: Import, alive: Alive) -> None:
    commit.commit_import(imported, alive)
    teach_answers(imported)


STEPS: dict[str, ImportStep] = {
    ImportState.CHECKING: ImportStep(_check, ImportState.REVIEW, "checked_at", "rows"),
    ImportState.COMMITTING: ImportStep(_write, ImportState.COMMITTED, "committed_at"),
    ImportState.UNDOING: ImportStep(undo.undo_import, ImportState.UNDONE, "undone_at"),
}


# --- the queue ------------------------------------------------------------------------------


def enqueue_import(pk: int) -> bool:
    """Have a worker do an import's step; ``False`` if the queue cannot be reached, and the sweep does it later."""
    return enqueue_work(RUNNER, pk, _prefix(pk), None)


def _prefix(pk: int) -> str:
    return f"import-{pk}-"


def run_queued_import(import_id: int) -> None:
    """The queue's entry point: do the step an import waits for. Safe to call at any time, any number of times."""
    current = get_current_job()
    lease = acquire_import(import_id, current.id if current else "")
    if lease is not None and _do_step(lease, beat=True):
        enqueue_import(import_id)


def run_import(imported: Import, *, beat: bool = False) -> None:
    """Do the step an import waits for in this process, without the queue. ``imported`` is read anew afterwards.

    Args:
        imported: nobody else works on it.
        beat: whether to renew the lease from a thread of its own; a process that may die wants that.

    Raises:
        OperationalError, InterfaceError: the database was lost for good.
    """
    lease = acquire_import(imported.pk)
    while lease is not None:
        lease = acquire_import(imported.pk) if _do_step(lease, beat=beat) else None
    imported.refresh_from_db()


# --- working --------------------------------------------------------------------------------


def acquire_import(pk: int, queue_id: str = "") -> WorkerLease | None:
    """Begin to work on an import; ``None`` if there is nothing to do, or another process is at it."""
    with transaction.atomic():
        imported = _lock_working(pk)
        if imported is None or imported.leases.exists():
            return None
        Import.objects.filter(pk=pk).update(begun_at=Coalesce("begun_at", clock.now()))
        imported.refresh_from_db(fields=["begun_at"])
        return acquire_lease(imported, queue_id)


def _lock_working(pk: int) -> Import | None:
    """An import that is to be worked on, locked; one that is locked already is being worked on at this moment."""
    return Import.objects.select_for_update(skip_locked=True).filter(pk=pk, state__in=Import.WORKING_STATES).first()


def _do_step(lease: WorkerLease, *, beat: bool) -> bool:
    """Do the step; ``True`` if it was cut off and should be begun again.

    Raises:
        OperationalError, InterfaceError: the database is away for longer than saving insists; the sweep sees to it.
    """
    imported = _import_of(lease)
    step = STEPS[imported.state]
    beating: AbstractContextManager[None] = heartbeat(lease) if beat else nullcontext()
    try:
        with beating:
            step.do(imported, reporter(lease))
        _end_step(lease, step.then, **{step.done_at: clock.now()})
    except LeaseLost:
        logger.info("Import %s was taken away", imported.pk)
    except (OperationalError, InterfaceError):
        # A lost connection, a deadlock: as if this process had died.
        logger.exception("Import %s lost the database while %s", imported.pk, imported.state)
        return _expire_import(lease, Q())
    except commit.NothingWritten as error:
        _end_step(lease, ImportState.REVIEW, problem=str(error))
    except ColumnGone as error:
        _end_without_column(lease, error)
    except FileRefused as error:
        _end_step(lease, ImportState.REFUSED, problem=str(error))
    except BaseException as error:
        # The one wide catch: whatever broke, Ctrl-C included, a person has to be able to try again.
        again = _end_broken_step(lease, error)
        if not isinstance(error, Exception):
            raise
        return again
    return False


def _end_without_column(lease: WorkerLease, error: ColumnGone) -> None:
    """Ask for the columns again; those of a file that is written in part stay, and it can be undone."""
    imported = _import_of(lease)
    imported.refresh_from_db(fields=["committed_to"])
    if not imported.committed_to:
        _end_step(lease, ImportState.MAPPING, problem=str(error))
        return
    problem = _(
        "There is no column “%(name)s” here any more, and the file is written up to row %(committed_to)s. Undo the "
        "import, or add the custom field again and write the rest."
    ) % {"name": error.name, "committed_to": f"{imported.committed_to:,}"}
    _end_step(lease, ImportState.REVIEW, problem=problem)


def _end_broken_step(lease: WorkerLease, error: BaseException) -> bool:
    """End a step after a fault; ``True`` if it should be begun again, by a worker as new as the database."""
    imported = _import_of(lease)
    if isinstance(error, Exception) and broke_on_newer_schema():
        logger.warning("Import %s broke on a database newer than this program: %r", imported.pk, error)
        return _expire_import(lease, Q())
    reference = secrets.token_hex(4)
    logger.exception("Import %s failed while %s, reference %s", imported.pk, imported.state, reference)
    _give_up(lease, _("Something went wrong on our side (reference %(reference)s)") % {"reference": reference})
    return False


def _import_of(lease: WorkerLease) -> Import:
    return cast(Import, lease.imported)


def reporter(lease: WorkerLease) -> Alive:
    """Give what a step calls with each chunk, in its transaction: it says how far it is and renews the lease.

    It raises :class:`~mobjects.jobs.lease.LeaseLost` if the import is no longer this process's.
    """
    imported = _import_of(lease)
    counts = STEPS[imported.state].counts

    def alive(number: int) -> None:
        # Whoever gets so far as to write a chunk did not die of the import.
        values = {counts: number} if counts else {"expired_leases": 0}
        with transaction.atomic():
            Import.objects.filter(pk=imported.pk).update(reported_at=clock.now(), **values)
            renew_lease(lease)

    return alive


@retry_on_database_error
def _end_step(lease: WorkerLease, state: ImportState, **values: Any) -> None:
    """End the step, if it is still this process's."""
    imported = _import_of(lease)
    with transaction.atomic():
        imported.refresh_from_db(from_queryset=Import.objects.select_for_update())
        if release_lease(lease):
            IMPORT_STATES.change(imported, state, only_from=(imported.state,), expired_leases=0, **values)


def _give_up(lease: WorkerLease, what: str) -> None:
    """Back to where the step can be asked for again; ``what`` happened is the beginning of a sentence."""
    imported = _import_of(lease)
    imported.refresh_from_db(fields=["committed_to"])
    kept = _("nothing of the step in progress was kept. Try again.")
    if imported.state == ImportState.COMMITTING and imported.committed_to:
        kept = _("the file is written up to row %(committed_to)s. Write again to go on from there.") % {
            "committed_to": f"{imported.committed_to:,}"
        }
    elif imported.state == ImportState.UNDOING:
        kept = _("what is undone already stays so. Undo again to go on.")
    _end_step(lease, state_before(imported), problem=f"{what}; {kept}")


def state_before(imported: Import) -> ImportState:
    """The state from which the present step can be asked for again."""
    if imported.state == ImportState.CHECKING:
        return ImportState.MAPPING  # What an earlier check found is deleted.
    return ImportState.COMMITTED if imported.committed_at is not None else ImportState.REVIEW


# --- what died ------------------------------------------------------------------------------


def expire_imports(dead: Q) -> None:
    """End the leases of dead processes, of which ``dead`` is true, that worked on imports, and have others go on."""
    for lease in WorkerLease.objects.filter(dead).exclude(imported=None).select_related("imported"):
        if _expire_import(lease, dead):
            enqueue_import(_import_of(lease).pk)


def sweep_imports() -> None:
    """Find imports whose worker died or that the queue forgot, and have others go on. Safe at any time."""
    expire_imports(expired())
    late = clock.now() - OVERDUE
    forgotten = Import.objects.filter(state__in=Import.WORKING_STATES, leases=None, step_at__lt=late)
    try:
        for pk in find_forgotten(forgotten.values_list("pk", flat=True), _prefix):
            enqueue_import(pk)
    except RedisError:
        return


@retry_on_database_error
def _expire_import(lease: WorkerLease, dead: Q) -> bool:
    """Take an import from a process that is ``dead`` still; ``False`` if it is not to be begun again."""
    with transaction.atomic():
        imported = _lock_working(_import_of(lease).pk)
        if imported is None or not lock_dead_lease(lease, dead):
            return False
        logger.warning("The worker %s of import %s (%s) is dead", lease, imported.pk, imported.state)
        if count_expiry(imported):
            _give_up(
                lease, _("The work was cut off %(most_expiries)s times in a row") % {"most_expiries": MOST_EXPIRIES}
            )
            return False
        return release_lease(lease)
