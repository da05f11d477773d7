"""The log of purges: when, who or by the schedule, which kind, how many, up to which time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField
from mobjects.models.sync_history import SyncJobSource


class PurgeKind(models.TextChoices):
    """What has a period of its own."""

    PAYLOADS = "payloads", _("Requests and answers")
    RESULTS = "results", _("Values of results")
    DECISIONS = "decisions", _("Values of decisions")
    FILES = "files", _("Files of imports")
    ROWS = "rows", _("Rows of imports")
    DELETIONS = "deletions", _("Values of deleted records")
    BULK_EDITS = "bulk", _("Values of bulk edits")
    EDITS = "edits", _("Edits of records")
    DOWNLOADS = "downloads", _("Downloads")
    AUDIT = "audit", _("Audit events")
    INBOX = "inbox", _("Notices")
    SESSIONS = "sessions", _("Expired sessions")


class Purge(models.Model):
    """One kind that was purged once. What is to go is found anew in each chunk, so that it may be begun again."""

    kind = models.CharField(_("kind"), max_length=9, choices=PurgeKind)
    days = models.PositiveIntegerField(help_text="The period then.")
    until = models.DateTimeField(help_text="What ended before went.")
    counts = models.JSONField(default=dict, help_text="What went, by what it was.")
    source = models.CharField(_("source"), max_length=8, choices=SyncJobSource, default=SyncJobSource.SCHEDULE)
    username = models.CharField(max_length=150, blank=True, help_text="Stays when the person is deleted.")
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a chunk was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("purge")
        verbose_name_plural = _("purges")
        default_permissions = ("view",)
        permissions = (("run_purge", _("Can purge what is older than its period")),)
        ordering = ("-pk",)
        indexes = (
            # Up to which time a kind went last.
            models.Index(fields=("kind", "-id"), name="purge_of_kind"),
            # What a sweep looks for; hardly ever more than a few.
            models.Index(fields=("id",), condition=Q(ended_at__isnull=True), name="purge_live"),
        )

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def removed_count(self) -> int:
        """How many rows went, or lost their values."""
        return sum(self.counts.values())


class PurgeLeave(models.Model):
    """That a kind may go by itself: somebody who saw what would go said so, or the notice of it stood long enough."""

    kind = models.CharField(primary_key=True, max_length=9, choices=PurgeKind)
    days = models.PositiveIntegerField(help_text="The period that it is about; a shorter one is asked about anew.")
    noticed_at = models.DateTimeField(help_text="When something was due first, and the notice began.")
    given_at = models.DateTimeField(null=True, blank=True)
    username = models.CharField(max_length=150, blank=True, help_text="Who gave it; nobody if the notice ran out.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_kind_display()
