"""Learning Marketo's ids of costs that were just accepted: without its id a cost could not be changed later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError, RefusalReason
from mobjects.marketo.types import Kind, RemoteObject
from mobjects.models import Program, ProgramCost, SyncBatch, SyncResult, SyncResultStatus, records_of_kind
from mobjects.sync import task
from mobjects.sync.content.from_marketo import RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import record_content
from mobjects.sync.job_results import build_result, save_results
from mobjects.sync.send.program_pages import MOST_TO_A_PAGE, query_programs, read_programs
from mobjects.sync.task import JobContext

_READ_BACK = _("To learn the IDs of the costs that were just sent.")


class CostIdReader:
    """The reading-back part of a sync job that sends programs. Done by one worker, the last that works on the job.

    It is a help: the programs were accepted. Where it fails, they get a note, and the job and all others go on.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._signed_anew = False

    def read_next_page(self) -> bool:
        """Read a page of programs whose costs were accepted without a cost id; ``False`` if no costs lack their ids.

        Raises:
            WaitRequired: a limit of ours is reached.
            MarketoError: Marketo says that a short wait, or a fresh signature, is all it takes.
        """
        if self._context.job.leases.count() != 1:
            return False
        numbers = dict(self._without_cost_ids().values_list("pk", "marketo_id")[:MOST_TO_A_PAGE])
        if not numbers:
            return False
        query, wanted = query_programs(numbers, self._context.keys.traits)
        try:
            batch, page = task.read_from_marketo(
                self._context, Kind.PROGRAM, lambda: self._context.transport.find(query), cause=_READ_BACK
            )
        except MarketoError as error:
            if self._is_soon_over(error):
                raise
            self._note_failure(wanted, error)
        else:
            self._learn_page(batch, read_programs(page, numbers))
        return True

    def _is_soon_over(self, error: MarketoError) -> bool:
        if error.trouble is RefusalReason.EXPIRED:
            again, self._signed_anew = not self._signed_anew, True
            return again
        return error.trouble in (RefusalReason.RATE, RefusalReason.AT_ONCE)

    @retry_on_database_error
    def _note_failure(self, pks: Sequence[int], error: MarketoError) -> None:
        job = self._context.job
        batch = job.batches.filter(operation="GET", cause=_READ_BACK).latest("sequence")
        said = _("The cost IDs could not be read: %(message)s The next sync tries again.") % {"message": error.message}
        status = SyncResultStatus.LOOKED_UP
        programs = load_records(Kind.PROGRAM, pks)
        save_results(job, [build_result(job, each, status, batch=batch, error=said) for each in programs])

    def _learn_page(self, batch: SyncBatch, programs: Mapping[int, Sequence[RemoteObject]]) -> None:
        for position, (pk, found) in enumerate(programs.items(), start=1):
            self._learn(pk, batch, position, found)
        batch.size = len(programs)
        batch.save(update_fields=["size"])

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
            .order_by("marketo_id")
        )

    @retry_on_database_error
    def _learn(self, pk: int, batch: SyncBatch, position: int, found: Sequence[RemoteObject]) -> None:
        with transaction.atomic():
            if not records_of_kind(Kind.PROGRAM).select_for_update(of=("self",)).filter(pk=pk).first():
                return  # It was deleted meanwhile.
            (program,) = cast(list[Program], load_records(Kind.PROGRAM, [pk]))
            learned: list[str] = []
            if found:
                seen = RemoteReader(Kind.PROGRAM, found, self._context.keys).read_content(found[0], program)
                for cost in program.costs.all():
                    if cost.pk in seen.costs.ids:
                        ProgramCost.objects.filter(pk=cost.pk).update(marketo_cost_id=seen.costs.ids[cost.pk])
                        # The reason of a result is read by people who may not see amounts, too.
                        learned.append(
                            _("%(content_text)s is cost %(seen)s")
                            % {"content_text": f"{cost.month:%Y-%m}", "seen": seen.costs.ids[cost.pk]}
                        )
                here = record_content(program, self._context.keys)
                records_of_kind(Kind.PROGRAM).filter(pk=pk).update(
                    in_marketo=seen.remote_only(here), read_at=clock.now()
                )
            said = _("Cost IDs read from Marketo: %(fits)s.") % {"fits": "; ".join(learned) or "none that fits"}
            status = SyncResultStatus.LOOKED_UP
            build_result(self._context.job, program, status, batch=batch, position=position, error=said).save()
