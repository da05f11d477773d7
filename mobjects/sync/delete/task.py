"""Deleting opportunities and roles in Marketo, and then here. Roles go before their opportunity.

Deleting an object that is gone already changes nothing, so a call that was not answered is simply made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_noop as _

from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError, OutcomeUnknown
from mobjects.marketo.types import BatchResponse, Kind, OutcomeStatus
from mobjects.models import (
    EditSource,
    OpportunityPersonRole,
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    SyncedRecord,
    SyncResult,
    SyncResultStatus,
    records_of_kind,
)
from mobjects.models.synced_record import UNDER_WAY
from mobjects.sync import task
from mobjects.sync.conflicts.ambiguous import close_orphaned_conflicts
from mobjects.sync.job_results import add_counts, build_result, results_of_record, save_results
from mobjects.sync.task import JobContext, JobTask

IdColumn = Callable[[Kind], str]

DELETE_ORDER = (Kind.ROLE, Kind.OPPORTUNITY)
IN_ANOTHER_JOB = _("It is in a batch of another job right now; delete it again when that is done.")
NOT_ANSWERED = _("It was sent without an answer, and that has to be looked up first: sync it, then delete it again.")
ROLE_UNDER_WAY = _(
    "Marketo has deleted it. One of its roles is being sent right now, so it stays here; delete it again."
)
CHANGED_SINCE = _(
    "It was changed here since its deletion was asked for. Look at it; then delete it again, or leave it."
)
KEPT_HERE = _("Deleted in Marketo. It was changed here meanwhile, so it was kept here.")
HAS_ROLES = _("Roles of it could not be deleted; without it nothing in Marketo would lead to them.")


def records_to_delete(kind: Kind, selection: dict[str, Any], id_column: IdColumn) -> Any:  # a query set of records
    """The records of a kind that a deletion is about: those that were selected, and the roles of opportunities.

    Args:
        kind: opportunities or roles.
        selection: ``{"kind": Marketo's name, "ids": our own ids}``, as on the job.
        id_column: gives the column that holds what a record of a kind is called in Marketo.
    """
    found = records_of_kind(kind).filter(**_known(id_column(kind))).order_by("pk")
    if selection["kind"] == kind.value:
        return found.filter(pk__in=selection["ids"])
    if kind is Kind.ROLE:
        known = _known(f"opportunity__{id_column(Kind.OPPORTUNITY)}")
        return found.filter(opportunity_id__in=selection["ids"], **known)
    return found.none()


def _known(column: str) -> dict[str, bool]:
    """The condition that Marketo has the object."""
    return {f"{column}__isnull": False}


def revisions_to_delete(selection: dict[str, Any], id_column: IdColumn) -> dict[str, dict[str, int]]:
    """How all that a deletion is about stands now, roles that go here with their opportunity included.

    Args:
        selection, id_column: as :func:`records_to_delete` takes them.

    Returns:
        Revisions by kind and our own id; the ids as texts, as they come back from JSON.
    """
    opportunities = records_to_delete(Kind.OPPORTUNITY, selection, id_column)
    roles = records_to_delete(Kind.ROLE, selection, id_column)
    of_these = Q(pk__in=roles.values("pk")) | Q(opportunity__in=opportunities)
    found = {Kind.OPPORTUNITY: opportunities, Kind.ROLE: OpportunityPersonRole.objects.filter(of_these)}
    return {
        kind.value: {str(pk): revision for pk, revision in rows.values_list("pk", "revision")}
        for kind, rows in found.items()
    }


class DeleteTask(JobTask):
    """Deletes what a job selected, a batch at a step. What Marketo deleted, or no longer had, is deleted here too."""

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def step(self) -> bool:
        """Delete one batch."""
        for kind in DELETE_ORDER:
            if self._open(kind).exists():
                self._delete(kind)
                return True
        return False

    @retry_on_database_error
    def finish(self) -> None:
        """Write down what was held back."""
        job = self._context.job
        for kind in DELETE_ORDER:
            has_result = results_of_record(job, kind).exclude(status__in=SyncResult.PASSING_STATUSES)
            left = records_to_delete(kind, job.selection, self._context.keys.id_column).exclude(Exists(has_result))
            with transaction.atomic():
                reasons = [(record, _reason(record)) for record in left]
                status = SyncResultStatus.HELD
                save_results(job, [build_result(job, record, status, error=reason) for record, reason in reasons])

    def _open(self, kind: Kind) -> Any:  # a query set of records
        has_result = results_of_record(self._context.job, kind).exclude(status__in=SyncResult.PASSING_STATUSES)
        found = records_to_delete(kind, self._context.job.selection, self._context.keys.id_column)
        found = found.exclude(UNDER_WAY).exclude(Exists(has_result))
        if kind is Kind.OPPORTUNITY:
            roles = OpportunityPersonRole.objects.filter(
                Q(marketo_id__isnull=False) | Q(marketo_guid__isnull=False) | UNDER_WAY,
                opportunity=OuterRef("pk"),
            )
            found = found.exclude(Exists(roles))
        return found

    def _delete(self, kind: Kind) -> None:
        with self._context.rate_limiter.permit_call():
            claimed = self._claim(kind)
            if claimed is None:
                return
            batch, taken = claimed
            called = map(self._context.keys.id_of, taken)
            ids = [each for each in called if each is not None]
            try:
                answer = self._context.transport.delete(kind, ids)
            except MarketoError as error:
                self._failed(batch, error)
                raise
        self._save(kind, batch, taken, answer)

    @retry_on_database_error
    def _claim(self, kind: Kind) -> tuple[SyncBatch, Sequence[SyncedRecord]] | None:
        """The next batch, written down, and its records; ``None`` if another job took the last of them meanwhile.

        What was changed since the deletion was asked for is held back.
        """
        job = self._context.job
        with transaction.atomic():
            free = self._open(kind).select_for_update(of=("self",))
            taken = list(free[: self._context.transport.delete_limit])
            if not taken:
                return None
            changed = self._changed_since(kind, taken)
            held = [record for record in taken if record.pk in changed]
            save_results(
                job, [build_result(job, record, SyncResultStatus.HELD, error=CHANGED_SINCE) for record in held]
            )
            taken = [record for record in taken if record.pk not in changed]
            if not taken:
                return None
            batch = task.begin_batch(self._context, kind, "DELETE", size=len(taken))
            records_of_kind(kind).filter(pk__in=[record.pk for record in taken]).update(claimed_by=batch)
            SyncResult.objects.bulk_create(
                build_result(job, record, SyncResultStatus.PENDING, batch=batch, position=position)
                for position, record in enumerate(taken, start=1)
            )
        return batch, taken

    def _changed_since(self, kind: Kind, records: Sequence[SyncedRecord]) -> set[int]:
        """Our ids of those, just locked, that are no longer as the person saw them who asked for the deletion."""
        seen = self._context.job.selection.get("revisions")
        if seen is None:
            return set()
        changed = {record.pk for record in records if seen[kind.value].get(str(record.pk)) != record.revision}
        if kind is Kind.OPPORTUNITY:
            roles = OpportunityPersonRole.objects.select_for_update().filter(opportunity__in=records).order_by("pk")
            for pk, parent, revision in roles.values_list("pk", "opportunity", "revision"):
                if seen[Kind.ROLE.value].get(str(pk)) != revision:
                    changed.add(parent)
        return changed

    @retry_on_database_error
    def _failed(self, batch: SyncBatch, error: MarketoError) -> None:
        with transaction.atomic():
            records_of_kind(Kind(batch.kind)).filter(claimed_by=batch).update(claimed_by=None)
            batch.results.update(status=SyncResultStatus.RETRIED, error=error.message)
            batch.fault_code, batch.fault_text = error.code, error.message
            unknown = isinstance(error, OutcomeUnknown)
            task.close_batch(batch, SyncBatchState.UNKNOWN if unknown else SyncBatchState.NOT_SENT, error.exchange)

    @retry_on_database_error
    def _save(self, kind: Kind, batch: SyncBatch, taken: Sequence[SyncedRecord], answer: BatchResponse) -> None:
        gone = []
        with transaction.atomic():
            counts: Counter[str] = Counter()
            held = records_of_kind(kind).select_for_update(of=("self",)).filter(claimed_by=batch).order_by("pk")
            kept = self._changed_since(kind, list(held))
            rows = {row.record_id: row for row in batch.results.all()}
            stay = _with_role_under_way(taken) if kind is Kind.OPPORTUNITY else set()
            for record, outcome in zip(taken, answer.outcomes, strict=True):
                row = rows[record.pk]
                deleted = outcome.status in (OutcomeStatus.DELETED, OutcomeStatus.UNCHANGED)
                row.status = SyncResultStatus.DELETED if deleted else SyncResultStatus.FAILED
                gone_before = "" if outcome.status is OutcomeStatus.DELETED else _("Marketo no longer had it.")
                row.error = KEPT_HERE if deleted and record.pk in kept else outcome.message or gone_before
                counts[row.status] += 1
                if deleted and record.pk in stay:
                    row.error = ROLE_UNDER_WAY
                elif deleted:
                    gone.append(record.pk)
                row.save(update_fields=["status", "error"])
            records_of_kind(kind).filter(claimed_by=batch).update(claimed_by=None)
            with edit(EditSource.DELETED, username=self._context.job.username, reference=self._context.job.pk):
                records_of_kind(kind).filter(pk__in=set(gone) - kept).delete()
            close_orphaned_conflicts()
            task.close_batch(batch, SyncBatchState.ANSWERED, answer.exchange)
            add_counts(self._context.job, counts)


def _with_role_under_way(taken: Sequence[SyncedRecord]) -> set[int]:
    """Our ids of opportunities of which another job has begun to send a role meanwhile; holds all their roles."""
    roles = OpportunityPersonRole.objects.filter(opportunity__in=[record.pk for record in taken]).order_by("pk")
    held = list(roles.select_for_update(of=("self",)).values_list("pk", flat=True))
    return set(roles.filter(UNDER_WAY, pk__in=held).values_list("opportunity_id", flat=True))


def _reason(record: SyncedRecord) -> str:
    if record.claimed_by_id is not None:
        return IN_ANOTHER_JOB
    return NOT_ANSWERED if record.last_status == RecordStatus.UNKNOWN else HAS_ROLES
