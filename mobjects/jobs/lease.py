"""The worker lease: the right of one process to work on a job or an import, for as long as it gives signs of life.

A process *acquires* a lease when it begins, *renews* it while it works (from a thread of its own, and with each chunk
of an import), and *releases* it when it leaves. A lease that was not renewed for too long *expires*: whoever finds it
takes it away and has the work begun anew. A process that lost its lease writes nothing more for it and ends nothing:
every transaction that writes on behalf of a lease renews or releases it first.

Locks are taken in one order, so that nobody waits in a circle: the job or the import, then its lease.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error, connection, transaction
from django.db.models import F, Q

from mobjects import clock
from mobjects.models import Import, SyncJob, WorkerLease

HEARTBEAT_SECONDS = 10.0
EXPIRY = timedelta(seconds=40)
"""A lease that was not renewed for so long has expired; four heartbeats, so that a slow database ends none."""
MOST_EXPIRIES = 5
"""After so many expired leases in a row a job or an import is given up: it may be what kills its workers."""

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The work is no longer this process's: it was taken for dead, or a person gave the work up."""


def acquire_lease(work: SyncJob | Import, queue_id: str = "") -> WorkerLease:
    """Begin to work on a job or an import, whose row the caller has locked and found free."""
    process = f"{socket.gethostname()} {os.getpid()}"[:255]
    return work.leases.create(process=process, queue_id=queue_id, renewed_at=clock.now())


def holds_lease(lease: WorkerLease) -> bool:
    """Whether the lease was not taken away."""
    return WorkerLease.objects.filter(pk=lease.pk).exists()


def renew_lease(lease: WorkerLease) -> None:
    """Give a sign of life. Within a transaction the lease cannot expire until its end.

    Raises:
        LeaseLost: it was taken away.
    """
    if not WorkerLease.objects.filter(pk=lease.pk).update(renewed_at=clock.now()):
        raise LeaseLost


def release_lease(lease: WorkerLease) -> bool:
    """Give the lease back; ``False`` if it was taken away."""
    return bool(WorkerLease.objects.filter(pk=lease.pk).delete()[0])


def expired() -> Q:
    """True of leases that were not renewed for too long."""
    return Q(renewed_at__lt=clock.now() - EXPIRY)


def lock_dead_lease(lease: WorkerLease, dead: Q) -> bool:
    """Hold the lease of a process that is dead until the transaction ends; the caller holds its job or import.

    Args:
        dead: what still has to be true of the lease. One that somebody has locked is being renewed at this moment.
    """
    return WorkerLease.objects.select_for_update(skip_locked=True).filter(dead, pk=lease.pk).first() is not None


def count_expiry(work: SyncJob | Import) -> bool:
    """Write down that a lease expired; ``True`` if that was once too often in a row."""
    work.expired_leases = F("expired_leases") + 1
    work.save(update_fields=["expired_leases"])
    work.refresh_from_db(fields=["expired_leases"])
    return work.expired_leases >= MOST_EXPIRIES


@contextmanager
def heartbeat(lease: WorkerLease, *, every_seconds: float = HEARTBEAT_SECONDS) -> Iterator[None]:
    """Renew a lease from a thread of its own while the block runs."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, over, every_seconds), daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(lease: WorkerLease, over: threading.Event, every_seconds: float) -> None:
    try:
        while not over.wait(every_seconds):
            renew_unless_locked(lease)
    finally:
        connection.close()


def renew_unless_locked(lease: WorkerLease) -> None:
    """Renew a lease, if it was not taken away; says nothing of what goes wrong but in the log."""
    try:
        connection.close_if_unusable_or_obsolete()
        with transaction.atomic():
            # Not waiting for a lock: the process holds it itself where it writes all rows in one transaction.
            for mine in WorkerLease.objects.select_for_update(skip_locked=True).filter(pk=lease.pk):
                WorkerLease.objects.filter(pk=mine.pk).update(renewed_at=clock.now())
    except Error as error:
        # The next heartbeat may get through; until then the lease is as old as it looks.
        logger.warning("A heartbeat could not be saved: %s", type(error).__name__)
