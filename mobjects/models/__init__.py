"""The app's models."""

from mobjects.marketo.types import Kind
from mobjects.models.circuit_breaker import Circuit
from mobjects.models.conflict import Conflict, ConflictAnswer, ConflictReason
from mobjects.models.custom_field import CustomField
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
from mobjects.models.marketo_metadata import AllowedTag, AllowedValues, MarketoField
from mobjects.models.opportunity import Opportunity
from mobjects.models.program import Program, ProgramCost, ProgramTag
from mobjects.models.role import OpportunityPersonRole
from mobjects.models.schedule import Schedule
from mobjects.models.sync_history import (
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
from mobjects.models.synced_record import RecordStatus, State, SyncedQuerySet, SyncedRecord
from mobjects.models.worker_lease import WorkerLease

RECORDS: dict[Kind, type[SyncedRecord]] = {
    Kind.PROGRAM: Program,
    Kind.OPPORTUNITY: Opportunity,
    Kind.ROLE: OpportunityPersonRole,
}
"""The synced models, in the order in which they have to be sent."""


def records(kind: Kind) -> SyncedQuerySet:
    """All local records of a kind."""
    return SyncedQuerySet(RECORDS[kind])


__all__ = [
    "RECORDS",
    "AllowedTag",
    "AllowedValues",
    "Circuit",
    "Conflict",
    "ConflictAnswer",
    "ConflictReason",
    "CustomField",
    "Download",
    "DownloadContent",
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
    "Kind",
    "MarketoField",
    "Opportunity",
    "OpportunityPersonRole",
    "Program",
    "ProgramCost",
    "ProgramTag",
    "RecordStatus",
    "RequestedAction",
    "SavedMapping",
    "Schedule",
    "State",
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
    "WorkerLease",
    "records",
]
