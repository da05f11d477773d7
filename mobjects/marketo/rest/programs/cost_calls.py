"""Writing the costs of one program, and seeing that Marketo then holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mobjects.marketo.errors import OutcomeUnknown, Rejected
from mobjects.marketo.rest.codes import NOTHING_FOUND
from mobjects.marketo.rest.programs.cost_plan import (
    CostPlan,
    check_costs,
    check_notes,
    plan_costs,
    plan_notes,
    plan_problem,
)
from mobjects.marketo.rest.programs.cost_rows import CostRow, RowPool, describe_rows
from mobjects.marketo.rest.programs.logged_calls import RACE_WAIT_SECONDS, SYSTEM_ERROR, LoggedCalls
from mobjects.marketo.rest.programs.reading import ProgramReader, RemoteProgram, program_path
from mobjects.marketo.rest.programs.write_memory import WriteMemory
from mobjects.marketo.rest.programs.write_state import ProgramMissing, WriteRefused, WriteState
from mobjects.marketo.rest.request import Parameter
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.types import OutgoingRecord
from mobjects.marking import gettext_noop as _

_DATE_MARGIN = timedelta(seconds=2)
"""A Date header has whole seconds, and so has the time of a program's last change."""


class CostCalls:
    """Reads, plans, writes and checks.

    Args:
        calls, reader: to make calls with.
        record: what is wanted.
        store: where what was written last is remembered.
        base: the instance's address.
        state: how far the update has come.
    """

    def __init__(
        self,
        calls: LoggedCalls,
        reader: ProgramReader,
        record: OutgoingRecord,
        store: SharedStore | None,
        base: str,
        state: WriteState,
    ) -> None:
        self._calls, self._reader, self._record, self._state = calls, reader, record, state
        self._id = int(record.marketo_id or 0)
        wanted = repr((record.costs, record.unchanged_costs, record.removed_costs))
        self._memory = WriteMemory(store, base, self._id, wanted)
        self._plan: CostPlan | None = None
        self._written_before = 0

    def plan(self) -> CostPlan:
        """Read the costs and decide what to write.

        Raises:
            ProgramMissing: there is no such program.
            WriteRefused: the costs cannot be written.
            MarketoError: they could not be read.
        """
        program = self._reader.read_with_costs(self._id, self._record.name)
        if program is None:
            raise ProgramMissing
        plan = self._plan_for(program)
        if plan.doubtful or self._memory.outdates(program.updated_at):
            # What reads tell may be older than what was written last; the answer to an update is not.
            plan = self._plan_fresh(program)
        self._plan = self._checked(plan)
        self._written_before = len(self._state.parts)
        return plan

    def write(self) -> RemoteProgram | None:
        """Write what :meth:`plan` decided.

        Returns:
            The program after it; ``None`` if nothing had to be written.

        Raises:
            ProgramMissing, WriteRefused, MarketoError: see :meth:`plan`; the state tells what was written.
            OutcomeUnknown: the costs may have been written.
        """
        plan = self._plan or self.plan()
        if plan.whole is not None and len(self._state.parts) != self._written_before:
            plan = self.plan()  # Other calls were made since; the whole list is written right after it was read.
        if not plan.writes:
            self._state.notes += plan_notes(plan)
            return None
        reported, plan = self._write_plan(plan)
        self._state.parts.append("costs")
        written_at = self._marketo_time()
        reported = self._check(plan, reported)
        self._memory.note_success(max(filter(None, (written_at, reported.updated_at)), default=None))
        return reported

    def _marketo_time(self) -> datetime | None:
        """When the last call surely had begun, by Marketo's clock; ``None`` if its answer did not tell the time."""
        exchange = self._calls.exchange
        if exchange.clock_offset_seconds is None:
            return None
        return datetime.now(UTC) + timedelta(seconds=exchange.clock_offset_seconds - exchange.seconds) - _DATE_MARGIN

    def _plan_for(self, program: RemoteProgram) -> CostPlan:
        reported = program.costs or ()
        return plan_costs(self._record, reported, known_arrived=self._memory.has_arrived(reported))

    def _plan_fresh(self, program: RemoteProgram) -> CostPlan:
        try:
            fresh = self._reader.read_by_update(program)
        except Rejected:
            return self._plan_for(program)
        if fresh is None:
            raise ProgramMissing
        return self._plan_for(fresh)

    def _checked(self, plan: CostPlan) -> CostPlan:
        if problem := plan_problem(plan):
            raise WriteRefused(problem)
        return plan

    def _write_plan(self, plan: CostPlan) -> tuple[RemoteProgram, CostPlan]:
        """Write; after a system error look what stands there, and write once more what does not."""
        try:
            return self._write_once(plan), plan
        except OutcomeUnknown as error:
            if error.code != SYSTEM_ERROR:
                raise
            self._state.doubtful = True
        self._calls.wait(RACE_WAIT_SECONDS)
        program = self._reader.read_with_costs(self._id, self._record.name)
        fresh = self._reader.read_by_update(program) if program is not None else None
        if fresh is None:
            raise ProgramMissing
        plan = self._checked(self._plan_for(fresh))
        if not plan.writes:
            return fresh, plan
        self._calls.wait(RACE_WAIT_SECONDS)  # The update that told was a write too.
        return self._write_once(plan), plan

    def _write_once(self, plan: CostPlan) -> RemoteProgram:
        self._memory.note_attempt(plan.before, plan.expected)
        try:
            reply = self._calls.write(program_path(self._id), _fields(plan))
        except Rejected as error:
            if error.code in NOTHING_FOUND:
                raise ProgramMissing from error
            raise WriteRefused(
                _("Marketo refused the costs of the program. %(message)s") % {"message": error.message}, error
            ) from error
        return self._reader.read_answer(reply, self._id, self._state)

    def _check(self, plan: CostPlan, reported: RemoteProgram) -> RemoteProgram:
        """Compare what Marketo shows with what was written, and put back what is not there and was not to go."""
        found = check_costs(plan.expected, reported.costs or ())
        # No costs at all may mean that the answer does not tell them.
        if found.missing or not reported.costs:
            reported = self._read_back(reported)
            found = check_costs(plan.expected, reported.costs or ())
        kept = RowPool(plan.before)
        lost = [row for row in found.missing if kept.pop_row(row) is not None]
        ours = [row for row in found.missing if row not in lost]
        if ours:
            raise self._calls.unknown(
                _("Marketo took the costs, but does not show %(ours)s; look at the program in Marketo.")
                % {"ours": describe_rows(ours)}
            )
        if lost and plan.whole is not None:
            reported = self._put_back(lost, reported)
        elif lost:
            self._state.notes.append(
                _("Removed in Marketo meanwhile: %(lost)s; pull the program.") % {"lost": describe_rows(lost)}
            )
        self._state.notes += [*plan_notes(plan), *check_notes(found)]
        return reported

    def _read_back(self, reported: RemoteProgram) -> RemoteProgram:
        again = self._reader.read_with_costs(self._id, reported.name)
        if again is None:
            raise ProgramMissing
        return again

    def _put_back(self, lost: Sequence[CostRow], reported: RemoteProgram) -> RemoteProgram:
        """Append costs that went with the list that was replaced."""
        costs: list[object] = [row.as_field() for row in lost]
        reply = self._calls.write(program_path(self._id), {"costs": costs})
        self._state.notes.append(
            _("Put back, because it was lost with the list: %(lost)s.") % {"lost": describe_rows(lost)}
        )
        return self._reader.read_answer(reply, self._id, self._state)


def _fields(plan: CostPlan) -> dict[str, Parameter]:
    """The form of the update; a list that is empty is left out, which clears."""
    costs: list[object] = [row.as_field() for row in (plan.whole if plan.whole is not None else plan.added)]
    return {"costs": costs or None, "costsDestructiveUpdate": True if plan.whole is not None else None}
