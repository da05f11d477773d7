"""The lease of a worker on a job or an import: one rule for both."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from mobjects.jobs import lease as leases
from mobjects.models import Import, ImportState, SyncJobState, WorkerLease
from tests import factories
from tests.support.concurrent import Concurrently, in_transaction, postgresql

LONG_AGO = timedelta(minutes=5)


def job():
    return factories.job_in(SyncJobState.RUNNING)


def an_import():
    return Import.objects.create(kind="opportunities", size=1, file_name="a.csv", state=ImportState.CHECKING)


@pytest.fixture(params=[job, an_import], ids=["job", "import"])
def lease(request, db):
    """Acquired, and last renewed long ago."""
    acquired = leases.acquire_lease(request.param(), "queue-id")
    WorkerLease.objects.update(renewed_at=timezone.now() - LONG_AGO)
    acquired.refresh_from_db()
    return acquired


def is_fresh(lease) -> bool:
    lease.refresh_from_db()
    return lease.renewed_at > timezone.now() - leases.EXPIRY


def is_fresh_by_now(lease) -> bool:
    """As seen by a thread other than the one that renews it."""
    try:
        return is_fresh(lease)
    except OperationalError:  # A SQLite in memory does not wait: it is being renewed at this moment.
        return False


def test_a_lease_that_was_not_renewed_for_too_long_is_expired_and_a_renewed_one_is_not(lease):
    assert WorkerLease.objects.filter(leases.expired()).get() == lease
    leases.renew_lease(lease)
    assert not WorkerLease.objects.filter(leases.expired()).exists()


def test_who_lost_a_lease_can_neither_renew_nor_release_it(lease):
    assert leases.release_lease(lease)
    with pytest.raises(leases.LeaseLost):
        leases.renew_lease(lease)
    assert not leases.release_lease(lease)
    assert not leases.holds_lease(lease)


def test_a_lease_that_was_renewed_in_the_last_moment_is_not_taken_for_dead(lease):
    dead = leases.expired()
    assert leases.lock_dead_lease(lease, dead)
    leases.renew_lease(lease)
    assert not leases.lock_dead_lease(lease, dead)


def test_as_many_expiries_in_a_row_as_are_allowed_are_once_too_often(lease):
    work = lease.job or lease.imported
    assert [leases.count_expiry(work) for _ in range(leases.MOST_EXPIRIES)] == [False, False, False, False, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [job, an_import])
def test_a_heartbeat_renews_the_lease_from_a_thread(work):
    lease = leases.acquire_lease(work())
    WorkerLease.objects.update(renewed_at=timezone.now() - LONG_AGO)
    pause = threading.Event()
    with leases.heartbeat(lease, every_seconds=0.01):
        assert any(is_fresh_by_now(lease) or pause.wait(0.02) for _ in range(500))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [job, an_import])
def test_a_heartbeat_does_not_bring_back_a_lost_lease(work):
    lease = leases.acquire_lease(work())
    leases.release_lease(lease)
    leases.renew_unless_locked(lease)
    assert not leases.holds_lease(lease)


@pytest.mark.django_db
def test_the_database_knows_no_second_lease_on_an_import():
    imported = an_import()
    leases.acquire_lease(imported)
    with pytest.raises(IntegrityError):
        leases.acquire_lease(imported)


@pytest.mark.django_db
def test_a_lease_is_of_a_job_or_of_an_import_and_never_of_both_or_none():
    for both in ({}, {"job": job(), "imported": an_import()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            WorkerLease.objects.create(process="x", renewed_at=timezone.now(), **both)


def test_a_lease_outlives_three_heartbeats_that_did_not_get_through():
    assert 4 * timedelta(seconds=leases.HEARTBEAT_SECONDS) <= leases.EXPIRY


def test_expiries_are_added_to_those_in_the_database(lease):
    work = lease.job or lease.imported
    stale = type(work).objects.get(pk=work.pk)
    leases.count_expiry(work)
    leases.count_expiry(stale)
    assert stale.expired_leases == 2


@postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [job, an_import])
def test_a_lease_that_is_being_renewed_is_alive_and_nobody_waits_to_end_it(work):
    lease = leases.acquire_lease(work())
    with transaction.atomic():
        leases.renew_lease(lease)
        other = Concurrently(in_transaction(lambda: leases.lock_dead_lease(lease, Q())))
        assert not other.waits
    assert other.result() is False


@postgresql
@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_does_not_wait_for_the_long_transaction_of_its_own_process():
    lease = leases.acquire_lease(an_import())
    with transaction.atomic():
        leases.renew_lease(lease)
        assert not Concurrently(lambda: leases.renew_unless_locked(lease)).waits
