"""Small jobs are purged together, and what a purge promises of each of them holds all the same."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mobjects.audit.door import history_opened
from mobjects.audit.sealing import seal_everything, seal_once
from mobjects.audit.verifying import verify_history
from mobjects.models import (
    HistorySeal,
    Purge,
    PurgeKind,
    SealKind,
    SyncBatch,
    SyncJob,
    SyncJobAction,
    SyncJobSource,
    SyncJobState,
    SyncResult,
)
from mobjects.retention import kinds, service
from tests.support.rewriting import rewrite
from tests.views import pages

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=4000)


def old_jobs(*sizes: int) -> list[SyncJob]:
    """Jobs of long ago with so many results each, the first one the oldest."""
    jobs = []
    for number, size in enumerate(sizes):
        at = LONG_AGO + timedelta(minutes=number)
        jobs.append(rewrite(pages.job(finished_at=at), created_at=at))
        values = {"kind": "Opportunity", "label": "x", "revision": 1, "sent": {"Name": "x"}, "status": "CREATED"}
        SyncResult.objects.bulk_create(SyncResult(job=jobs[-1], record_id=n, **values) for n in range(size))
    return jobs


def asked() -> Purge:
    [purge] = service.request_purge([PurgeKind.RESULTS], source=SyncJobSource.COMMAND, enqueue=False)
    return purge


def chunks_of(purge: Purge) -> list[kinds.Chunk]:
    return list(service.BY_NAME[PurgeKind.RESULTS].iter_chunks(purge.until))


def whole() -> set[SyncJob]:
    """Jobs that have a value left, or are not marked."""
    left = SyncResult.objects.exclude(sent={}).values("job")
    return set(SyncJob.objects.filter(pk__in=left) | SyncJob.objects.filter(values_removed_at=None))


def test_small_jobs_go_in_one_transaction_of_as_many_statements_as_one_takes():
    spent = []
    for sizes in ((3,), (3,) * 20):
        old_jobs(*sizes)
        purge = asked()
        [chunk] = chunks_of(purge)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            service.do_chunk(purge.pk, chunk)
        spent.append(len(queries))
        purge.refresh_from_db()
        assert purge.counts == {"results": sum(sizes)}
    assert spent[0] == spent[1]
    assert whole() == set()


def test_a_transaction_holds_no_more_rows_than_it_may_whatever_the_jobs_are_like():
    much = kinds.CHUNK
    old_jobs(much // 2, much // 2, 1, much + 1, 1, 0, much - 2)
    purge, sizes = asked(), []
    for chunk in chunks_of(purge):
        before = Purge.objects.get(pk=purge.pk).removed_count
        service.do_chunk(purge.pk, chunk)
        sizes.append(Purge.objects.get(pk=purge.pk).removed_count - before)
    # Each job that goes with others is marked, which is a row as well; the large one is marked by itself.
    assert sizes == [much // 2, much // 2 + 1, much, 1, 0, 1, much - 2]
    assert whole() == set()


def test_requests_count_as_ten_rows_each():
    job, many = old_jobs(0)[0], kinds.CHUNK // 10 + 1
    values = {"kind": "Opportunity", "operation": "UPSERT", "state": "answered", "request": "<sent/>"}
    SyncBatch.objects.bulk_create(SyncBatch(job=job, sequence=n, **values) for n in range(many))
    [purge] = service.request_purge([PurgeKind.PAYLOADS], source=SyncJobSource.COMMAND, enqueue=False)
    with history_opened("as a purge does"):
        chunks = [chunk() for chunk in service.BY_NAME[PurgeKind.PAYLOADS].iter_chunks(purge.until)]
    assert [chunk.total() for chunk in chunks] == [many - 1, 1, 0]
    job.refresh_from_db()
    assert job.payloads_removed_at


def test_a_job_that_becomes_needed_stays_and_the_others_go():
    first, needed, last = old_jobs(2, 2, 2)
    purge = asked()
    [chunk] = chunks_of(purge)
    pages.job(state=SyncJobState.QUEUED, action=SyncJobAction.UNDO, origin=needed)
    service.do_chunk(purge.pk, chunk)
    assert whole() & {first, needed, last} == {needed}
    assert Purge.objects.get(pk=purge.pk).counts == {"results": 4}


def test_a_purge_that_died_between_two_steps_goes_on_and_counts_each_row_once():
    old_jobs(kinds.CHUNK - 1, 5, 5)
    purge = asked()
    service.do_chunk(purge.pk, chunks_of(purge)[0])
    assert len(whole()) == 2
    service.run_purge(purge.pk)
    purge.refresh_from_db()
    assert purge.counts == {"results": kinds.CHUNK + 9}
    assert purge.ended_at
    assert whole() == set()


def test_what_went_together_is_in_the_chain_row_by_row():
    old_jobs(2, 3)
    seal_everything()
    purge = asked()
    service.run_purge(purge.pk)
    [link] = HistorySeal.objects.filter(what=SealKind.CHANGED, reason__startswith="purge")
    assert (link.table, link.reason) == ("result", f"purge {purge.pk}")
    assert sorted(link.rows) == sorted(SyncResult.objects.values_list("pk", flat=True))
    assert verify_history().broken is None


@pytest.mark.django_db(transaction=True)
def test_a_job_that_runs_waits_for_no_purge():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")
    old_jobs(3)
    running = pages.job(state=SyncJobState.RUNNING)
    seal_everything()
    purge, done = asked(), []

    def work() -> None:
        with closing(connection):
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            pages.result(running, batch=pages.batch(running, state="sending"), status="PENDING")
            SyncJob.objects.filter(pk=running.pk).update(planned=2)
            done.append(seal_once())

    with transaction.atomic():
        service.do_chunk(purge.pk, chunks_of(purge)[0])
        # All is written and in the chain, and nothing is committed.
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert done == [None]  # The sealer comes another time.
    assert SyncResult.objects.filter(job=running).exists()
