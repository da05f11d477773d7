"""Working out what an operation does to each record. Nothing but the rows of the bulk edit is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.changes import ALREADY, StaysAsItIs, ValueRefused, build_change
from mobjects.bulk_edits.operations import EDITED_MODELS, EditOperation, edited_fields
from mobjects.bulk_edits.rules import COMPANY, REMEMBERED, CustomRule, FieldRule
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.models import BulkEditOutcome, Kind, Opportunity, OpportunityPersonRole, SyncedRecord
from mobjects.resources.columns import CustomColumn

GONE = _("was deleted since it was chosen")
FIELD_GONE = _("there is no such field any more")
ROLE_TAKEN = _("This person already has this role in this opportunity.")
_COMPANY = ("company_id", "company_key")
_PERSON = ("opportunity", "person_id", "person_key")


class PlannedRow(NamedTuple):
    """What becomes of one record; see :class:`~mobjects.models.BulkEditRow`."""

    record_id: int
    outcome: str
    version: int | None = None
    old: str | None = None
    new: str | None = None
    reason: str = ""
    more: dict[str, Any] = {}  # noqa: RUF012 -- nobody writes into it


class OperationGone(Exception):
    """What was chosen makes no sense any more; the text says why."""


class Planner(ABC):
    """Works out an operation for some records at a time."""

    @abstractmethod
    def plan_rows(self, ids: Sequence[int]) -> list[PlannedRow]:
        """What becomes of some records, in their order; each of them once."""


class _Verdict(NamedTuple):
    """What an operation makes of a value, whichever record holds it."""

    outcome: str
    new: str = ""
    reason: str = ""


class FieldPlanner(Planner):
    """Plans a change of one field.

    Args:
        model_name: of the records.
        operation: with its values.

    Raises:
        OperationGone: the field is not there any more.
    """

    def __init__(self, model_name: str, operation: EditOperation) -> None:
        self.model: Any = EDITED_MODELS[model_name]
        column = edited_fields(model_name).get(operation.field)
        if column is None:
            raise OperationGone(FIELD_GONE)
        self.column = column
        self.rule = FieldRule(model_name, column)
        self._change = build_change(operation, column.attribute.type)
        self._nothing = None if self.rule.field is not None and self.rule.field.null else ""
        self._verdicts: dict[str, _Verdict] = {}
        self._synced = issubclass(self.model, SyncedRecord)
        self._rivals = self.model is Opportunity and column.field in _COMPANY
        self._roles = self.model is OpportunityPersonRole and column.field == "role"
        self._custom = None
        more = []
        kinds: dict[Any, Kind] = {Opportunity: Kind.OPPORTUNITY, OpportunityPersonRole: Kind.ROLE}
        kind = kinds.get(self.model)
        if kind is not None:
            is_custom = isinstance(column, CustomColumn)
            self._custom = CustomRule(kind, but=column.name if is_custom else "")
            more = ["custom_attributes", *(_COMPANY if self._rivals else ()), *(_PERSON if self._roles else ())]
        self._lookup = RecordLookup(self.model, more, [column])

    def plan_rows(self, ids: Sequence[int]) -> list[PlannedRow]:
        found = {record[0]: record for record in self._lookup.find_by_field("id", ids)}
        taken = self._taken_roles(found) if self._roles else set()
        return [self._plan(found[pk], taken) if pk in found else _gone(pk) for pk in ids]

    def _plan(self, record: StoredRecord, taken: set[Any]) -> PlannedRow:
        old = record[-1]
        text = old or ""
        verdict = self._verdicts.get(text) or self._remember(text)
        if verdict.outcome != BulkEditOutcome.CHANGED:
            would_be = verdict.new if verdict.outcome == BulkEditOutcome.REFUSED else None
            return PlannedRow(record[0], verdict.outcome, None, old, would_be, verdict.reason)
        if problem := self._record_problem(record, verdict.new, taken):
            return PlannedRow(record[0], BulkEditOutcome.REFUSED.value, None, old, verdict.new, problem)
        version = record[1] if self._synced else None
        return PlannedRow(record[0], verdict.outcome, version, old, verdict.new or self._nothing)

    def _remember(self, text: str) -> _Verdict:
        if len(self._verdicts) > REMEMBERED:
            self._verdicts.clear()
        verdict = self._verdicts[text] = self._judge(text)
        return verdict

    def _judge(self, old: str) -> _Verdict:
        try:
            new = self._change(self.rule.normalize(old))
        except StaysAsItIs as error:
            return _Verdict(BulkEditOutcome.UNCHANGED.value, "", str(error))
        except ValueRefused as error:
            return _Verdict(BulkEditOutcome.REFUSED.value, "", str(error))
        if new == self.rule.normalize(old):
            return _Verdict(BulkEditOutcome.UNCHANGED.value, "", ALREADY)
        if problem := self.rule.find_problem(new):
            return _Verdict(BulkEditOutcome.REFUSED.value, new, problem)
        return _Verdict(BulkEditOutcome.CHANGED.value, self.rule.normalize(new))

    def _record_problem(self, record: StoredRecord, new: str, taken: set[Any]) -> str:
        """What the record as a whole breaks."""
        if self._custom is not None and (problem := self._custom.find_problem(record[LEADING_VALUES])):
            return problem
        if self._rivals and new:
            other = record[LEADING_VALUES + 1 + (self.column.field == _COMPANY[0])]
            if other:
                return COMPANY
        if self._roles:
            place = (*_person_of(record), new)
            if place in taken:
                return ROLE_TAKEN
            taken.add(place)
        return ""

    def _taken_roles(self, found: dict[int, StoredRecord]) -> set[Any]:
        """The roles that there are in the opportunities of these roles."""
        opportunities = {int(record[LEADING_VALUES + 1]) for record in found.values()}
        roles = self.model.objects.filter(opportunity__pk__among=opportunities)
        rows = roles.values_list("opportunity", "person_id", "person_key", "role")
        return {(str(owner), str(person or ""), key, role) for owner, person, key, role in rows}


def _person_of(record: StoredRecord) -> tuple[str, str, str]:
    owner, person, key = record[LEADING_VALUES + 1 : LEADING_VALUES + 4]
    return str(owner), str(person or ""), key


def _gone(pk: int) -> PlannedRow:
    return PlannedRow(pk, BulkEditOutcome.REFUSED.value, reason=GONE)
