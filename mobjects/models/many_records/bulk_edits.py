"""One change of many records, and what it does to each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.many_records.base import WorkOnMany


class BulkEditState(models.TextChoices):
    CHOOSING = "choosing", _("Waits for what is to be changed")
    PLANNING = "planning", _("Being worked out")
    REVIEW = "review", _("Waits for its confirmation")
    HELD = "held", _("Waiting for approval")
    APPLYING = "applying", _("Being changed")
    APPLIED = "applied", _("Changed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class BulkEdit(WorkOnMany):
    """One change of many records, of those that a person saw in a list when it was asked for."""

    WORKING_STATES: ClassVar = (BulkEditState.PLANNING, BulkEditState.APPLYING, BulkEditState.UNDOING)

    state = models.CharField(_("state"), max_length=8, choices=BulkEditState, default=BulkEditState.CHOOSING)
    model = models.CharField(max_length=30, help_text="What was chosen, by the name of its model.")
    filters = models.TextField(blank=True, help_text="What the list was narrowed to, in words.")
    records = models.JSONField(default=list, help_text="Our own ids of what was chosen, as it stood then.")
    operation = models.JSONField(default=dict, help_text="What is to be done: see mobjects.bulk_edits.operations.")
    items = models.JSONField(
        default=list, help_text="Our own ids of what is changed, where that is something of the records."
    )
    plan = models.PositiveIntegerField(default=0, help_text="Goes up with each choice; a press names what it saw.")
    position = models.PositiveIntegerField(default=0, help_text="How much of the present step was dealt with.")
    counts = models.JSONField(default=dict, help_text="changed, unchanged, refused; left by the change.")
    undone = models.JSONField(default=dict, help_text="What the undo did: restored, kept.")
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When its rows went.")

    class Meta:
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Bulk edit %(pk)s") % {"pk": self.pk}


class BulkEditOutcome(models.TextChoices):
    CHANGED = "changed", _("Changes")
    UNCHANGED = "same", _("Stays as it is")
    REFUSED = "refused", _("Refused")
    LEFT = "left", _("Left alone")
    KEPT = "kept", _("Not undone")


class BulkEditRow(models.Model):
    """What a bulk edit does to one record: planned before it is confirmed, and taken back by an undo.

    Every row of an edit changes the same field, so old and new are plain texts, as
    :func:`mobjects.marketo.value_text.to_text` writes them; NULL is nothing at all.
    """

    pk = models.CompositePrimaryKey("bulk_edit_id", "number")
    bulk_edit = models.ForeignKey(BulkEdit, models.CASCADE, related_name="rows", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField(help_text="In the order of what was chosen.")
    record_id = models.BigIntegerField(help_text="Our own id of what is changed.")
    outcome = models.CharField(max_length=7, choices=BulkEditOutcome)
    version = models.PositiveIntegerField(null=True, help_text="The record's revision when it was looked at.")
    old = models.TextField(null=True)  # noqa: DJ001 -- nothing, and the empty text, are not the same
    new = models.TextField(null=True)  # noqa: DJ001
    reason = models.TextField(blank=True, help_text="Why it stays as it is, or was refused or left.")
    made_id = models.BigIntegerField(null=True, help_text="Our own id of what was made.")
    more = models.JSONField(default=dict, help_text="What else of the old state an undo needs.")

    class Meta:
        default_permissions = ()
        ordering = ("number",)
        # The lists of the preview.
        indexes = (models.Index(fields=("bulk_edit", "outcome", "number"), name="bulk_edit_outcome"),)

    def __str__(self) -> str:
        return gettext("Row %(number)s") % {"number": self.number}
