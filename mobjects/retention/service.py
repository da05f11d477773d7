"""Purging: what would go, asking for it, doing it in the background chunk by chunk, and once a day by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from mobjects import clock
from mobjects.audit.door import history_opened
from mobjects.db.retry import retry_on_database_error
from mobjects.jobs.queue import BackgroundWork
from mobjects.models import Purge, PurgeKind, SyncJobSource
from mobjects.retention import kinds_of_jobs, kinds_of_records
from mobjects.retention.kinds import Chunk, DueRows, RetentionKind
from mobjects.retention.leave import give_leave, has_leave
from mobjects.retention.periods import days_of, end_of_period

RUNNER = f"{__name__}.run_purge"
PURGE_WORK = BackgroundWork(RUNNER, "purge", lambda: Purge.objects.filter(ended_at__isnull=True))
EVERY = timedelta(days=1)
"""How often it is looked by itself whether something is due."""

KINDS: tuple[RetentionKind, ...] = (
    kinds_of_jobs.PayloadKind(),
    kinds_of_jobs.ResultKind(),
    kinds_of_jobs.DecisionKind(),
    kinds_of_records.FileKind(),
    kinds_of_records.RowKind(),
    kinds_of_records.DeletionKind(),
    kinds_of_records.BulkEditKind(),
    kinds_of_records.EditKind(),
    kinds_of_records.DownloadKind(),
    kinds_of_records.AuditKind(),
    kinds_of_records.NoticeKind(),
    kinds_of_records.SessionKind(),
)
"""In the order of pages and of a purge."""

BY_NAME = {PurgeKind(each.kind): each for each in KINDS}


@dataclass(frozen=True, slots=True)
class PurgePreview:
    """What of a kind would go.

    Args:
        kind: which.
        days: its period; ``None`` if it is kept for ever.
        until: what ended before would go.
        due: how many, the oldest and the newest.
    """

    kind: PurgeKind
    days: int | None
    until: datetime | None
    due: DueRows


def preview_purge(kinds: Iterable[PurgeKind] = PurgeKind) -> list[PurgePreview]:
    """What would go now, kind by kind."""
    now = clock.now()
    found = []
    for kind in kinds:
        until = end_of_period(kind, now)
        due = BY_NAME[kind].preview(until) if until else DueRows(0, None, None)
        found.append(PurgePreview(kind, days_of(kind), until, due))
    return found


def request_purge(
    kinds: Iterable[PurgeKind] = PurgeKind,
    *,
    source: SyncJobSource,
    user: User | None = None,
    username: str = "",
    enqueue: bool = True,
) -> list[Purge]:
    """Write down that some kinds are to be purged, and have a worker do it.

    Args:
        kinds: those that are kept for ever are left out.
        source: who asks.
        user: if that is one of our users.
        username: kept in the log.
        enqueue: ``False`` if the caller does it.

    Returns:
        One for each kind, in the order of their doing.
    """
    now = clock.now()
    made = []
    with transaction.atomic():
        for kind in kinds:
            until = end_of_period(kind, now)
            if until is not None:
                name = user.get_username() if user else username
                values = {"days": days_of(kind) or 0, "until": until, "source": source, "username": name}
                made.append(Purge.objects.create(kind=kind, **values))
        give_leave([PurgeKind(purge.kind) for purge in made], user.get_username() if user else username)
        if enqueue:
            for purge in made:
                PURGE_WORK.enqueue_after_commit(purge.pk)
    return made


def run_purge(pk: int) -> None:
    """Do all that is left of a purge. Safe to call at any time, by any number of workers."""
    purge = Purge.objects.filter(pk=pk, ended_at__isnull=True).first()
    if purge is None:
        return
    for chunk in BY_NAME[PurgeKind(purge.kind)].iter_chunks(purge.until):
        if not do_chunk(pk, chunk):
            return
    Purge.objects.filter(pk=pk, ended_at__isnull=True).update(ended_at=clock.now())


@retry_on_database_error
def do_chunk(pk: int, chunk: Chunk) -> bool:
    """Do a chunk and add to the log what went; ``False`` if another worker has ended the purge meanwhile."""
    with history_opened(f"purge {pk}"):
        purge = Purge.objects.select_for_update().get(pk=pk)
        if purge.ended_at is not None:
            return False
        counts = Counter(purge.counts) + chunk()
        Purge.objects.filter(pk=pk).update(counts=dict(counts), step_at=clock.now())
    return True


def purge_if_due() -> None:
    """Once a day have everything go whose period is over and that may go by itself. Two that ask at once do no harm."""
    sessions = Purge.objects.filter(kind=PurgeKind.SESSIONS, source=SyncJobSource.SCHEDULE)
    now = clock.now()
    if sessions.filter(created_at__gt=now - EVERY).exists():
        return
    ends = {kind: end_of_period(kind, now) for kind in PurgeKind}
    due = [kind for kind, until in ends.items() if until and BY_NAME[kind].has_due(until) and has_leave(kind, now)]
    # The sessions are always among them, and so say when it was looked last.
    request_purge(dict.fromkeys([*due, PurgeKind.SESSIONS]), source=SyncJobSource.SCHEDULE)


def removed_before(kind: PurgeKind) -> Purge | None:
    """The newest purge of a kind that removed anything, which says up to when nothing is left."""
    found = Purge.objects.filter(kind=kind).exclude(counts={}).order_by("-pk")
    return found.first()
