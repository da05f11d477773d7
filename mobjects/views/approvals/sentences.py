"""Why something waits for approval, and what became of it, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from mobjects.kept_text import translate_kept
from mobjects.models import Approval, ApprovalState, BulkEdit
from mobjects.presentation.import_text import outcomes_text
from mobjects.presentation.job_text import format_time
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import join_and, records_text
from mobjects.removals.chunks import model_of_deletion
from mobjects.removals.service import count_words
from mobjects.views.bulk_edits.sentences import describe_plan


def hold_text(approval: Approval) -> str:
    """Which rule holds it and why, who may approve it and until when; or what became of it."""
    said = {"rule": rule_text(approval), "until": format_time(approval.expires_at), "name": approval.decided_by}
    if approval.state == ApprovalState.PREPARING:
        return _("A rule holds it: %(rule)s. Its preview is being made; then another person can approve it.") % said
    if approval.state == ApprovalState.WAITING:
        words = _(
            "A rule holds it: %(rule)s. Until %(until)s another person who may approve work can approve what is shown."
        )
        return words % said
    if approval.state == ApprovalState.APPROVED:
        at = {"at": format_time(approval.decided_at), "asker": approval.username or "-"}
        return _("Asked by %(asker)s, approved by %(name)s, %(at)s. Rule: %(rule)s.") % {**said, **at}
    if approval.state == ApprovalState.REFUSED:
        return _("Refused by %(name)s: %(reason)s") % {**said, "reason": approval.reason}
    if approval.state == ApprovalState.EXPIRED:
        return _("Nobody approved it until %(until)s.") % said
    if approval.decided_by:
        return _("Withdrawn by %(name)s.") % said
    return translate_kept(approval.reason)


def what_text(approval: Approval) -> str:
    """What is held, in words: as it was asked for, however that goes on."""
    shown, edited, imported = approval.asked_selection, approval.bulk_edit, approval.imported
    if approval.is_undo:
        return _("Undo of what was done by: %(what)s") % {"what": edited or imported}
    if edited is not None:
        as_asked = BulkEdit(
            model=edited.model,
            operation=shown.get("operation", edited.operation),
            counts=shown.get("counts", edited.counts),
        )
        return f"{edited}: {describe_plan(as_asked)}"
    if imported is not None:
        return f"{imported}: {outcomes_text(shown.get('counts', imported.counts))}"
    if approval.deletion is not None:
        model = model_of_deletion(approval.deletion)
        return f"{approval.deletion}: {count_words(model, len(approval.deletion.records))}"
    return job_title(approval.job) if approval.job is not None else ""


def rule_text(approval: Approval) -> str:
    """The rule that holds it, with what made it do so."""
    found = [FINDINGS[finding["what"]](finding) for finding in approval.findings]
    return _("“%(rule)s” (%(findings)s)") % {"rule": approval.rule_name, "findings": join_and(found)}


def _count(finding: Mapping[str, Any]) -> str:
    records = records_text(finding["found"])
    if finding["limit"] is None:
        return records
    return _("%(records)s, more than %(limit)s") % {"records": records, "limit": number_format(finding["limit"])}


def _amount(finding: Mapping[str, Any]) -> str:
    return _("an amount of %(amount)s, over %(limit)s") % {"amount": finding["found"], "limit": finding["limit"]}


def _loses(finding: Mapping[str, Any]) -> str:
    if not finding["found"]:
        return _("programs may lose tags or costs; not all of them could be looked at")
    return _("tags and costs that programs lose: %(count)s") % {"count": number_format(finding["found"])}


FINDINGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "count": _count,
    "amount": _amount,
    "creates": lambda finding: _("creates %(records)s") % {"records": records_text(finding["found"])},
    "deletes": lambda finding: _("deletes %(records)s") % {"records": records_text(finding["found"])},
    "loses": _loses,
}
"""Each thing that a rule can find, in words."""
