"""Records about which a person has to decide, because both sides may be right."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobjects.kept_text import translate_label
from mobjects.models.many_records.decisions import ConflictDecision
from mobjects.models.sync_history import KIND_CHOICES, SyncJob


class ConflictReason(models.TextChoices):
    AMBIGUOUS = "ambiguous", _("Sent, and not clear what became of it")
    BOTH_CHANGED = "both", _("Changed here and in Marketo")


class ConflictAnswer(models.TextChoices):
    """What a person may decide; the first three end a lost sending, the others a change on both sides."""

    IS_THIS = "is_this", _("It is this one")
    SEND = "send", _("Send it again")
    LEAVE = "leave", _("Leave it")
    MERGED = "merged", _("Values taken from either side")


class Conflict(models.Model):
    """Something about a record that only a person can decide; while it is open the record is not sent.

    ``base`` and ``here`` are content as name to text (see :func:`mobjects.sync.content.payload.record_content`) when
    the
    conflict was found. ``candidates`` lists what Marketo holds: ``{"id": 64, "values": {name: text}, "created_at": …,
    "updated_at": …}``, one entry unless it is not known which of several objects is the record's.
    """

    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id of the record, which may be gone.")
    label = models.CharField(max_length=255)
    reason = models.CharField(_("reason"), max_length=9, choices=ConflictReason)
    base = models.JSONField(default=dict, help_text="What Marketo last accepted.")
    here = models.JSONField(default=dict)
    candidates = models.JSONField(default=list)
    job = models.ForeignKey(SyncJob, models.SET_NULL, null=True, blank=True, related_name="conflicts")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    answer = models.CharField(max_length=7, choices=ConflictAnswer, blank=True)
    answer_text = models.TextField(blank=True, help_text="What was decided, as a sentence.")
    decided_at = models.DateTimeField(null=True, blank=True)
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When the values of both sides went.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    fields_key = models.CharField(
        max_length=32, blank=True, db_default="", help_text="Alike where the same fields are in dispute."
    )
    values_key = models.CharField(
        max_length=32, blank=True, db_default="", help_text="Alike where both sides hold the same in them, too."
    )
    decision = models.ForeignKey(
        ConflictDecision, models.SET_NULL, null=True, blank=True, related_name="conflicts", help_text="Of many at once."
    )

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")
        default_permissions = ("view",)
        permissions = (("decide_conflict", _("Can decide conflicts")),)
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "record_id"), condition=Q(decided_at__isnull=True), name="conflict_one_open"
            ),
        )
        indexes = (
            models.Index(
                fields=("kind", "fields_key", "values_key"),
                condition=Q(decided_at__isnull=True),
                name="conflict_open_alike",
            ),
        )

    def __str__(self) -> str:
        return f"{self.shown_label}: {self.get_reason_display()}"

    @property
    def shown_label(self) -> str:
        """What the record was called, in the language in use."""
        return translate_label(self.label, self.kind)
