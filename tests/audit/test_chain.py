"""The chain over the history: what is sealed, what verification names, what goes through the door."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from mobjects import clock
from mobjects.audit.door import history_opened, is_open
from mobjects.audit.events import record_event
from mobjects.audit.guard_triggers import install_guard_triggers, remove_guard_triggers
from mobjects.audit.history_tables import TABLES
from mobjects.audit.sealing import seal_everything, seal_for_a_while, seal_once
from mobjects.audit.verifying import verify_history
from mobjects.db.edit_context import edit
from mobjects.models import (
    AuditEvent,
    EarlierCall,
    EditSource,
    EventKind,
    HistoryChange,
    HistorySeal,
    HistoryState,
    RecordEdit,
    SyncBatch,
    SyncJob,
    SyncResult,
)
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db(transaction=True)


def make_history() -> SyncJob:
    """A finished row in each table."""
    job = pages.job(username="alice")
    batch = pages.batch(job, request="<request/>", response="<answer/>")
    EarlierCall.objects.create(batch=batch, position=1, request="<earlier/>")
    pages.result(job, batch=batch, sent={"Name": "Q1"}, diff=[["Name", "", "Q1"]])
    with edit(EditSource.FORM, username="alice"):
        factories.opportunity(name="Q1")
    record_event(EventKind.SIGNED_IN, username="alice")
    return job


def sql(statement: str) -> None:
    """As somebody with the database's password would do it, the triggers out of the way."""
    remove_guard_triggers(None, "default")
    with connection.cursor() as cursor:
        cursor.execute(statement)
    install_guard_triggers(None, "default")


def broken() -> str:
    return str(verify_history().broken or "")


def test_all_that_is_finished_is_sealed_and_verified():
    make_history()
    seal_everything()
    found = verify_history()
    assert (found.broken, found.waiting) == (None, 0)
    assert {seal.table for seal in HistorySeal.objects.all()} == set(TABLES)
    assert found.rows == sum(table.model._base_manager.count() for table in TABLES.values())


TAMPERING = {
    "job": "UPDATE mobjects_syncjob SET username = 'mallory'",
    "batch": "UPDATE mobjects_syncbatch SET request = '<other/>'",
    "call": "UPDATE mobjects_earliercall SET request = '<other/>'",
    "result": "UPDATE mobjects_syncresult SET status = 'FAILED'",
    "edit": "UPDATE mobjects_recordedit SET username = 'mallory'",
    "event": "UPDATE mobjects_auditevent SET address = '192.0.2.1'",
}


@pytest.mark.parametrize("name", TAMPERING)
def test_a_row_that_was_changed_is_named(name):
    make_history()
    seal_everything()
    sql(TAMPERING[name])
    table = TABLES[name]
    key = table.find_key(table.model._base_manager.values_list("pk", flat=True).get())
    assert broken().startswith(f"{name} {key}: It was changed;")


@pytest.mark.parametrize("name", [name for name in TAMPERING if name not in ("job", "batch")])
def test_a_row_that_was_removed_is_named(name):
    make_history()
    seal_everything()
    table = TABLES[name]
    key = table.model._base_manager.values_list("pk", flat=True).get()
    sql(f"DELETE FROM {table.table}")
    assert broken().startswith(f"{name} {key}: It was removed;")


def test_a_row_that_is_slipped_in_under_an_old_number_is_named():
    first = record_event(EventKind.SIGNED_IN, username="alice")
    with transaction.atomic():  # A number that is drawn and never used.
        lost = record_event(EventKind.SIGNED_IN, username="nobody").pk
        transaction.set_rollback(True)
    record_event(EventKind.SIGNED_IN, username="bob")
    seal_everything()
    if connection.vendor == "sqlite":  # It gives the number to the next one: make room otherwise.
        lost = first.pk - 1
    AuditEvent.objects.create(pk=lost, kind=EventKind.SIGNED_OUT, username="mallory")
    assert broken() == f"event {lost}: It was added later, where all was sealed already."


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE mobjects_historyseal SET username = 'mallory' WHERE number = 2", "seal 2: It was changed"),
        ("DELETE FROM mobjects_historyseal WHERE number = 2", "seal 2: It is missing"),
        ("DELETE FROM mobjects_historyseal WHERE number > 3", "seal 4: The chain ends before it"),
    ],
)
def test_a_link_that_was_changed_or_removed_is_named(statement, said):
    make_history()
    seal_everything()
    sql(statement)
    assert broken().startswith(said)


