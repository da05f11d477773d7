"""Records about which a person has to decide, because both sides may be right."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

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


class ConflictDecisionState(models.TextChoices):
    ASKED = "asked", _("Not confirmed")
    DECIDING = "deciding", _("Being decided")
    DECIDED = "decided", _("Decided")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class ConflictDecision(models.Model):
    """One decision about many conflicts with the same fields in dispute, by the list that a person saw.

    A chunk is decided, or opened again, in one transaction that holds this row and moves ``position`` on; so it does
    not matter how many workers are at it, or die of it.
    """

    WORKING_STATES: ClassVar = (ConflictDecisionState.DECIDING, ConflictDecisionState.UNDOING)

    state = models.CharField(
        _("state"), max_length=8, choices=ConflictDecisionState, default=ConflictDecisionState.ASKED
    )
    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    choices = models.JSONField(default=dict, help_text="Of each field the side that is right: here or marketo.")
    asked = models.JSONField(default=list, help_text="[our own id, what stood for it when it was shown] of each.")
    position = models.PositiveIntegerField(default=0, help_text="How many of them were dealt with.")
    left = models.JSONField(default=list, help_text="[id of a conflict, its record's name, why] of those left alone.")
    kept = models.JSONField(default=list, help_text="The same of those that the undo left decided.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a chunk was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("decision of many conflicts")
        verbose_name_plural = _("decisions of many conflicts")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Decision %(pk)s") % {"pk": self.pk}

    @property
    def is_working(self) -> bool:
        """Whether a worker has to do something about it."""
        return self.state in self.WORKING_STATES


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
        return f"{self.label}: {self.get_reason_display()}"
