"""Learning Marketo's ids of costs that were just accepted: without its id a cost could not be changed later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, OuterRef

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import Kind, MarketoQuery, RemoteObject
from mobjects.models import Program, ProgramCost, SyncBatch, SyncResult, SyncResultStatus, records_of_kind
from mobjects.sync import task
from mobjects.sync.content.from_marketo import RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import record_content
from mobjects.sync.job_results import build_result
from mobjects.sync.task import JobContext

_READ_BACK = "To learn the IDs of the costs that were just sent."


class CostIdReader:
    """The reading-back part of a sync job that sends programs. Done by one worker, the last that works on the job."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def read_next_program(self) -> bool:
        """Read one program whose costs were accepted without a cost id; ``False`` if no costs lack their ids."""
        if self._context.job.leases.count() != 1:
            return False
        pk = self._without_cost_ids().values_list("pk", flat=True).first()
        if pk is None:
            return False
        (program,) = cast(list[Program], load_records(Kind.PROGRAM, [pk]))
        query = MarketoQuery(Kind.PROGRAM, id=program.marketo_id, archived=True, details=True)
        try:
            batch, page = task.read_from_marketo(
                self._context, Kind.PROGRAM, lambda: self._context.transport.find(query), cause=_READ_BACK
            )
        except Rejected as error:
            batch = self._context.job.batches.filter(operation="GET", cause=_READ_BACK).latest("sequence")
            said = f"The cost IDs could not be read: {error.message}"
            build_result(self._context.job, program, SyncResultStatus.LOOKED_UP, batch=batch, error=said).save()
        else:
            self._learn(program.pk, batch, page.found)
        return True

    def _without_cost_ids(self) -> Any:  # a query set of programs
        here = SyncResult.objects.filter(job=self._context.job, kind=Kind.PROGRAM.value, record_id=OuterRef("pk"))
        unknown_ids = ProgramCost.objects.filter(program=OuterRef("pk"), marketo_cost_id__isnull=True)
        return (
            records_of_kind(Kind.PROGRAM)
            # Also of those that were just held back for want of an ID, because the job that sent them was cut short.
            .filter(
                Exists(here.filter(status__in=(*SyncResult.ACCEPTED_STATUSES, SyncResultStatus.HELD))),
                Exists(unknown_ids),
            )
            # A look-up before they were sent again does not know them.
            .exclude(Exists(here.filter(status=SyncResultStatus.LOOKED_UP, batch__cause=_READ_BACK)))
            .order_by("pk")
        )

    @retry_on_database_error
    def _learn(self, pk: int, batch: SyncBatch, found: Sequence[RemoteObject]) -> None:
        with transaction.atomic():
            records_of_kind(Kind.PROGRAM).select_for_update(of=("self",)).get(pk=pk)
            (program,) = cast(list[Program], load_records(Kind.PROGRAM, [pk]))
            learned: list[str] = []
            if found:
                seen = RemoteReader(Kind.PROGRAM, found, self._context.keys).read_content(found[0], program)
                for cost in program.costs.all():
                    if cost.pk in seen.costs.ids:
                        ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=seen.costs.ids[cost.pk])
                        learned.append(f"{cost.content_text} is cost {seen.costs.ids[cost.pk]}")
                here = record_content(program, self._context.keys)
                records_of_kind(Kind.PROGRAM).filter(pk=pk).update(
                    in_marketo=seen.remote_only(here), read_at=clock.now()
                )
            said = f"Cost IDs read from Marketo: {'; '.join(learned) or 'none that fits'}."
            status = SyncResultStatus.LOOKED_UP
            build_result(self._context.job, program, status, batch=batch, position=1, error=said).save()
            batch.size = 1
            batch.save(update_fields=["size"])