def test_what_can_still_change_is_sealed_once_it_cannot():
    job = pages.job(state="running")
    batch = pages.batch(job, state="sending")
    result = pages.result(job, batch=batch, status="PENDING")
    seal_everything()
    assert HistorySeal.objects.count() == 0
    SyncResult.objects.filter(pk=result.pk).update(status="UNKNOWN")
    SyncBatch.objects.filter(pk=batch.pk).update(state="answered")
    pages.result(job, batch=batch)
    seal_everything()
    SyncResult.objects.filter(pk=result.pk).update(status="EQUAL", error="Looked up.")
    SyncJob.objects.filter(pk=job.pk).update(state="succeeded")
    seal_everything()
    found = verify_history()
    assert (found.broken, found.waiting, found.rows) == (None, 0, 4)


def test_what_a_tick_begins_the_next_one_goes_on_with():
    for number in range(1200):
        record_event(EventKind.SIGNED_IN, username=f"p{number}")
    while seal_once() == 0:  # PostgreSQL has to see first that nobody is writing.
        pass
    assert len(HistorySeal.objects.get().rows) == 1000
    seal_for_a_while()
    assert (verify_history().waiting, verify_history().broken) == (0, None)


def test_rows_that_are_committed_late_are_sealed_all_the_same():
    """A transaction draws a number, another one a later number and is sealed; only then the first commits."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: numbers come in the order of commits")
    drawn, go_on = threading.Event(), threading.Event()
    early: list[int] = []

    def slow() -> None:
        with closing(connection), transaction.atomic():
            early.append(record_event(EventKind.SIGNED_IN, username="early").pk)
            drawn.set()
            go_on.wait(20)

    thread = threading.Thread(target=slow)
    thread.start()
    assert drawn.wait(20)
    late = record_event(EventKind.SIGNED_IN, username="late")
    assert early[0] < late.pk
    seal_everything()
    assert verify_history().waiting == 1  # The later number waits for the earlier one.
    go_on.set()
    thread.join()
    seal_everything()
    found = verify_history()
    assert (found.broken, found.waiting) == (None, 0)
    assert sorted(key for seal in HistorySeal.objects.all() for key in seal.rows) == [early[0], late.pk]


def test_writers_and_sealers_at_once_leave_nothing_out():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")

    def write() -> None:
        with closing(connection):
            for number in range(20):
                with transaction.atomic():
                    record_event(EventKind.SIGNED_IN, username=f"p{number}")
                    record_event(EventKind.SIGNED_OUT, username=f"p{number}")

    def seal() -> None:
        with closing(connection):
            for _turn in range(10):
                seal_once()

    threads = [threading.Thread(target=work) for work in (write, write, write, seal, seal)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal_everything()
    found = verify_history()
    assert (found.broken, found.waiting, found.rows) == (None, 0, 120)


# --- triggers and the door ----------------------------------------------------------------------------------------

REFUSED = {
    "a link": lambda: HistorySeal.objects.update(reason="other"),
    "a link, removed": lambda: HistorySeal.objects.all().delete(),
    "a job": lambda: SyncJob.objects.update(username="mallory"),
    "a job, removed": lambda: SyncJob.objects.all()._raw_delete("default"),
    "a batch": lambda: SyncBatch.objects.update(request="<other/>"),
    "a batch, removed": lambda: SyncBatch.objects.all()._raw_delete("default"),
    "a call": lambda: EarlierCall.objects.update(request="<other/>"),
    "a call, removed": lambda: EarlierCall.objects.all().delete(),
    "a result": lambda: SyncResult.objects.update(status="FAILED"),
    "a result, removed": lambda: SyncResult.objects.all().delete(),
    "an edit": lambda: RecordEdit.objects.update(username="mallory"),
    "an edit, removed": lambda: RecordEdit.objects.all().delete(),
    "an event": lambda: AuditEvent.objects.update(address="192.0.2.1"),
    "an event, removed": lambda: AuditEvent.objects.all().delete(),
}


def test_the_database_refuses_to_change_or_remove():
    make_history()
    seal_everything()
    assert [name for name, change in REFUSED.items() if not is_refused(change)] == []
    assert broken() == ""


def is_refused(change) -> bool:
    try:
        change()
    except IntegrityError as error:
        return "is kept as it is" in str(error)
    return False


def test_what_is_not_finished_is_changed_and_removed_freely():
    job = pages.job(state="running")
    batch = pages.batch(job, state="sending")
    pages.result(job, batch=batch, status="PENDING")
    SyncBatch.objects.update(request="<request/>")
    SyncResult.objects.update(status="UNKNOWN")
    SyncJob.objects.all().delete()
    assert (SyncJob.objects.count(), SyncBatch.objects.count(), SyncResult.objects.count()) == (0, 0, 0)


def test_a_batch_that_was_given_up_goes_through_the_door():
    """It is sealed an hour after its job, though an answer may change it until then."""
    job = pages.job(finished_at=clock.now() - timedelta(hours=2))
    pages.batch(job, state="unknown", request="<request/>")
    seal_everything()
    with history_opened("Retention"):
        SyncBatch.objects.update(request="")
    assert broken() == ""
    sql("UPDATE mobjects_syncbatch SET request = '<forged/>'")
    assert "batch" in broken()


def test_a_row_that_is_changed_through_the_door_before_it_is_finished_may_still_be_finished():
    job = pages.job(state="running")
    pages.result(job, status="PENDING", label="lead-7")
    with history_opened("erasure 7"):
        SyncResult.objects.update(label="[erased 7]")
    SyncResult.objects.update(status="EQUAL")
    seal_everything()
    assert broken() == ""


def test_what_goes_on_by_itself_breaks_nothing():
    job = make_history()
    SyncJob.objects.update(counts={"CREATED": 2}, planned=3)
    SyncBatch.objects.update(size=2, lease=None)
    job.user = factories.user("alice")
    job.save()
    job.user.delete()
    seal_everything()
    assert broken() == ""


@pytest.mark.parametrize("when", ["sealed", "not sealed yet"])
def test_what_goes_through_the_door_leaves_the_chain_verifiable(when):
    job = make_history()
    if when == "sealed":
        seal_everything()
    with history_opened("Retention: 90 days", username="clock"):
        assert is_open()
        SyncBatch.objects.update(request="", response="")
        EarlierCall.objects.all().delete()
        RecordEdit.objects.update(username="erased")
        AuditEvent.objects.all().delete()
    assert not is_open()
    assert HistoryChange.objects.count() == 0
    seal_everything()
    found = verify_history()
    assert (found.broken, found.removed) == (None, 2)
    through = HistorySeal.objects.exclude(reason="")
    assert {(seal.reason, seal.username) for seal in through} == {("Retention: 90 days", "clock")}
    with history_opened("Retention: 90 days"):
        SyncJob.objects.filter(pk=job.pk).delete()  # With all that hangs on it.
    seal_everything()
    assert broken() == ""
    assert SyncResult.objects.count() == 0


def test_what_went_through_the_door_is_guarded_again():
    make_history()
    seal_everything()
    with history_opened("Retention"):
        SyncBatch.objects.update(request="")
    sql("UPDATE mobjects_syncbatch SET request = '<forged/>'")
    assert "batch" in broken()


def test_a_door_whose_work_is_rolled_back_leaves_nothing():
    make_history()
    seal_everything()
    links = HistorySeal.objects.count()
    with transaction.atomic():
        with history_opened("Retention"):
            AuditEvent.objects.all().delete()
        transaction.set_rollback(True)
    assert not is_open()
    assert HistorySeal.objects.count() == links
    assert (broken(), AuditEvent.objects.count()) == ("", 1)


def test_a_door_inside_of_a_door_is_the_outer_one():
    make_history()
    seal_everything()
    with history_opened("outer"):
        with history_opened("inner"):
            AuditEvent.objects.all().delete()
        EarlierCall.objects.all().delete()
    assert set(HistorySeal.objects.exclude(reason="").values_list("reason", flat=True)) == {"outer"}
    assert broken() == ""


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_says_that_all_is_well_and_names_what_is_not():
    make_history()
    out = StringIO()
    call_command("verify_history", "--seal", stdout=out)
    assert "The history is as it was sealed: 6 rows in 6 links" in out.getvalue()
    sql(TAMPERING["result"])
    with pytest.raises(CommandError, match=r"First broken entry: result \d+: It was changed") as caught:
        call_command("verify_history")
    assert caught.value.returncode == 1


def test_the_tables_can_be_emptied_as_a_whole():
    make_history()
    seal_everything()
    call_command("flush", interactive=False, verbosity=0)
    assert (AuditEvent.objects.count(), HistorySeal.objects.count(), HistoryState.objects.count()) == (0, 0, 0)
    make_history()
    seal_everything()
    with pytest.raises(IntegrityError):
        HistorySeal.objects.all().delete()
