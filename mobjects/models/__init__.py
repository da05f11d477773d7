"""The app's models."""

from mobjects.marketo.types import Kind
from mobjects.models.circuit_breaker import Circuit
from mobjects.models.conflict import Conflict
from mobjects.models.custom_field import CustomField
from mobjects.models.imports import (
    Download,
    Import,
    ImportChange,
    ImportFix,
    ImportGroup,
    ImportPart,
    ImportProblem,
    ImportRow,
    SavedMapping,
)
from mobjects.models.marketo_metadata import AllowedTag, AllowedValues, MarketoField
from mobjects.models.opportunity import Opportunity
from mobjects.models.program import Program, ProgramCost, ProgramTag
from mobjects.models.role import OpportunityPersonRole
from mobjects.models.schedule import Schedule
from mobjects.models.sync_history import SyncBatch, SyncJob, SyncResult
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
    "CustomField",
    "Download",
    "Import",
    "ImportChange",
    "ImportFix",
    "ImportGroup",
    "ImportPart",
    "ImportProblem",
    "ImportRow",
    "Kind",
    "MarketoField",
    "Opportunity",
    "OpportunityPersonRole",
    "Program",
    "ProgramCost",
    "ProgramTag",
    "RecordStatus",
    "SavedMapping",
    "Schedule",
    "State",
    "SyncBatch",
    "SyncJob",
    "SyncResult",
    "SyncedRecord",
    "WorkerLease",
    "records",
]
