"""What must be done once, however often it is asked for."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class IdempotencyKey(models.Model):
    """A key with which something was asked for, and what came of it; see :mod:`mobjects.db.done_once`."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of whose key it is, and of the key.")
    asked = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was asked for, if that is no part.")
    led_to = models.TextField(help_text="What came of it: an address of a page, or an id.")
    # Read by the purge: those of before a moment.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest[:8]
