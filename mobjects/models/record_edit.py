"""What people changed about records, value by value."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from mobjects.models.sync_history import KIND_CHOICES


class EditSource(models.TextChoices):
    """Where an edit was made. Imports and pulls keep what they change in tables of their own."""

    FORM = "form", "Form"
    DELETED = "deleted", "Deleted here"
    DECISION = "decision", "Decision"


class RecordEdit(models.Model):
    """What one saving changed about one record, its costs and tags included.

    ``changes`` is a list of ``[name, old, new]`` like the differences of a :class:`~mobjects.models.SyncResult`, under
    the same names; "" is empty, or not there. A saving that changes nothing leaves no row. Written in the transaction
    of the change, while the record is locked, so that old and new are what the database really held.
    """

    kind = models.CharField(max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id of the record, which may be gone.")
    label = models.CharField(max_length=255)
    changes = models.JSONField(default=list)
    source = models.CharField(max_length=16, choices=EditSource)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True, help_text="Stays when the person is deleted.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ("-pk",)
        # A record's own history, newest first.
        indexes = (models.Index(fields=("kind", "record_id", "-id"), name="record_edit_record"),)

    def __str__(self) -> str:
        return f"{self.label}: {len(self.changes)} changed"
