"""One decision about many conflicts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.many_records.base import WorkOnMany
from mobjects.models.sync_history import KIND_CHOICES


class ConflictDecisionState(models.TextChoices):
    ASKED = "asked", _("Not confirmed")
    DECIDING = "deciding", _("Being decided")
    DECIDED = "decided", _("Decided")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class ConflictDecision(WorkOnMany):
    """One decision about many conflicts with the same fields in dispute, by the list that a person saw."""

    WORKING_STATES: ClassVar = (ConflictDecisionState.DECIDING, ConflictDecisionState.UNDOING)

    state = models.CharField(
        _("state"), max_length=8, choices=ConflictDecisionState, default=ConflictDecisionState.ASKED
    )
    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    choices = models.JSONField(default=dict, help_text="Of each field the side that is right: here or marketo.")
    asked = models.JSONField(default=list, help_text="[our own id, what stood for it when it was shown] of each.")
    left = models.JSONField(default=list, help_text="[id of a conflict, its record's name, why] of those left alone.")
    kept = models.JSONField(default=list, help_text="The same of those that the undo left decided.")

    class Meta:
        verbose_name = _("decision of many conflicts")
        verbose_name_plural = _("decisions of many conflicts")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Decision %(pk)s") % {"pk": self.pk}
