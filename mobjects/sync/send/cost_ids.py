"""Learning Marketo's ids of costs that were just accepted: without its id a cost could not be changed later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from mobjects.db.retry import insisting
from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import Found, Kind, Query
from mobjects.models import Program, ProgramCost, SyncBatch, SyncResult, SyncResultStatus, records
from mobjects.sync import task
from mobjects.sync.content.from_marketo import Reader
from mobjects.sync.content.loading import loaded
from mobjects.sync.content.payload import content
from mobjects.sync.job_results import result
from mobjects.sync.task import Context

_READ_BACK = "To learn the IDs of the costs that were just sent."


class CostIds:
    """The reading-back part of a sync job that sends programs. Done by one worker, the last that works on the job."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def step(self) -> bool:
        """Read one program whose costs were accepted without a cost id; ``False`` if no costs lack their ids."""
        if self._context.job.leases.count() != 1:
            return False
        pk = self._without_cost_ids().values_list("pk", flat=True).first()
        if pk is None:
            return False
        (program,) = cast(list[Program], loaded(Kind.PROGRAM, [pk]))
        query = Query(Kind.PROGRAM, id=program.marketo_id, archived=True, details=True)
        try:
            batch, page = task.read(
                self._context, Kind.PROGRAM, lambda: self._context.transport.find(query), cause=_READ_BACK
            )
        except Rejected as error:
            batch = self._context.job.batches.filter(operation="GET", cause=_READ_BACK).latest("sequence")
            said = f"The cost IDs could not be read: {error.message}"
            result(self._context.job, program, SyncResultStatus.SETTLED, batch=batch, error=said).save()
        else:
            self._learn(program.pk, batch, page.found)
        return True

    def _without_cost_ids(self) -> Any:  # a query set of programs
        here = SyncResult.objects.filter(job=self._context.job, kind=Kind.PROGRAM.value, record_id=OuterRef("pk"))
        unknown_ids = ProgramCost.objects.filter(program=OuterRef("pk"), marketo_cost_id__isnull=True)
        return (
            records(Kind.PROGRAM)
            # Also of those that were just held back for want of an ID, because the job that sent them was cut short.
            .filter(Exists(here.filter(status__in=(*SyncResult.ACCEPTED, SyncResultStatus.HELD))), Exists(unknown_ids))
            # A look-up before they were sent again does not know them.
            .exclude(Exists(here.filter(status=SyncResultStatus.SETTLED, batch__cause=_READ_BACK)))
            .order_by("pk")
        )

    @insisting
    def _learn(self, pk: int, batch: SyncBatch, found: Sequence[Found]) -> None:
        with transaction.atomic():
            records(Kind.PROGRAM).select_for_update(of=("self",)).get(pk=pk)
            (program,) = cast(list[Program], loaded(Kind.PROGRAM, [pk]))
            learned: list[str] = []
            if found:
                seen = Reader(Kind.PROGRAM, found, self._context.keys).seen(found[0], program)
                for cost in program.costs.all():
                    if cost.pk in seen.costs.ids:
                        ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=seen.costs.ids[cost.pk])
                        learned.append(f"{cost.content_text} is cost {seen.costs.ids[cost.pk]}")
                here = content(program, self._context.keys)
                records(Kind.PROGRAM).filter(pk=pk).update(in_marketo=seen.not_here(here), read_at=timezone.now())
            said = f"Cost IDs read from Marketo: {'; '.join(learned) or 'none that fits'}."
            status = SyncResultStatus.SETTLED
            result(self._context.job, program, status, batch=batch, position=1, error=said).save()
            batch.size = 1
            batch.save(update_fields=["size"])
