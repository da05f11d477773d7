"""The forms of previews and jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import ConfigDict, Field

from mobjects.api.paging import Id, PageQuery
from mobjects.kept_text import translate_kept
from mobjects.models import Kind, SyncBatch, SyncJob, SyncJobAction, SyncJobState, SyncResult, SyncResultStatus
from mobjects.presentation import job_text
from mobjects.presentation.vocabulary import removed_text
from mobjects.views.sync.preview import SyncPreview

KindName = Literal["all", "Program", "Opportunity", "OpportunityPersonRole"]
MOST_IDS = 100_000


class SendingIn(Schema):
    """What is to be sent, and how."""

    model_config = ConfigDict(extra="forbid")
    kind: KindName = Field("all", description="Of the records; one of them with ids or of_import.")
    ids: list[Id] | None = Field(None, max_length=MOST_IDS, description="Only these, by our ids.")
    of_import: Id | None = Field(None, description="Only what this import changed.")
    operation: Literal["AUTO", "INSERT", "UPDATE", "UPSERT"] = "AUTO"
    resend: bool = Field(False, description="Send unchanged records too.")
    include_unknown: bool = Field(False, description="Send records with an unknown outcome again; could double them.")
    read_first: bool = Field(False, description="Read each record in Marketo first, so that no change there is lost.")


class PreviewLineOut(Schema):
    """Records of a kind that would go out by one operation."""

    kind: str
    operation: str
    count: int
    batches: int | None = Field(description="null: Marketo does not support the operation.")
    created: int = Field(description="Of these, would be created.")
    skipped: int = Field(description="Of these, Marketo would skip.")
    calls: int


class PreviewHeldOut(Schema):
    """Records of a kind that would be held back."""

    kind: str
    reason: str
    count: int


class PreviewOut(Schema):
    """What sending now would do; nothing was sent."""

    ready: bool = Field(description="Whether there is something to send and somewhere to send it.")
    problem: str
    warning: str
    endpoint: str
    sendable: int
    created: int
    skipped: int = Field(description="INSERT of what Marketo has, UPDATE of what it does not have: it would skip them.")
    cleared: int = Field(description="Values that would be cleared.")
    calls: int
    seconds: float | None = Field(description="How long it takes, as far as that can be told.")
    lines: list[PreviewLineOut]
    held: list[PreviewHeldOut]


class JobIn(SendingIn):
    """A job to start."""

    action: Literal["send", "try", "dry_run", "pull", "compare"] = Field(
        description="try: the first few records, the rest once these were accepted; dry_run: keeps what would be sent."
    )
    of_dry_run: UUID | None = Field(None, description="Send exactly what this dry run found.")
    rest_by_itself: bool = Field(False, description="After a try, send the rest if all was accepted.")
    reason: str = Field("", max_length=1000, description="Kept in the history.")


class JobOut(Schema):
    """A job."""

    id: UUID
    action: SyncJobAction
    kind: str
    operation: str
    state: SyncJobState
    is_live: bool = Field(description="Whether it goes on by itself, so that it is worth asking again.")
    sentence: str = Field(description="How it stands, in words.")
    problem: str
    counts: dict[str, int] = Field(description="Results by status.")
    planned: int
    reason: str
    source: str
    username: str
    by_token: str
    request_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobListOut(Schema):
    """A list of jobs, the newest first."""

    items: list[JobOut]
    next: str | None


class JobQuery(Schema):
    """How a list of jobs is narrowed."""

    state: SyncJobState | None = None
    action: SyncJobAction | None = None
    after: Annotated[UUID | None, Field(description="Only what was asked for before this job.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ResultQuery(PageQuery):
    """How a list of results is narrowed."""

    status: SyncResultStatus | None = None


class ResultOut(Schema):
    """What became of a record in a job."""

    id: int
    kind: Kind
    record_id: int
    label: str
    status: SyncResultStatus
    error: str
    marketo_id: int | None
    marketo_guid: str | None
    changes: list[list[str]] = Field(description="Field, before, after.")
    changes_missing: str = Field(description="Why none are given though there may have been some; empty where all are.")
    batch: int | None
    created_at: datetime


class ResultListOut(Schema):
    """A list of results."""

    items: list[ResultOut]
    next: str | None


class BatchOut(Schema):
    """A call to Marketo, without its payloads."""

    id: int
    sequence: int
    attempt: int
    kind: str
    operation: str
    state: str
    size: int
    http_status: int | None
    fault_code: str
    fault_text: str
    seconds: float | None
    sent_at: datetime | None
    answered_at: datetime | None


class BatchListOut(Schema):
    """A list of batches."""

    items: list[BatchOut]
    next: str | None


def show_preview(preview: SyncPreview) -> dict[str, Any]:
    """A preview as it is given."""
    names = ("ready", "problem", "warning", "endpoint", "sendable", "created", "skipped", "cleared", "calls", "seconds")
    return {name: getattr(preview, name) for name in names} | {
        "lines": [
            {
                "kind": line.kind,
                "operation": line.operation,
                "count": line.count,
                "batches": line.batches,
                "created": line.new,
                "skipped": line.skipped,
                "calls": line.calls,
            }
            for line in preview.lines
        ],
        "held": [{"kind": line.kind, "reason": line.reason, "count": line.count} for line in preview.held],
    }


def show_job(job: SyncJob) -> dict[str, Any]:
    """A job as it is given."""
    special = ("sentence", "problem")
    return {name: getattr(job, name) for name in JobOut.model_fields if name not in special} | {
        "sentence": str(job_text.describe_job(job)),
        "problem": translate_kept(job.problem_text),
    }


def show_result(result: SyncResult, *, may_see: bool) -> dict[str, Any]:
    """A result as it is given.

    Args:
        result: with its job.
        may_see: whether the reader may see values of its kind.
    """
    special = ("error", "changes", "changes_missing", "batch")
    diff, missing = result.diff, _("Not shown: you may not see records of this kind, or not all that belongs to them.")
    if may_see:
        missing = "" if diff else removed_text(result.job.values_removed_at, result.job.finished_at)
    return {name: getattr(result, name) for name in ResultOut.model_fields if name not in special} | {
        "error": translate_kept(result.error),
        "changes": [[str(part) for part in change] for change in diff if may_see],
        "changes_missing": missing,
        "batch": result.batch_id,
    }


def show_batch(batch: SyncBatch) -> dict[str, Any]:
    """A batch as it is given."""
    names = [name for name in BatchOut.model_fields if name != "fault_text"]
    return {name: getattr(batch, name) for name in names} | {"fault_text": translate_kept(batch.fault_text)}
