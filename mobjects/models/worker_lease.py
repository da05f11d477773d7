"""Who works on what: the right of one process to work on a job or an import, for as long as it gives signs of life."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mobjects.models.imports import Import
from mobjects.models.sync_history import SyncJob


class WorkerLease(models.Model):
    """A process that works on a job (any number may) or on an import (one may); see :mod:`mobjects.jobs.lease`."""

    job = models.ForeignKey(SyncJob, models.CASCADE, null=True, related_name="leases")
    imported = models.ForeignKey(Import, models.CASCADE, null=True, related_name="leases", db_index=False)
    process = models.CharField(max_length=255, help_text="Host and process number.")
    queue_id = models.CharField(
        max_length=80, blank=True, db_index=True, help_text="RQ's id of the work, if it has one."
    )
    acquired_at = models.DateTimeField(auto_now_add=True)
    renewed_at = models.DateTimeField(db_index=True, help_text="Last sign of life.")

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(condition=Q(job=None) ^ Q(imported=None), name="lease_of_one"),
            models.UniqueConstraint(fields=("imported",), name="lease_import_once"),
        )

    def __str__(self) -> str:
        return self.process
