"""What a sending would do to a record, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.kept_text import translate_kept
from mobjects.marketo.types import Kind, Operation
from mobjects.presentation.badges import render_badge
from mobjects.presentation.vocabulary import field_text
from mobjects.sync.send.preview.foreseen_effects import PlannedEffect
from mobjects.sync.send.preview.record_plans import RecordPlan

FIELDS_SHOWN = 12
"""Of one record; a program may have thousands of costs."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One record of a preview.

    Args:
        url, name, kind: of the record.
        badge: what would become of it.
        operation: under which it goes out.
        changes: field, what Marketo accepted last, what would be sent; the first of them.
        more: how many changes are not among these.
        notes: what a person should know before, as sentences.
        opportunity: of a role: our own id and the name of what it belongs to.
        hidden: whether there are no changes here because the reader may not see values of such records.
    """

    url: str
    name: str
    kind: str
    badge: SafeString
    operation: str
    changes: list[tuple[str, str, str]]
    more: int
    notes: list[str]
    opportunity: tuple[int, str] | None = None
    hidden: bool = False


def plan_row(plan: RecordPlan, *, hidden: bool = False) -> PlanRow:
    """A record's plan as it is shown.

    Args:
        plan: of a record.
        hidden: whether the reader may not see values of such records.
    """
    record: Any = plan.record
    changes = () if hidden else plan.changes
    why = [translate_kept(plan.reason)] if plan.reason else []
    return PlanRow(
        reverse(f"admin:mobjects_{record._meta.model_name}_change", args=[record.pk]),
        str(record),
        str(record._meta.verbose_name).capitalize(),
        effect_badge(plan),
        str(plan.operation),
        [(field_text(name), old, new) for name, old, new in changes[:FIELDS_SHOWN]],
        max(0, len(changes) - FIELDS_SHOWN),
        why if hidden else plan_notes(plan),
        (record.opportunity_id, record.opportunity.name) if record.KIND is Kind.ROLE else None,
        hidden,
    )


def effect_badge(plan: RecordPlan) -> SafeString:
    """What would become of a record, in words with a colour that repeats them."""
    words, tone = {
        PlannedEffect.CREATE: (_("Would be created"), "success"),
        PlannedEffect.CHANGE: (_("Would be changed"), "info"),
        PlannedEffect.REPLACE: (_("Would be deleted and made anew"), "warning"),
        PlannedEffect.SKIP: (_("Marketo would skip it"), "warning"),
        PlannedEffect.NOTHING: (_("Nothing to send"), "neutral"),
        PlannedEffect.HELD: (_("Held back"), "warning"),
    }[plan.effect]
    return render_badge(words, tone)


def plan_notes(plan: RecordPlan) -> list[str]:
    """What a person should know of a plan before it is carried out, as sentences."""
    notes = [translate_kept(plan.reason)] if plan.reason else []
    if plan.effect is PlannedEffect.CREATE and plan.by_key:
        changed = _("If Marketo has a record with this key already, that is changed instead.")
        skipped = _("If Marketo has a record with this key already, it skips this one.")
        notes.append(changed if plan.operation is Operation.UPSERT else skipped)
    if plan.lost_tags:
        said = ngettext(
            "This tag is removed in Marketo: %s.", "These tags are removed in Marketo: %s.", len(plan.lost_tags)
        )
        notes.append(said % ", ".join(plan.lost_tags))
    if plan.lost_costs:
        said = ngettext(
            "This period cost is removed in Marketo: %s.",
            "These period costs are removed in Marketo: %s.",
            len(plan.lost_costs),
        )
        notes.append(said % ", ".join(plan.lost_costs))
    if plan.cleared:
        said = ngettext(
            "This value is cleared in Marketo: %s.", "These values are cleared in Marketo: %s.", len(plan.cleared)
        )
        notes.append(said % ", ".join(plan.cleared))
    return notes
