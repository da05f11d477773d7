"""The page of periods, the command, and what other pages say once values went."""

from __future__ import annotations

import json
import uuid
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from mobjects.audit.door import history_opened
from mobjects.audit.events import record_event
from mobjects.bulk_edits.operations import EditOperation
from mobjects.bulk_edits.service import choose_operation
from mobjects.models import (
    AuditEvent,
    BulkDeletion,
    BulkEdit,
    Conflict,
    DeletedRecord,
    Download,
    EventKind,
    Import,
    ImportChange,
    ImportRow,
    ImportState,
    Notice,
    NoticeDelivery,
    Purge,
    PurgeKind,
    PurgeLeave,
    RecordEdit,
    SyncBatch,
    SyncJob,
    SyncJobAction,
    SyncResult,
)
from mobjects.removals.service import undo_deletion
from mobjects.retention import service
from mobjects.retention.leave import list_waiting_kinds
from tests import factories
from tests.api.clients import program_of
from tests.retention.test_purge import LONG_AGO, old_import, old_job, purge
from tests.support.approvals import waiting_approval
from tests.support.rewriting import rewrite
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]

REMOVED = "The values were removed after 4,000 days."
QUOTA = {"used": 90, "share": 100, "resets_at": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def browser(groups):
    return pages.client("operator")


def run(*arguments: str) -> list[dict[str, object]]:
    out = StringIO()
    call_command("purge", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_says_what_would_go_and_removes_nothing():
    job = old_job()
    rows = {row["kind"]: row for row in run("--dry-run")}
    assert rows["results"]["count"] == 1
    assert rows["results"]["oldest"] == rows["results"]["newest"] == job.created_at.isoformat(timespec="seconds")
    assert rows["edits"]["count"] == 0
    assert SyncResult.objects.get().sent
    assert not Purge.objects.exists()


def test_the_command_purges_one_kind():
    old_job()
    [row] = run("--kind", "results")
    assert (row["kind"], row["removed"]) == ("results", 1)
    assert not SyncResult.objects.get().sent
    assert SyncBatch.objects.get().request
    assert Purge.objects.get().source == "command"


def test_the_page_shows_periods_what_would_go_and_what_went(browser):
    old_job()
    shown = pages.words(browser.get(reverse("mobjects:retention")))
    assert "Values of results 730 days 1" in shown
    assert "Nothing was purged yet." in shown
    assert "Purge now" not in shown
    purge(PurgeKind.RESULTS)
    shown = pages.words(browser.get(reverse("mobjects:retention")))
    assert "Values of results 730 days 0" in shown
    assert "Nothing was purged yet." not in shown


@pytest.mark.django_db(transaction=True)
def test_whoever_may_purge_has_it_done_by_a_worker_and_the_log_names_them(groups, queue, work):
    browser = pages.client("operator")
    assert browser.post(reverse("mobjects:purge")).status_code == 403
    factories.User.objects.get().user_permissions.add(factories.permission("run_purge"))
    job = old_job()
    sure = pages.words(browser.post(reverse("mobjects:purge"), {"kind": "results"}))
    assert "Values of results: 1, ended before" in sure
    assert not Purge.objects.exists()
    shown = pages.words(browser.post(reverse("mobjects:purge"), {"kind": "results", "sure": "1"}, follow=True))
    assert "1 purge was asked for." in shown
    assert "A purge is going on." in shown
    work()
    assert not SyncResult.objects.exclude(sent={}).exists()
    assert "operator-user" in pages.words(browser.get(reverse("mobjects:retention")))
    assert SyncJob.objects.get(pk=job.pk).values_removed_at


def test_what_goes_for_the_first_time_is_said_and_allowed_by_whoever_may_purge(browser):
    old_job()
    service.purge_if_due()
    assert "2 kinds of old data would be removed for the first time." in pages.words(
        browser.get(reverse("admin:index"))
    )
    shown = pages.words(browser.get(reverse("mobjects:retention")))
    assert "The first purge of these kinds waits" in shown
    assert "I have looked" not in shown
    assert browser.post(reverse("mobjects:purge-allow"), {"kind": "results"}).status_code == 403
    factories.User.objects.get().user_permissions.add(factories.permission("run_purge"))
    browser.post(reverse("mobjects:purge-allow"), {"kind": "results"})
    assert [each.kind for each in list_waiting_kinds()] == [PurgeKind.PAYLOADS]
    assert PurgeLeave.objects.get(kind="results").username == "operator-user"


def test_an_unknown_kind_is_refused_in_words(browser):
    factories.User.objects.get().user_permissions.add(factories.permission("run_purge"))
    shown = pages.words(browser.post(reverse("mobjects:purge"), {"kind": "everything"}, follow=True))
    assert "“everything” is no kind that has a period." in shown
    assert not Purge.objects.exists()


def test_pages_of_a_job_say_that_values_were_removed(browser):
    job = old_job()
    record = factories.opportunity()
    rewrite(SyncResult.objects.get(), record_id=record.pk)
    purge(PurgeKind.RESULTS, PurgeKind.PAYLOADS)
    batch, result = SyncBatch.objects.get(job=job), SyncResult.objects.get(job=job)
    addresses = (
        reverse("admin:mobjects_syncbatch_change", args=[batch.pk]),
        reverse("mobjects:batch-payload", args=[batch.pk, "request"]),
        reverse("mobjects:result", args=[result.pk]),
        reverse("mobjects:record-history", args=["Opportunity", record.pk]),
        reverse("admin:mobjects_syncjob_change", args=[job.pk]),
    )
    assert [address for address in addresses if REMOVED not in browser.get(address).content.decode()] == []


def test_a_sending_whose_values_went_is_not_offered_to_be_undone(browser):
    job = old_job(action=SyncJobAction.SEND, counts={"CREATED": 1})
    address = reverse("mobjects:undo-sending", args=[job.pk])
    assert browser.get(address).status_code == 200
    purge(PurgeKind.RESULTS)
    response = browser.get(address, follow=True)
    assert REMOVED in pages.words(response)
    assert address not in response.content.decode()


def test_a_dry_run_whose_values_went_is_not_sent(browser):
    job = old_job(action=SyncJobAction.DRY_RUN, counts={"PLANNED": 1})
    rewrite(SyncResult.objects.get(), status="PLANNED")
    purge(PurgeKind.RESULTS)
    shown = pages.words(browser.post(reverse("mobjects:send-exactly", args=[job.pk]), follow=True))
    assert REMOVED in shown
    page = browser.get(reverse("mobjects:sync"), {"dry_run": str(job.pk)})
    assert page.status_code == 400
    assert REMOVED in pages.words(page)
    asked = {"kind": "all", "of_dry_run": str(job.pk), "operation": "AUTO", "token": str(uuid.uuid4()), "send": "1"}
    assert REMOVED in pages.words(browser.post(reverse("mobjects:sync"), asked))
    answer = program_of().post("jobs", {"action": "send", "of_dry_run": str(job.pk)})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["detail"]) == ("/of_dry_run", REMOVED)
    assert SyncJob.objects.count() == 1


def test_an_import_whose_rows_went_says_so_and_is_not_undone(browser):
    imported = old_import(ImportState.COMMITTED, committed_at=LONG_AGO, checked_at=LONG_AGO, written={"created": 1})
    record = factories.program()
    values = {"owner_kind": "Program", "owner_id": record.pk, "record_id": record.pk, "created": False, "revision": 1}
    ImportChange.objects.create(imported=imported, number=2, **values)
    purge(PurgeKind.ROWS, PurgeKind.FILES)
    page = browser.get(reverse("mobjects:import", args=[imported.pk])).content.decode()
    assert "It cannot be undone any more." in page
    assert "The file was removed" in page
    assert reverse("mobjects:import-undo", args=[imported.pk]) not in page
    assert reverse("mobjects:import-original", args=[imported.pk]) not in page
    browser.post(reverse("mobjects:import-undo", args=[imported.pk]))
    assert Import.objects.get().state == ImportState.COMMITTED
    response = browser.get(reverse("mobjects:import-original", args=[imported.pk]), follow=True)
    assert "The file is not kept any more." in pages.words(response)
    response = browser.get(reverse("mobjects:import-errors", args=[imported.pk]), follow=True)
    assert "The file is not kept any more." in pages.words(response)
    for query in ("", "?row=2", "?tab=error"):
        review = pages.words(browser.get(reverse("mobjects:import-review", args=[imported.pk]) + query))
        assert "What stood in its rows was removed" in review
        assert "nothing to review" not in review
    history = pages.words(browser.get(reverse("mobjects:record-history", args=["Program", record.pk])))
    assert "The values were removed after" in history
    restore = reverse("mobjects:record-restore", args=["Program", record.pk, f"import-{ImportChange.objects.get().pk}"])
    assert REMOVED in pages.words(browser.get(restore))
    assert not ImportRow.objects.exists()


def test_a_deletion_whose_values_went_is_not_undone(browser):
    user = factories.User.objects.get()
    deletion = BulkDeletion.objects.create(
        state="deleted", model="program", records=[[1, "1"]], counts={"deleted": 1}, ended_at=LONG_AGO, username="x"
    )
    BulkDeletion.objects.update(created_at=LONG_AGO)
    DeletedRecord.objects.create(deletion=deletion, model="program", record_id=1, label="P", values={"a": 1})
    assert purge(PurgeKind.DELETIONS) == {"deletions": {"records": 1}}
    deletion.refresh_from_db()
    shown = pages.words(browser.get(reverse("mobjects:deletion", args=[deletion.pk])))
    assert f"{REMOVED} It cannot be undone any more." in shown
    assert "Undo:" not in shown
    assert not undo_deletion(deletion, user)


def test_the_api_says_of_an_import_what_went():
    imported = old_import(ImportState.COMMITTED, committed_at=LONG_AGO, checked_at=LONG_AGO, written={"created": 1})
    api, one = program_of(), f"imports/{imported.pk}"
    assert api.get(f"{one}/problems").json()["items_missing"] == ""
    assert (api.get(one).json()["file_removed_at"], api.get(one).json()["rows_removed_at"]) == (None, None)
    purge(PurgeKind.FILES)
    assert api.get(f"{one}/errors").json()["detail"] == "The file is not kept any more."
    purge(PurgeKind.ROWS)
    assert api.get(f"{one}/problems").json() == {"items": [], "items_missing": REMOVED}
    answer = api.get(f"{one}/errors")
    assert (answer.status_code, answer.json()["detail"]) == (404, REMOVED)
    assert None not in (api.get(one).json()["file_removed_at"], api.get(one).json()["rows_removed_at"])
    assert api.post(f"{one}/undo").status_code == 409


def test_a_sending_whose_values_went_is_not_offered_to_be_restored(browser):
    job = old_job(action=SyncJobAction.SEND, counts={"CREATED": 1})
    record = factories.opportunity()
    result = rewrite(SyncResult.objects.get(job=job), record_id=record.pk)
    address = reverse("mobjects:record-restore", args=["Opportunity", record.pk, f"result-{result.pk}"])
    assert "These values would become" in pages.words(browser.get(address))
    purge(PurgeKind.RESULTS)
    page = browser.get(address)
    assert page.status_code == 200
    assert REMOVED in pages.words(page)
    assert "all of these values are so already" not in pages.words(page)
    assert browser.post(address, {"seen": "", "name": "Name"}).status_code == 200
    assert browser.get(f"{address}9").status_code == 404


def test_the_approval_of_a_bulk_edit_whose_rows_went_says_so_and_names_the_records(browser):
    deal = factories.opportunity(name="Deal", stage="Open")
    edited = BulkEdit.objects.create(model="opportunity", records=[deal.pk], username="olga")
    choose_operation(edited, EditOperation("set", "Stage", value="Won"))
    held = waiting_approval(None, deal, work="bulk", state="approved", bulk_edit=edited)
    BulkEdit.objects.filter(pk=edited.pk).update(state="applied", step_at=LONG_AGO, ended_at=LONG_AGO)
    BulkEdit.objects.filter(pk=edited.pk).update(created_at=LONG_AGO)
    address = reverse("mobjects:approval", args=[held.pk])
    assert "Exactly this would be changed" in pages.words(browser.get(address))
    purge(PurgeKind.BULK_EDITS)
    shown = pages.words(browser.get(address))
    assert REMOVED in shown
    assert "planned anew" not in shown
    assert "The records that were to be changed" in shown
    assert "Deal" in shown.split("record by record")[1]


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (PurgeKind.DOWNLOADS, "/admin/mobjects/download/"),
        (PurgeKind.DOWNLOADS, "/admin/mobjects/download/?q=olga"),
        (PurgeKind.AUDIT, "/admin/audit/"),
        (PurgeKind.AUDIT, "/admin/audit/?person=olga"),
        (PurgeKind.INBOX, "/admin/notices/"),
        (PurgeKind.INBOX, "/admin/notices/deliveries/"),
    ],
)
def test_a_list_whose_older_entries_went_says_up_to_when(browser, settings, kind, address):
    person = factories.User.objects.get()
    person.user_permissions.add(factories.permission("view_auditevent"))
    notice = Notice.objects.create(event="quota_low", about="quota", facts=QUOTA)
    NoticeDelivery.objects.create(notice=notice, channel="inbox", user=person)
    Download.objects.create(username="olga", kind="opportunities", format="csv")
    record_event(EventKind.SIGNED_IN, user=person)
    assert "Entries are kept for" not in pages.words(browser.get(address))
    with history_opened("so that they are old"):
        for model in (Notice, Download, AuditEvent):
            model.objects.update(created_at=LONG_AGO)
    purge(kind)
    shown = pages.words(browser.get(address))
    days = settings.RETENTION_DAYS[kind.value]
    assert f"Entries are kept for {days:,} days: those before" in shown
    assert "There is nothing here yet." not in shown
    assert "Nothing was recorded yet." not in shown
    assert "Nothing has happened yet" not in shown


def test_a_decision_says_that_its_values_went(browser):
    values = {"kind": "Opportunity", "record_id": 1, "label": "x", "reason": "both", "here": {"Name": "x"}}
    conflict = Conflict.objects.create(decided_at=LONG_AGO, **values)
    purge(PurgeKind.DECISIONS)
    shown = pages.words(browser.get(reverse("admin:mobjects_conflict_change", args=[conflict.pk])))
    assert REMOVED in shown


def test_the_history_of_a_record_says_from_when_on_it_is_whole(browser):
    record = factories.program()
    values = {"kind": "Program", "record_id": record.pk, "changes": [["Name", "", "x"]], "source": "form"}
    RecordEdit.objects.create(created_at=LONG_AGO, **values)
    address = reverse("mobjects:record-history", args=["Program", record.pk])
    assert "Edits are kept for" not in pages.words(browser.get(address))
    purge(PurgeKind.EDITS)
    assert "Edits are kept for 1,095 days: those before" in pages.words(browser.get(address))
