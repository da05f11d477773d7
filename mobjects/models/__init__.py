"""The app's models."""

from mobjects.marketo.types import Kind
from mobjects.models.audit import (
    AuditEvent,
    EventKind,
    HistoryChange,
    HistoryDoor,
    HistoryOpen,
    HistorySeal,
    HistoryState,
    SealForm,
    SealKind,
)
from mobjects.models.automation.approvals import (
    Approval,
    ApprovalRecord,
    ApprovalRule,
    ApprovalState,
    ApprovedWork,
)
from mobjects.models.automation.idempotency import IdempotencyKey
from mobjects.models.automation.notices import (
    DeliveryState,
    Notice,
    NoticeChoice,
    NoticeDelivery,
    NoticeEvent,
    NoticeWebhook,
    OpenCondition,
    WebhookShape,
)
from mobjects.models.automation.tokens import ApiToken
from mobjects.models.circuit_breaker import Circuit
from mobjects.models.conflict import (
    Conflict,
    ConflictAnswer,
    ConflictReason,
)
from mobjects.models.fields import AmongIds
from mobjects.models.imports import (
    Download,
    DownloadContent,
    Import,
    ImportChange,
    ImportFix,
    ImportGroup,
    ImportMode,
    ImportPart,
    ImportProblem,
    ImportProblemLevel,
    ImportRow,
    ImportRowOutcome,
    ImportSource,
    ImportState,
    SavedMapping,
    UndoOutcome,
)
from mobjects.models.installation import DailyFigure, HostClock, Installation
from mobjects.models.many_records.bulk_edits import BulkEdit, BulkEditOutcome, BulkEditRow, BulkEditState
from mobjects.models.many_records.decisions import ConflictDecision, ConflictDecisionState
from mobjects.models.many_records.deletions import BulkDeletion, BulkDeletionState, DeletedRecord
from mobjects.models.marketo_metadata import AllowedTag, AllowedValues, CustomField, InstanceAnswer, MarketoField
from mobjects.models.opportunity import Opportunity
from mobjects.models.people import EditContext, EditSource, OpeningView, PersonSettings, RecordEdit, SavedView
from mobjects.models.program import Program, ProgramCost, ProgramTag
from mobjects.models.retention.erasures import Erasure
from mobjects.models.retention.purges import Purge, PurgeKind, PurgeLeave
from mobjects.models.role import OpportunityPersonRole
from mobjects.models.schedule import LateRuns, Schedule
from mobjects.models.sync_history import (
    EarlierCall,
    RequestedAction,
    SyncBatch,
    SyncBatchState,
    SyncJob,
    SyncJobAction,
    SyncJobSource,
    SyncJobState,
    SyncResult,
    SyncResultStatus,
)
from mobjects.models.synced_record import RecordState, RecordStatus, SyncedQuerySet, SyncedRecord
from mobjects.models.worker_lease import WorkerLease

RECORD_MODELS: dict[Kind, type[SyncedRecord]] = {
    Kind.PROGRAM: Program,
    Kind.OPPORTUNITY: Opportunity,
    Kind.ROLE: OpportunityPersonRole,
}
"""The synced models, in the order in which they have to be sent."""


def records_of_kind(kind: Kind) -> SyncedQuerySet:
    """All local records of a kind."""
    return SyncedQuerySet(RECORD_MODELS[kind])


__all__ = [
    "RECORD_MODELS",
    "AllowedTag",
    "AllowedValues",
    "AmongIds",
    "ApiToken",
    "Approval",
    "ApprovalRecord",
    "ApprovalRule",
    "ApprovalState",
    "ApprovedWork",
    "AuditEvent",
    "BulkDeletion",
    "BulkDeletionState",
    "BulkEdit",
    "BulkEditOutcome",
    "BulkEditRow",
    "BulkEditState",
    "Circuit",
    "Conflict",
    "ConflictAnswer",
    "ConflictDecision",
    "ConflictDecisionState",
    "ConflictReason",
    "CustomField",
    "DailyFigure",
    "DeletedRecord",
    "DeliveryState",
    "Download",
    "DownloadContent",
    "EarlierCall",
    "EditContext",
    "EditSource",
    "Erasure",
    "EventKind",
    "HistoryChange",
    "HistoryDoor",
    "HistoryOpen",
    "HistorySeal",
    "HistoryState",
    "HostClock",
    "IdempotencyKey",
    "Import",
    "ImportChange",
    "ImportFix",
    "ImportGroup",
    "ImportMode",
    "ImportPart",
    "ImportProblem",
    "ImportProblemLevel",
    "ImportRow",
    "ImportRowOutcome",
    "ImportSource",
    "ImportState",
    "Installation",
    "InstanceAnswer",
    "Kind",
    "LateRuns",
    "MarketoField",
    "Notice",
    "NoticeChoice",
    "NoticeDelivery",
    "NoticeEvent",
    "NoticeWebhook",
    "OpenCondition",
    "OpeningView",
    "Opportunity",
    "OpportunityPersonRole",
    "PersonSettings",
    "Program",
    "ProgramCost",
    "ProgramTag",
    "Purge",
    "PurgeKind",
    "PurgeLeave",
    "RecordEdit",
    "RecordState",
    "RecordStatus",
    "RequestedAction",
    "SavedMapping",
    "SavedView",
    "Schedule",
    "SealForm",
    "SealKind",
    "SyncBatch",
    "SyncBatchState",
    "SyncJob",
    "SyncJobAction",
    "SyncJobSource",
    "SyncJobState",
    "SyncResult",
    "SyncResultStatus",
    "SyncedRecord",
    "UndoOutcome",
    "WebhookShape",
    "WorkerLease",
    "records_of_kind",
]
