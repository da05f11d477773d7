"""The circuit breaker: after a refusal that only a person can cure, nothing more is sent until one has."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField
from mobjects.models.sync_history import KIND_CHOICES, SyncJob, SyncJobAction


class Circuit(models.Model):
    """One time that the connection to Marketo was halted: by which job, why, and who let it go on.

    Open rows have no ``reset_at``; there is at most one for each kind, and one for all of them.
    """

    RESTORED: ClassVar = "restored"
    """The code where the database was restored or copied: what only reads goes on meanwhile."""

    job = models.ForeignKey(SyncJob, models.SET_NULL, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=20, blank=True)
    kind = models.CharField(
        max_length=21,
        choices=KIND_CHOICES,
        blank=True,
        help_text=_("Only records of this kind are halted; empty: all."),
    )
    reason = models.TextField()
    opened_at = CreatedAtField(auto_now_add=True)
    reset_at = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")
        default_permissions = ("view",)
        permissions = (("reset_circuit", _("Can let sending go on after it was halted")),)
        ordering = ("-opened_at", "-pk")
        constraints = (
            models.UniqueConstraint("kind", condition=Q(reset_at__isnull=True), name="circuit_one_open_per_kind"),
        )

    @classmethod
    def halting(cls, action: str) -> models.QuerySet[Circuit]:
        """What keeps a job of this action from going on; empty if nothing does."""
        if action == SyncJobAction.DRY_RUN:
            return cls.objects.none()  # It makes no call.
        found = cls.objects.filter(reset_at__isnull=True, kind="")
        return found.exclude(code=cls.RESTORED) if action in SyncJob.READING_ACTIONS else found

    def __str__(self) -> str:
        return self.reason

    @property
    def headline(self) -> str:
        """What is halted, in words."""
        return (
            gettext("Sending of %(kind)s is halted") % {"kind": self.get_kind_display().lower()}
            if self.kind
            else gettext("Sending is halted")
        )
