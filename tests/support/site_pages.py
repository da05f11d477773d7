"""The site's pages by name, and a database in which each of them has something to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mobjects.bulk_edits.operations import EditOperation
from mobjects.bulk_edits.service import choose_operation, confirm_bulk_edit
from mobjects.models import (
    AllowedTag,
    Approval,
    ApprovalRule,
    BulkDeletion,
    BulkEdit,
    BulkEditState,
    Circuit,
    Conflict,
    ConflictDecision,
    ConflictDecisionState,
    CustomField,
    Download,
    HostClock,
    Import,
    ImportState,
    MarketoField,
    Opportunity,
    OpportunityPersonRole,
    Program,
    Schedule,
    SyncBatch,
    SyncJob,
    SyncJobAction,
    SyncJobState,
    SyncResult,
)
from mobjects.presentation.count_links import uncorrected_url
from mobjects.sync.conflicts import alike
from tests import factories
from tests.support.approvals import make_rule, waiting_approval
from tests.support.rewriting import rewrite
from tests.views import pages
from tests.views.imports import made_imports

PAGES: dict[str, Callable[[], str]] = {
    "dashboard": lambda: "/admin/",
    "programs": lambda: "/admin/mobjects/program/",
    "program": lambda: f"/admin/mobjects/program/{Program.objects.first().pk}/change/",
    "costs": lambda: "/admin/mobjects/programcost/",
    "tags": lambda: "/admin/mobjects/programtag/",
    "opportunities": lambda: "/admin/mobjects/opportunity/",
    "opportunity": lambda: f"/admin/mobjects/opportunity/{Opportunity.objects.first().pk}/change/",
    "roles": lambda: "/admin/mobjects/opportunitypersonrole/",
    "role": lambda: f"/admin/mobjects/opportunitypersonrole/{OpportunityPersonRole.objects.first().pk}/change/",
    "import": lambda: "/admin/imports/new/?kind=opportunities",
    "export": lambda: "/admin/export/opportunities/",
    "import history": lambda: "/admin/mobjects/import/",
    "downloads": lambda: "/admin/mobjects/download/",
    "confirm": lambda: "/admin/sync/?kind=all",
    "history": lambda: "/admin/mobjects/syncjob/",
    "job": lambda: f"/admin/mobjects/syncjob/{SyncJob.objects.first().pk}/change/",
    "undo": lambda: f"/admin/sync-jobs/{SyncJob.objects.first().pk}/undo/",
    "results": lambda: "/admin/mobjects/syncresult/",
    "record in a job": lambda: f"/admin/sync-results/{SyncResult.objects.filter(status='FAILED').first().pk}/",
    "batch": lambda: f"/admin/mobjects/syncbatch/{SyncBatch.objects.first().pk}/change/",
    "record history": lambda: f"/admin/sync-history/Opportunity/{Opportunity.objects.last().pk}/",
    "fields": lambda: "/admin/mobjects/marketofield/",
    "known tags": lambda: "/admin/mobjects/allowedtag/",
    "connection": lambda: "/admin/connection/",
    "queue": lambda: "/admin/queue/",
    "what waits": lambda: "/admin/queue/?list=waiting",
    "to decide": lambda: "/admin/mobjects/conflict/",
    "schedules": lambda: "/admin/mobjects/schedule/",
    "pull": lambda: "/admin/pull/",
    "compare": lambda: "/admin/compare/",
    "choose by a list": lambda: "/admin/records/by-list/?kind=Opportunity",
    "audit": lambda: "/admin/audit/",
    "bulk edit": lambda: f"/admin/bulk-edits/{_bulk_edit().pk}/",
    "grid": lambda: "/admin/grid/opportunity/",
    "bulk edits": lambda: "/admin/mobjects/bulkedit/",
    "deletions": lambda: "/admin/mobjects/bulkdeletion/",
    "time zone": lambda: "/admin/time-zone/",
    "sign-in": lambda: "/admin/sign-in/",
    "API tokens": lambda: "/admin/api/tokens/",
    "API": lambda: "/admin/api/",
    "confirm who it is": lambda: "/admin/sign-in/confirm/",
    "not allowed": lambda: "/admin/auth/user/",
    "missing": lambda: "/admin/no-such-page/",
    "notices": lambda: "/admin/notices/",
    "costs by month": lambda: "/admin/grid/months/?since=2026-01&until=2026-12",
}
"""Of an operator: each shape of page once."""

FURTHER_PAGES: dict[str, Callable[[], str]] = {
    "approval": lambda: f"/admin/approvals/{Approval.objects.first().pk}/",
    "to approve": lambda: "/admin/mobjects/approval/",
    "deliveries of notices": lambda: "/admin/notices/deliveries/",
    "running job": lambda: pages.job_url(_running_job()),
    "stopped job": lambda: pages.job_url(SyncJob.objects.filter(state=SyncJobState.STOPPED).latest("pk")),
    "dry run": lambda: pages.job_url(SyncJob.objects.filter(action=SyncJobAction.DRY_RUN).latest("pk")),
    "job, searched": lambda: pages.job_url(_failed_job(), "?q=Deal"),
    "job, a group": lambda: pages.job_url(_failed_job(), f"?same={_failed_job().results.earliest('pk').pk}"),
    "results, all": lambda: "/admin/mobjects/syncresult/?status=all",
    "results, searched": lambda: "/admin/mobjects/syncresult/?q=Deal",
    "opportunities, searched": lambda: "/admin/mobjects/opportunity/?q=Deal",
    "opportunities, failed": lambda: "/admin/mobjects/opportunity/?state=failed",
    "opportunities, a group of a job": lambda: _group_of_job(),  # noqa: PLW0108 -- defined below
    "history, searched": lambda: "/admin/mobjects/syncjob/?q=Deal",
    "custom fields": lambda: "/admin/mobjects/customfield/",
    "custom field": lambda: f"/admin/mobjects/customfield/{CustomField.objects.first().pk}/change/",
    "schedule": lambda: f"/admin/mobjects/schedule/{Schedule.objects.first().pk}/change/",
    "decision": lambda: f"/admin/mobjects/conflict/{Conflict.objects.first().pk}/change/",
    "notice settings": lambda: "/admin/notices/settings/",
    "webhook": lambda: "/admin/notices/webhooks/new/",
    "decide many": lambda: "/admin/conflicts/alike/",
    "decide a group": lambda: _group_address(),  # noqa: PLW0108 -- defined below
    "decision of many": lambda: f"/admin/conflicts/decisions/{ConflictDecision.objects.first().pk}/",
    "import, its page": lambda: f"/admin/imports/{_reviewed().pk}/",
    "import, its columns": lambda: f"/admin/imports/{_mapped().pk}/columns/",
    "import, its review": lambda: f"/admin/imports/{_reviewed().pk}/review/",
    "import, its undo": lambda: f"/admin/imports/{_written().pk}/undo/",
    "import, written": lambda: f"/admin/imports/{_written().pk}/",
    "grid of programs": lambda: "/admin/grid/program/",
    "grid of roles": lambda: "/admin/grid/opportunitypersonrole/",
    "bulk edit, what": lambda: f"/admin/bulk-edits/{_bulk_edit().pk}/?again=1&do=.set%3AStage",
    "deletion": lambda: f"/admin/deletions/{BulkDeletion.objects.first().pk}/",
    "approval rules": lambda: "/admin/mobjects/approvalrule/",
    "approval rule": lambda: f"/admin/mobjects/approvalrule/{ApprovalRule.objects.first().pk}/change/",
    "confirm, opportunities": lambda: "/admin/sync/?kind=Opportunity",
    "confirm, a record": lambda: f"/admin/sync/?kind=Opportunity&record={Opportunity.objects.first().pk}",
    "confirm, a retry": lambda: f"/admin/sync/?of_job={_failed_job().pk}",
    "cancelling": lambda: f"/admin/sync-jobs/{_running_job().pk}/cancel/",
    "program history": lambda: f"/admin/sync-history/Program/{Program.objects.first().pk}/",
}
"""More of the same shapes, and those that only a filled database has."""


def fill_site() -> None:
    """Many records in every state, jobs of each kind with failures in groups, all that may wait for a person at once:
    something to decide, a halt, a wrong clock, imports, a deletion.
    """
    now = datetime.now(UTC)
    records = [factories.opportunity(name=f"Deal {number}", stage="Won") for number in range(60)]
    states = ("FAILED", "SKIPPED", "UNKNOWN")
    for number, record in enumerate(records[:30]):
        state = {"last_status": states[number % 3], "answered_revision": record.revision}
        Opportunity.objects.filter(pk=record.pk).update(**state, accepted={"Name": "Old"}, marketo_id=number + 1)
        factories.role(record)
    for number in range(5):
        program = factories.program(marketo_id=1001 + number, channel="Webinar")
        factories.cost(program)
        factories.tag(program)
    Program.objects.update(accepted={"Tag: Region": "APAC"}, synced_revision=1)
    CustomField.objects.create(name="Region", kind="Opportunity")
    MarketoField.objects.create(kind="Opportunity", name="Stage", type="string", described_at=now)
    AllowedTag.objects.create(type="Region", value="EMEA", described_at=now)
    _make_jobs(records)
    _make_imports(records)
    for record in records[30:33]:
        there = [{"id": 64, "values": {"Name": "There", "Stage": "Lost"}, "created_at": None, "updated_at": None}]
        about = {"kind": "Opportunity", "record_id": record.pk, "label": record.name}
        sides = {"base": {"Name": "Deal"}, "here": {"Name": "Here"}, "candidates": there}
        Conflict.objects.create(reason="both", **about, **sides)
    ConflictDecision.objects.create(
        kind="Opportunity",
        state=ConflictDecisionState.DECIDED,
        choices={"Stage": "marketo", "Name": "here"},
        asked=[[number, ""] for number in range(60)],
        position=60,
        left=[[Conflict.objects.latest("pk").pk, "Deal 1", "The record was changed since."]],
        username="olga",
    )
    Circuit.objects.create(reason="Marketo refused the login.", code="602")
    Circuit.objects.create(reason="Opportunities are not allowed.", code="603", kind="Opportunity")
    HostClock.objects.create(host="web-2", offset_seconds=90, measured_at=now)
    Schedule.objects.create(name="Nightly", action="send", kinds=["Opportunity"], cron="0 2 * * *", next_at=now)
    asked = [[record.pk, str(record.revision)] for record in records[40:45]]
    BulkDeletion.objects.create(model="opportunity", records=asked, username="olga")
    _make_bulk_edits([record.pk for record in records[40:45]])


def _bulk_edit() -> BulkEdit:
    """One that waits for its confirmation; another one is done."""
    if not BulkEdit.objects.exists():
        _make_bulk_edits(list(Opportunity.objects.order_by("pk").values_list("pk", flat=True)[:12]))
    return BulkEdit.objects.get(state=BulkEditState.REVIEW)


def _make_bulk_edits(records: list[int]) -> None:
    for operation in (EditOperation("multiply", "Amount", value="1.05"), EditOperation("set", "Stage", value="Lost")):
        edited = BulkEdit.objects.create(model="opportunity", records=records, username="olga")
        choose_operation(edited, operation)
        if operation.do == "multiply":
            confirm_bulk_edit(edited, edited.plan)


def _group_address() -> str:
    alike.fill_missing_keys()
    group = alike.list_groups()[0]
    return f"/admin/conflicts/alike/{group.kind}/{group.fields_key}/"


def _make_jobs(records: list[Opportunity]) -> None:
    failed = pages.job(
        state=SyncJobState.PROBLEMS,
        planned=60,
        counts={"FAILED": 20, "UNKNOWN": 10, "HELD": 10, "UPDATED": 20},
        username="olga",
    )
    statuses = ("FAILED", "FAILED", "UNKNOWN", "HELD", "UPDATED", "UPDATED")
    for number, record in enumerate(records):
        batch = pages.batch(failed, sequence=number + 1, seconds=0.3)
        status = statuses[number % len(statuses)]
        error = "" if status == "UPDATED" else f"Stage “{number % 2}” is not allowed" if number % 4 else "Gone. (1)"
        about = {"record_id": record.pk, "label": record.name, "revision": record.revision}
        diff = [["Stage", "Lost", "Won"]]
        pages.result(failed, batch=batch, status=status, error=error, diff=diff, **about)
    for state in (SyncJobState.RUNNING, SyncJobState.STOPPED, SyncJobState.PAUSED):
        values = {"planned": 60, "started_at": datetime.now(UTC) - timedelta(minutes=1), "origin": failed}
        job = pages.job(state=state, counts={"UPDATED": 1, "HELD": 1}, **values)
        batch = pages.batch(job, answered_at=datetime.now(UTC), seconds=0.3)
        pages.result(job, batch=batch, status="UPDATED", record_id=records[0].pk, diff=[["Stage", "Lost", "Won"]])
        pages.result(job, batch=batch, status="UNKNOWN", record_id=records[1].pk, error="No answer.")
    shown = pages.job(action=SyncJobAction.DRY_RUN, counts={"PLANNED": 20})
    for record in records[:20]:
        about = {"record_id": record.pk, "label": record.name, "revision": record.revision}
        pages.result(shown, status="PLANNED", batch=None, diff=[["Stage", "Lost", "Won"]], **about)
    held = pages.job(state=SyncJobState.HELD, username="olga", origin=failed)
    approval = waiting_approval(held, *records[:20], username="olga", preview=shown)
    approval.rule = make_rule(more_than=10)
    approval.save()
    dry = pages.job(action=SyncJobAction.DRY_RUN, counts={"PLANNED": 1})
    pages.result(dry, status="PLANNED", record_id=records[0].pk, revision=records[0].revision)
    rewrite(failed, created_at=datetime.now(UTC))  # It comes first.


def _make_imports(records: list[Opportunity]) -> None:
    reviewed = made_imports.imported()
    for number, record in enumerate(records[:30], start=2):
        outcome = ("new", "changed", "error", "conflict")[number % 4]
        values = {"data": {"name": "New"}, "old": {"name": "Old"}, "record_id": record.pk}
        made_imports.row(reviewed, number, outcome, **({} if outcome == "new" else values))
        if outcome == "error":
            made_imports.problem(reviewed, number, suggestion="12.5")
    for value in ("much", "more"):
        made_imports.group(reviewed, value=value, suggestion="12.5", first=4)
    made_imports.group(reviewed, level="warning", rule="“1,5” may be meant as 15.", first=6)
    made_imports.count(reviewed)
    made_imports.imported(state=ImportState.MAPPING)
    written = made_imports.imported(state=ImportState.COMMITTED, committed_to=31, written={"changed": 30})
    for number, record in enumerate(records[:30], start=2):
        row = {"data": {"name": "New"}, "old": {"name": "Old"}, "record_id": record.pk}
        made_imports.row(written, number, "changed", **row)
        made_imports.change(written, number, record)
    made_imports.count(written)
    Download.objects.create(kind="opportunities", format="csv", username="olga")


def _failed_job() -> SyncJob:
    return SyncJob.objects.get(state=SyncJobState.PROBLEMS)


def _group_of_job() -> str:
    result = _failed_job().results.exclude(error="").earliest("pk")
    return uncorrected_url(result.kind, result.job_id, result.status, result.reason_key)


def _running_job() -> SyncJob:
    return SyncJob.objects.filter(state=SyncJobState.RUNNING).latest("pk")


def _reviewed() -> Import:
    return Import.objects.filter(state=ImportState.REVIEW).earliest("pk")


def _mapped() -> Import:
    return Import.objects.filter(state=ImportState.MAPPING).earliest("pk")


def _written() -> Import:
    return Import.objects.filter(state=ImportState.COMMITTED).earliest("pk")
