"""Work on many records that a person asked for, which can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkOnMany(models.Model):
    """One piece of such work, about the list that a person saw.

    A chunk is dealt with in one transaction that holds this row and moves ``position`` on; so it does not matter how
    many workers are at it, or die of it. Each kind has a ``state`` of its own.
    """

    WORKING_STATES: ClassVar[Collection[str]] = ()

    state: models.CharField[str, str]
    position = models.PositiveIntegerField(default=0, help_text="How many of them were dealt with.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a chunk was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_working(self) -> bool:
        """Whether a worker has to do something about it."""
        return self.state in self.WORKING_STATES
