"""The streams of what was held for approval, and of what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from mobjects.models import Approval, ApprovalRecord, ApprovalState, ApprovedWork
from mobjects.timeline.entries import EntryKind, TimelineEntry
from mobjects.timeline.streams import TimelineStream

_START = datetime(1970, 1, 1, tzinfo=UTC)


def _held_title(approval: Approval) -> str:
    if approval.is_undo:
        return _("Undo held for approval")
    is_deletion = approval.work in (ApprovedWork.DELETE, ApprovedWork.REMOVE)
    return _("Deletion held for approval") if is_deletion else _("Held for approval")


class HeldStream(TimelineStream):
    """Work on the record that a rule held."""

    name, kinds, has_fields = "held", (EntryKind.APPROVAL,), False

    def of_record(self) -> QuerySet[Any]:
        found = ApprovalRecord.objects.filter(kind=self.kind.value, record_id=self.record_id)
        return found.select_related("approval")

    def rows(self, after: str) -> QuerySet[Any]:
        found = self.of_record().order_by("-pk")
        found = found.filter(pk__lt=int(after)) if after else found
        return found.filter(approval__username=self.narrowed.person) if self.narrowed.person else found

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        return [
            TimelineEntry(
                at=row.approval.created_at,
                kind=EntryKind.APPROVAL,
                title=_held_title(row.approval),
                position=str(row.pk),
                person=row.approval.username,
                note=_("Rule: %(rule)s") % {"rule": row.approval.rule_name},
                approval=row.approval,
            )
            for row in found[:count]
        ]


class ApprovalDecisionStream(HeldStream):
    """What became of it."""

    name = "approval"

    def rows(self, after: str) -> QuerySet[Any]:
        found = self.of_record().filter(approval__decided_at__isnull=False)
        found = found.order_by("-approval__decided_at", "-pk")
        if after:
            micro, pk = (int(part) for part in after.split("-"))
            at = _START + timedelta(microseconds=micro)
            found = found.filter(Q(approval__decided_at__lt=at) | Q(approval__decided_at=at, pk__lt=pk))
        return found.filter(approval__decided_by=self.narrowed.person) if self.narrowed.person else found

    def order(self, row: Any) -> Any:
        return _START - row.approval.decided_at, -row.pk

    def entries(self, found: list[Any], count: int) -> list[TimelineEntry]:
        return [self._entry(row) for row in found[:count]]

    def _entry(self, row: ApprovalRecord) -> TimelineEntry:
        approval = row.approval
        at = approval.decided_at or approval.created_at
        titles = {
            ApprovalState.APPROVED: _("Approved"),
            ApprovalState.REFUSED: _("Approval refused"),
            ApprovalState.WITHDRAWN: _("Approval withdrawn"),
        }
        return TimelineEntry(
            at=at,
            kind=EntryKind.APPROVAL,
            title=titles.get(ApprovalState(approval.state), _("Approval expired")),
            position=f"{(at - _START) // timedelta(microseconds=1)}-{row.pk}",
            person=approval.decided_by,
            note=approval.reason,
            approval=approval,
        )
