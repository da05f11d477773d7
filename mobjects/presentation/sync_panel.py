"""The panel above a record's form: its state, and what became of it in Marketo, as far as that still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects import selectors
from mobjects.kept_text import translate_kept
from mobjects.models import (
    OpportunityPersonRole,
    RecordStatus,
    SyncedRecord,
    SyncJob,
    SyncJobAction,
    SyncResult,
    SyncResultStatus,
)
from mobjects.presentation.badges import record_state_badge
from mobjects.sync.content.payload import REPLACED, is_replaced, record_difference
from mobjects.sync.paging import can_find
from mobjects.sync.send.held_now import holds_still
from mobjects.sync.transport_factory import key_fields

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENDING = (*SyncJob.SENDING_ACTIONS, SyncJobAction.DELETE)
READING = (SyncJobAction.PULL, SyncJobAction.COMPARE, SyncJobAction.IDENTIFY)
TITLES: dict[str, StrOrPromise] = {
    SyncJobAction.SEND: gettext_lazy("Last sending"),
    SyncJobAction.UNDO: gettext_lazy("Last undo of a sending"),
    SyncJobAction.DELETE: gettext_lazy("Last deletion in Marketo"),
    SyncJobAction.PULL: gettext_lazy("Last pull"),
    SyncJobAction.COMPARE: gettext_lazy("Last comparison"),
    SyncJobAction.IDENTIFY: gettext_lazy("Last look-up of IDs"),
}
DIFFERENCES_SHOWN = 25
"""On one page. A program may have thousands of costs that Marketo has not accepted yet."""
REFUSED = (SyncResultStatus.FAILED, SyncResultStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class PanelLine:
    """What one job did with the record. ``over`` says why its reason does not hold any more; "" if it does."""

    title: StrOrPromise
    result: SyncResult
    over: str

    @property
    def reason(self) -> str:
        """The reason, as long as it holds."""
        return "" if self.over else translate_kept(self.result.error)


def build_sync_panel(
    record: SyncedRecord, *, may_pull: bool, may_see: bool = True, page: str | None = None
) -> dict[str, Any]:
    """What the panel of a record shows; see templates/mobjects/sync/record/sync_panel.html.

    Args:
        record: as the database has it.
        may_pull: whether the user may read records from Marketo.
        may_see: whether the user may see all values of such records, be they of what belongs to them.
        page: number of the page of differences, as the address says it; what is none means the nearest there is.
    """
    decision = selectors.decisions_about(record.KIND, record.pk).first()
    keys = key_fields()
    difference = record_difference(record, keys)
    undecided = decision is not None and decision.decided_at is None
    sent, read = selectors.latest_results(record.KIND, record.pk, SENDING, READING)
    lines = [
        *([_line(sent, _sending_over(record, sent, undecided=undecided))] if sent else []),
        *([_line(read, _reading_over(record, read))] if read else []),
    ]
    return {
        "record": record,
        "state": record_state_badge(record.current_state),
        "is_hidden": not may_see,
        "difference": Paginator(difference if may_see else [], DIFFERENCES_SHOWN).get_page(page),
        "replaced": _(REPLACED) if isinstance(record, OpportunityPersonRole) and is_replaced(record, keys) else "",
        "lines": lines,
        # Of a record whose history is gone.
        "last_error": translate_kept(record.last_error) if not sent and record.refusal_stands else "",
        "decision": decision,
        "may_pull": may_pull and can_find(record, keys),
        "history_url": reverse("mobjects:record-history", args=[record.KIND.value, record.pk]),
    }


def _line(result: SyncResult, over: str) -> PanelLine:
    return PanelLine(TITLES[result.job.action], result, over if result.error else "")


def _sending_over(record: SyncedRecord, result: SyncResult, *, undecided: bool) -> str:
    if result.status in REFUSED and record.revision > result.revision:
        return _("The record was changed since.")
    if result.status == SyncResultStatus.HELD and not holds_still(record, result):
        return _("That holds no more.")
    if result.status == SyncResultStatus.CONFLICT and not undecided:
        return _("That was decided since.")
    if result.status == SyncResultStatus.UNKNOWN and record.last_status != RecordStatus.UNKNOWN:
        return _("That is known by now.")
    return ""


def _reading_over(record: SyncedRecord, result: SyncResult) -> str:
    later = (record.last_synced_at, record.read_at)
    if record.revision > result.revision or any(at and at > result.created_at for at in later):
        return _("It was changed, sent or read again since.")
    return ""
