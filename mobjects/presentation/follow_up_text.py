"""Dry runs, tries and undos in words: what they are called, what they were asked to do, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobjects.models import SyncBatch, SyncJob, SyncJobAction, SyncResultStatus
from mobjects.presentation.vocabulary import removed_text
from mobjects.sync.send.selection import OperationChoice

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NOTHING_WORDS: dict[str, StrOrPromise] = {
    SyncJobAction.DRY_RUN: gettext_lazy("there is nothing to send"),
    SyncJobAction.UNDO: gettext_lazy("there was nothing to undo"),
}
SENDS_SELECTION = (SyncJobAction.SEND, SyncJobAction.DRY_RUN)
"""Actions whose jobs keep what a person asked to send."""


def origin_label(job: SyncJob) -> str:
    """What a job does with the one that it follows."""
    if job.action == SyncJobAction.UNDO:
        return _("Undoes")
    if job.selection.get("of_dry_run"):
        return _("Sends exactly")
    if job.origin is not None and job.origin.selection.get("rest"):
        return _("Sends the rest of")
    return _("Repeats")


def operation_text(job: SyncJob) -> str:
    """The operation by which a job sends; "" of one that sends nothing."""
    if job.action not in (*SyncJob.SENDING_ACTIONS, SyncJobAction.DRY_RUN):
        return ""
    return _("Automatic") if job.operation == OperationChoice.AUTO else job.operation


def unsendable_text(job: SyncJob) -> str:
    """Why what a job showed cannot be sent exactly."""
    removed = removed_text(job.values_removed_at, job.finished_at)
    return removed or _("Only a dry run that is over and found something can be sent.")


def describe_undo() -> str:
    """What an undo is about."""
    return _("The values that Marketo had accepted before, put back here and sent")


def describe_gone(job: SyncJob) -> str:
    """That a job which has sent came too late for some of its records, as a sentence after others; "" if it did not."""
    count = job.planned - job.result_count
    if count <= 0:
        return ""
    words = ngettext(
        "%(count)s more record was there when it began and had nothing to send any more: another job sent it, or it is "
        "deleted here.",
        "%(count)s more records were there when it began and had nothing to send any more: another job sent them, or "
        "they are deleted here.",
        count,
    )
    return " " + words % {"count": f"{count:,}"}


def describe_dry_run_part(kept: Mapping[str, object]) -> str:
    """What a selection takes of a dry run; "" if it is about none."""
    if not kept.get("of_dry_run"):
        return ""
    number, ids = str(kept["of_dry_run"])[:8], kept.get("ids")
    if not isinstance(ids, list | tuple):
        return _("Exactly what dry run %s would send") % number
    words = ngettext(
        "%(count)s record exactly as dry run %(number)s would send it",
        "%(count)s records exactly as dry run %(number)s would send them",
        len(ids),
    )
    return words % {"count": f"{len(ids):,}", "number": number}


def describe_rest(kept: Mapping[str, object]) -> str:
    """That a selection is a try, as the end of a sentence; "" if it is none."""
    if not kept.get("rest"):
        return ""
    return _(" first, and the rest if all are accepted") if kept.get("rest_by_itself") else _(" first, as a try")


def describe_planned_batch(batch: SyncBatch) -> str:
    """What a batch of a dry run would send."""
    said = ngettext(
        "%(operation)s of %(count)s record (%(kind)s), as it would be sent.",
        "%(operation)s of %(count)s records (%(kind)s), as they would be sent.",
        batch.size,
    )
    kind = batch.get_kind_display().lower()
    return said % {"operation": batch.operation, "count": f"{batch.size:,}", "kind": kind}


def describe_dry_run(job: SyncJob, count: int) -> str:
    """What a dry run came to.

    Args:
        job: over.
        count: records that it is about.
    """
    going = job.counts.get(SyncResultStatus.PLANNED, 0)
    said = ngettext(
        "Nothing was sent: %(going)s of %(count)s record would be.",
        "Nothing was sent: %(going)s of %(count)s records would be.",
        count,
    )
    words = [said % {"going": f"{going:,}", "count": f"{count:,}"}]
    held = job.counts.get(SyncResultStatus.HELD, 0)
    if held:
        words.append(ngettext("%s would be held back.", "%s would be held back.", held) % f"{held:,}")
    if going:
        words.append(_("“Send exactly this” sends them, as long as they stay as they are."))
    return " ".join(words)
