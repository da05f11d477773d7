"""Erasing a person: what would be changed, asking for it, doing it in the background until nothing is found."""

from __future__ import annotations

from collections import Counter

from django.db import transaction
from django.db.models import Q
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.jobs.queue import BackgroundWork
from mobjects.models import Erasure, Import, OpportunityPersonRole, SyncJobSource
from mobjects.models.synced_record import UNDER_WAY
from mobjects.retention.erasure import places
from mobjects.retention.erasure.person import PersonName, digest_of, seal, unseal
from mobjects.retention.periods import session_model

RUNNER = f"{__name__}.run_erasure"
ERASURE_WORK = BackgroundWork(RUNNER, "erasure", lambda: Erasure.objects.filter(ended_at__isnull=True))
SHORTEST = 2
MOST_PASSES = 3
"""So often all places are looked through: what runs meanwhile may write the person where it was looked before."""


def preview_erasure(value: str) -> dict[str, int]:
    """How much would be changed or removed, by place; nothing is changed."""
    person = PersonName(value, "[erased]")
    found = {}
    for model in places.searched_models():
        found[str(model._meta.model_name)] = sum(len(page) for page in places.iter_changes(model, person))
    found["files"] = sum(1 for _ in places.imports_with_person(person))
    found["sessions"] = len(places.sessions_with_person(person))
    try:
        found["queue"] = len(places.queued_with_person(person))
    except RedisError:
        found["queue"] = 0
    return {name: count for name, count in found.items() if count}


def request_erasure(
    value: str, *, source: SyncJobSource, username: str, reason: str = "", enqueue: bool = True
) -> Erasure:
    """Write down that a person is to be erased, and have a worker do it.

    Args:
        value: person key or ID.
        source: who asks.
        username: kept in the log.
        reason: likewise.
        enqueue: ``False`` if the caller runs it.
    """
    with transaction.atomic():
        erasure = Erasure.objects.create(
            digest=digest_of(value), sealed=seal(value), source=source, username=username, reason=reason
        )
        if enqueue:
            ERASURE_WORK.enqueue_after_commit(erasure.pk)
    return erasure


def is_blocked(person: PersonName) -> bool:
    """Whether the person is on the way to Marketo, or an import of roles is worked on: then it has to wait."""
    named = Q(person_key=person.value) | (Q() if person.number is None else Q(person_id=person.number))
    roles = OpportunityPersonRole.objects.filter(named).filter(UNDER_WAY)
    return roles.exists() or Import.objects.filter(kind="roles", state__in=Import.WORKING_STATES).exists()


def run_erasure(pk: int) -> bool:
    """Do all that is left of an erasure. Safe to call at any time, by any number of workers.

    Returns:
        Whether it is done; if not, it waits for what goes on, and the sweep calls it again.
    """
    erasure = Erasure.objects.filter(pk=pk, ended_at__isnull=True).first()
    if erasure is None:
        return True
    person = PersonName(unseal(erasure.sealed), erasure.mark)
    if is_blocked(person):
        Erasure.objects.filter(pk=pk).update(step_at=clock.now())
        return False
    for _number in range(MOST_PASSES):
        if not _erase_once(erasure, person):
            break
    Erasure.objects.filter(pk=pk, ended_at__isnull=True).update(ended_at=clock.now(), sealed="")
    return True


def _erase_once(erasure: Erasure, person: PersonName) -> int:
    """Look through all places once; how much was changed."""
    changed = 0
    # Files first: an import that waits is discarded before its rows are changed.
    for imported in list(places.imports_with_person(person)):
        places.remove_file(imported, erasure.pk)
        changed += _count(erasure, "files", 1)
    for model in places.searched_models():
        for page in places.iter_changes(model, person):
            number = places.write_changes(model, page, erasure.username, erasure.pk) if page else 0
            changed += _count(erasure, str(model._meta.model_name), number)
    sessions = places.sessions_with_person(person)
    session_model()._default_manager.filter(pk__in=sessions).delete()
    changed += _count(erasure, "sessions", len(sessions))
    try:
        failed = places.queued_with_person(person)
        for job in failed:
            job.delete()
        changed += _count(erasure, "queue", len(failed))
    except RedisError:
        pass  # It forgets within a day.
    return changed


def _count(erasure: Erasure, name: str, number: int) -> int:
    if number:
        erasure.counts = dict(Counter(erasure.counts) + Counter({name: number}))
        Erasure.objects.filter(pk=erasure.pk).update(counts=erasure.counts, step_at=clock.now())
    return number
