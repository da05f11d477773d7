"""The log of erasures: when, by whom, how much; of the person no more than a keyed digest."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField
from mobjects.models.sync_history import SyncJobSource


class Erasure(models.Model):
    """A person, by key or ID, whose values are replaced by a mark wherever they lie."""

    MARK_PREFIX = "[erased "

    digest = models.CharField(max_length=64, help_text="Keyed digest of what names the person, to find it again.")
    sealed = models.TextField(blank=True, help_text="What names the person, encrypted; empty once it is done.")
    reason = models.TextField(_("reason"), blank=True)
    counts = models.JSONField(default=dict, help_text="What was changed or removed, by table.")
    source = models.CharField(_("source"), max_length=8, choices=SyncJobSource, default=SyncJobSource.ADMIN)
    username = models.CharField(max_length=150, blank=True, help_text="Stays when the user is deleted.")
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a step was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        default_permissions = ()
        permissions = (("erase_person", _("Can erase a person")),)
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Erasure %(pk)s") % {"pk": self.pk}

    @property
    def mark(self) -> str:
        """What stands in the place of the person."""
        return f"{self.MARK_PREFIX}{self.pk}]"
