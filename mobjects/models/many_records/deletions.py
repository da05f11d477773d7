"""Deletions of many records, and the rows that they keep for an undo."""

from __future__ import annotations

from typing import ClassVar

from django.apps import apps
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.many_records.base import WorkOnMany


class BulkDeletionState(models.TextChoices):
    ASKED = "asked", _("Not confirmed")
    HELD = "held", _("Waiting for approval")
    DELETING = "deleting", _("Deleting")
    DELETED = "deleted", _("Deleted")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class BulkDeletion(WorkOnMany):
    """One deletion of many records, by the list that a person saw."""

    WORKING_STATES: ClassVar = (BulkDeletionState.DELETING, BulkDeletionState.UNDOING)

    state = models.CharField(_("state"), max_length=8, choices=BulkDeletionState, default=BulkDeletionState.ASKED)
    model = models.CharField(max_length=30, help_text="Which records, by the name of their model.")
    filters = models.TextField(blank=True, help_text="What the list was narrowed to, in words.")
    records = models.JSONField(default=list, help_text="[our own id, what stood for it when it was shown] of each.")
    counts = models.JSONField(default=dict, help_text="Of these: deleted, left, and why they were left.")
    left = models.JSONField(
        null=True, help_text="Our own ids of those that were left, by why; empty of older deletions."
    )
    undone = models.JSONField(default=dict, help_text="What the undo did: restored, left.")
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When the deleted values went.")

    class Meta:
        verbose_name = _("bulk deletion")
        verbose_name_plural = _("bulk deletions")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Deletion %(pk)s") % {"pk": self.pk}


class DeletedRecord(models.Model):
    """A row that was deleted, with all its columns; a record's costs, tags and roles stand behind it."""

    deletion = models.ForeignKey(BulkDeletion, models.CASCADE, related_name="deleted", db_index=False)
    model = models.CharField(max_length=30)
    record_id = models.BigIntegerField(help_text="Our own id, which it gets back.")
    label = models.CharField(max_length=255)
    values = models.JSONField(help_text="All columns, by name.")
    restored = models.BooleanField(null=True, help_text="Whether the undo brought it back; empty before.")
    note = models.TextField(blank=True, help_text="Why it was not.")

    class Meta:
        default_permissions = ()
        ordering = ("pk",)
        # What of a deletion is still to be brought back, in order.
        indexes = (models.Index(fields=("deletion", "restored", "id"), name="deleted_of_deletion"),)

    def __str__(self) -> str:
        return self.label

    @property
    def words(self) -> str:
        """What kind of row it is, in words."""
        return str(apps.get_model("mobjects", self.model)._meta.verbose_name).capitalize()
