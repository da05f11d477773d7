"""Syncs that begin by the clock."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from mobjects.models.sync_history import SyncJob, SyncJobAction


class Schedule(models.Model):
    """When to start which job by itself, on whose behalf.

    ``next_at`` is the next time it is due; whoever moves it on has started the run, so two clocks start it once.
    """

    ACTIONS = tuple(
        choice
        for choice in SyncJobAction.choices
        if choice[0] in (SyncJobAction.SEND, SyncJobAction.PULL, SyncJobAction.COMPARE)
    )

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=True)
    action = models.CharField(max_length=8, choices=ACTIONS, default=SyncJobAction.SEND)
    kinds = models.JSONField(default=list, help_text="Marketo's names of the kinds.")
    operation = models.CharField(max_length=6, choices=SyncJob.OPERATIONS, default="AUTO")
    cron = models.CharField(max_length=100, help_text="Minute, hour, day of month, month, day of week: 0 6 * * 1-5")
    time_zone = models.CharField(max_length=50, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True, help_text="Nothing is started from then…")
    quiet_until = models.TimeField(null=True, blank=True, help_text="…until then, in the same time zone.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    next_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_job = models.ForeignKey(SyncJob, models.SET_NULL, null=True, blank=True, editable=False, related_name="+")
    missed = models.PositiveIntegerField(default=0, editable=False, help_text="Runs that were due and did not start.")
    missed_text = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
