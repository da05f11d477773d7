"""What goes when its period is over, what stays, what is never touched, and that the log says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.utils import timezone

from mobjects.audit.door import history_opened
from mobjects.models import (
    AuditEvent,
    Conflict,
    Download,
    EarlierCall,
    IdempotencyKey,
    Import,
    ImportPart,
    ImportProblem,
    ImportRow,
    ImportState,
    Purge,
    PurgeKind,
    RecordEdit,
    RecordStatus,
    SyncBatch,
    SyncJob,
    SyncJobAction,
    SyncJobSource,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.retention import kinds, service
from mobjects.retention.leave import give_leave, has_leave, list_waiting_kinds
from tests import factories
from tests.support.approvals import waiting_approval
from tests.support.rewriting import rewrite
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

LONG_AGO = timezone.now() - timedelta(days=4000)


def purge(*chosen: PurgeKind) -> dict[str, dict[str, int]]:
    """Purge kinds in this process; what went, by kind."""
    made = service.request_purge(chosen or PurgeKind, source=SyncJobSource.COMMAND, enqueue=False)
    for each in made:
        service.run_purge(each.pk)
    assert not Purge.objects.filter(ended_at__isnull=True).exists()
    return {each.kind: each.counts for each in Purge.objects.filter(pk__in=[row.pk for row in made]) if each.counts}


def old_job(**values) -> SyncJob:
    """A job of long ago with a batch, an earlier call and a result, all with values."""
    at = values.pop("at", LONG_AGO)
    job = rewrite(pages.job(finished_at=at, **values), created_at=at)
    batch = pages.batch(job, request="<sent/>", response="<answer/>", headers={"request": {"A": "b"}})
    EarlierCall.objects.create(batch=batch, position=1, request="<first/>")
    pages.result(job, batch=batch, sent={"Name": "New"}, diff=[["Name", "Old", "New"]], error="")
    job.refresh_from_db()
    return job


def old_import(state: ImportState, **values) -> Import:
    made = Import.objects.create(
        kind="programs",
        state=state,
        file_name="a.csv",
        size=3,
        format="csv",
        samples=[["x"]],
        counts={"new": 1},
        **values,
    )
    Import.objects.filter(pk=made.pk).update(created_at=LONG_AGO)
    ImportPart.objects.create(imported=made, number=0, data=b"abc")
    ImportRow.objects.create(imported=made, number=2, outcome="new", data={"name": "x"})
    ImportProblem.objects.create(imported=made, number=2, value="x", rule="is wrong")
    made.refresh_from_db()
    return made


def has_values(job: SyncJob) -> bool:
    return SyncResult.objects.filter(job=job).exclude(sent={}).exists()


def test_values_of_an_old_job_go_and_its_rows_stay():
    job, young = old_job(), old_job(at=timezone.now() - timedelta(days=10))
    went = purge(PurgeKind.PAYLOADS, PurgeKind.RESULTS)
    assert went == {"payloads": {"batches": 1, "calls": 1}, "results": {"results": 1}}
    batch, result = SyncBatch.objects.get(job=job), SyncResult.objects.get(job=job)
    assert (batch.request, batch.response, batch.headers, batch.state) == ("", "", {}, "answered")
    assert (result.sent, result.diff, result.label, result.status) == ({}, [], "Gone", "CREATED")
    assert EarlierCall.objects.get(batch=batch).request == ""
    job.refresh_from_db()
    assert job.payloads_removed_at
    assert job.values_removed_at
    assert has_values(young)
    assert SyncBatch.objects.get(job=young).request == "<sent/>"


def test_what_went_does_not_go_again():
    old_job()
    purge(PurgeKind.RESULTS)
    assert purge(PurgeKind.RESULTS) == {}


@pytest.mark.parametrize("state", [SyncJobState.PAUSED, SyncJobState.WAITING, SyncJobState.RUNNING])
def test_a_job_that_is_not_over_keeps_everything(state):
    job = old_job(state=state)
    assert purge(PurgeKind.PAYLOADS, PurgeKind.RESULTS) == {}
    assert has_values(job)


@pytest.mark.parametrize("action", [SyncJobAction.UNDO, SyncJobAction.SEND])
def test_a_job_that_an_open_job_follows_keeps_everything(action):
    job = old_job(action=SyncJobAction.DRY_RUN if action == SyncJobAction.SEND else SyncJobAction.SEND)
    follower = pages.job(state=SyncJobState.QUEUED, action=action, origin=job)
    assert purge(PurgeKind.PAYLOADS, PurgeKind.RESULTS) == {}
    SyncJob.objects.filter(pk=follower.pk).update(state=SyncJobState.SUCCEEDED)
    assert set(purge(PurgeKind.PAYLOADS, PurgeKind.RESULTS)) == {"payloads", "results"}


@pytest.mark.parametrize("state", [SyncJobState.HELD, SyncJobState.QUEUED, SyncJobState.PAUSED])
def test_what_an_approval_shows_of_a_job_that_is_not_over_keeps_everything(state):
    preview = old_job(action=SyncJobAction.DRY_RUN, counts={"PLANNED": 1})
    held = pages.job(state=state)
    waiting_approval(held, preview=preview)
    assert purge(PurgeKind.RESULTS, PurgeKind.PAYLOADS) == {}
    SyncJob.objects.filter(pk=held.pk).update(state=SyncJobState.CANCELLED)
    assert purge(PurgeKind.RESULTS) == {"results": {"results": 1}}


def test_a_job_with_an_unknown_outcome_keeps_everything():
    job = old_job()
    record = factories.opportunity(last_status=RecordStatus.UNKNOWN)
    pages.result(job, record_id=record.pk, status=SyncResultStatus.UNKNOWN, sent={"Name": "x"})
    assert purge(PurgeKind.PAYLOADS, PurgeKind.RESULTS) == {}
    type(record).objects.filter(pk=record.pk).update(last_status=RecordStatus.CREATED)
    assert purge(PurgeKind.RESULTS) == {"results": {"results": 2}}


def test_a_job_with_a_claimed_record_keeps_everything():
    job = old_job()
    factories.opportunity(claimed_by=SyncBatch.objects.get(job=job))
    assert purge(PurgeKind.RESULTS) == {}


def test_a_job_with_an_open_decision_keeps_everything_until_it_is_made():
    job = old_job()
    values = {"kind": "Opportunity", "record_id": 1, "label": "x", "reason": "both", "here": {"Name": "x"}}
    conflict = Conflict.objects.create(job=job, **values)
    assert purge(PurgeKind.RESULTS, PurgeKind.DECISIONS) == {}
    Conflict.objects.update(decided_at=LONG_AGO)
    assert purge(PurgeKind.RESULTS, PurgeKind.DECISIONS) == {"results": {"results": 1}, "decisions": {"decisions": 1}}
    conflict.refresh_from_db()
    assert (conflict.here, bool(conflict.values_removed_at)) == ({}, True)


def test_file_and_rows_of_an_import_go_and_the_import_stays():
    imported = old_import(ImportState.COMMITTED, committed_at=LONG_AGO)
    went = purge(PurgeKind.FILES, PurgeKind.ROWS)
    assert went == {"files": {"pieces": 1}, "rows": {"rows": 1, "problems": 1}}
    imported.refresh_from_db()
    assert (imported.samples, imported.file_name, imported.counts) == ([], "a.csv", {"new": 1})
    assert imported.file_removed_at
    assert imported.rows_removed_at
    assert not ImportPart.objects.exists()
    assert not ImportRow.objects.exists()


@pytest.mark.parametrize(
    "state",
    [ImportState.REVIEW, ImportState.MAPPING, ImportState.COMMITTING, ImportState.UNDOING, ImportState.CHECKING],
)
def test_an_import_that_is_not_over_keeps_everything(state):
    old_import(state)
    assert purge(PurgeKind.FILES, PurgeKind.ROWS) == {}
    assert ImportPart.objects.exists()


def test_the_period_begins_with_the_last_step():
    old_import(ImportState.UNDONE, committed_at=LONG_AGO, undone_at=timezone.now())
    assert purge(PurgeKind.FILES, PurgeKind.ROWS) == {}


def test_edits_downloads_and_expired_sessions_go_as_a_whole():
    now = timezone.now()
    for at in (LONG_AGO, now):
        values = {"kind": "Program", "record_id": 1, "changes": [["Name", "a", "b"]], "source": "form"}
        RecordEdit.objects.create(created_at=at, **values)
        download = Download.objects.create(format="csv")
        Download.objects.filter(pk=download.pk).update(created_at=at)
        AuditEvent.objects.create(kind="paused", created_at=at)
        IdempotencyKey.objects.create(digest=str(at))
        IdempotencyKey.objects.filter(digest=str(at)).update(created_at=at)
    Session.objects.create(session_key="over", expire_date=now - timedelta(hours=1))
    Session.objects.create(session_key="open", expire_date=now + timedelta(hours=1))
    went = purge(PurgeKind.EDITS, PurgeKind.DOWNLOADS, PurgeKind.SESSIONS, PurgeKind.AUDIT)
    assert went.pop("audit") == {"events": 1}
    assert went == {"edits": {"edits": 1}, "downloads": {"downloads": 1}, "sessions": {"sessions": 1, "keys": 1}}
    assert IdempotencyKey.objects.get().created_at == now
    assert [row.created_at for row in RecordEdit.objects.all()] == [now]
    assert [row.session_key for row in Session.objects.all()] == ["open"]


def test_a_period_of_nought_keeps_for_ever(settings):
    settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, "results": 0}
    job = old_job()
    assert purge(PurgeKind.RESULTS) == {}
    assert has_values(job)


def test_many_results_go_in_statements_of_a_bounded_size():
    job = old_job()
    rows = [
        SyncResult(
            job=job, kind="Opportunity", record_id=n, label="x", revision=1, sent={"Name": "x"}, status="CREATED"
        )
        for n in range(kinds.CHUNK * 2)
    ]
    SyncResult.objects.bulk_create(rows)
    with history_opened("as a purge does"):
        chunks = [chunk() for chunk in service.BY_NAME[PurgeKind.RESULTS].iter_chunks(timezone.now())]
    sizes = [size for chunk in chunks if (size := chunk.total())]
    assert sum(sizes) == kinds.CHUNK * 2 + 1
    assert max(sizes) <= kinds.CHUNK
    assert not has_values(job)


def test_a_job_that_becomes_needed_between_two_chunks_keeps_the_rest():
    job = old_job()
    chunks = service.BY_NAME[PurgeKind.RESULTS].iter_chunks(timezone.now())
    first = next(chunks)
    pages.job(state=SyncJobState.QUEUED, action=SyncJobAction.UNDO, origin=job)
    assert first().total() == 0
    assert sum(chunk().total() for chunk in chunks) == 0
    job.refresh_from_db()
    assert has_values(job)
    assert job.values_removed_at is None


@pytest.mark.django_db(transaction=True)
def test_the_clock_asks_once_a_day_and_a_worker_does_it(queue, work):
    job = old_job()
    give_leave_for(PurgeKind.PAYLOADS, PurgeKind.RESULTS)
    service.purge_if_due()
    service.purge_if_due()
    assert sorted(Purge.objects.values_list("kind", flat=True)) == ["payloads", "results", "sessions"]
    assert queue.count == 3
    work()
    assert not has_values(job)
    assert {row.source for row in Purge.objects.filter(ended_at__isnull=False)} == {"schedule"}
    Purge.objects.update(created_at=timezone.now() - timedelta(days=2))
    service.purge_if_due()
    assert Purge.objects.filter(ended_at__isnull=True).values_list("kind", flat=True).get() == "sessions"


def give_leave_for(*kinds: PurgeKind) -> None:
    for kind in kinds:
        has_leave(kind, timezone.now())
    give_leave(kinds, "alice")


def asked() -> list[str]:
    """The kinds that the clock asked for, in a look at everything."""
    Purge.objects.filter(kind=PurgeKind.SESSIONS).delete()
    before = set(Purge.objects.values_list("pk", flat=True))
    service.purge_if_due()
    made = Purge.objects.exclude(pk__in=before).exclude(kind=PurgeKind.SESSIONS)
    return sorted(made.values_list("kind", flat=True))


def test_the_first_purge_waits_for_the_notice():
    old_job()
    assert asked() == []
    assert [each.kind for each in list_waiting_kinds()] == [PurgeKind.PAYLOADS, PurgeKind.RESULTS]
    with time_machine.travel(timezone.now() + timedelta(days=13), tick=True):
        assert asked() == []
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=True):
        assert asked() == ["payloads", "results"]
        assert list_waiting_kinds() == []


def test_a_period_that_was_made_shorter_waits_anew(settings):
    old_job()
    give_leave_for(PurgeKind.PAYLOADS)
    assert asked() == ["payloads"]
    settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, "payloads": 30}
    assert asked() == []
    assert PurgeKind.PAYLOADS in [each.kind for each in list_waiting_kinds()]


@pytest.mark.parametrize(("limit", "count", "more"), [(2, 2, True), (3, 3, False), (9, 3, False)])
def test_a_preview_counts_so_many_rows_and_says_that_there_are_more(limit, count, more):
    job = old_job()
    for _number in range(2):
        pages.result(job, sent={"Name": "x"})
    for at in (LONG_AGO, LONG_AGO, LONG_AGO, timezone.now()):
        AuditEvent.objects.create(kind="paused", created_at=at)
    for kind in (PurgeKind.RESULTS, PurgeKind.AUDIT):
        found = service.BY_NAME[kind].preview(timezone.now() - timedelta(days=1), limit)
        assert (found.count, found.more, found.oldest) == (count, more, LONG_AGO)
    assert found.text == f"{count}{'+' if more else ''}"


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_the_queue_lost_is_found_again(queue, work):
    job = old_job()
    service.request_purge([PurgeKind.RESULTS], source=SyncJobSource.ADMIN)
    queue.empty()
    service.PURGE_WORK.sweep()
    assert queue.count == 0
    Purge.objects.update(created_at=LONG_AGO)
    service.PURGE_WORK.sweep()
    service.PURGE_WORK.sweep()
    assert queue.count == 1
    work()
    assert not has_values(job)
