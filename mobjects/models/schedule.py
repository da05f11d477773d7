"""Syncs that begin by the clock."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mobjects.models.sync_history import SyncJob, SyncJobAction


class LateRuns(models.TextChoices):
    """What becomes of runs that were due while neither the clock nor a worker was there."""

    ONCE = "once", _("Run once, as soon as possible")
    SKIP = "skip", _("Leave out, and wait for the next time")


class Schedule(models.Model):
    """When to start which job by itself, on whose behalf.

    ``next_at`` is the next time it is due; whoever moves it on has started the run, so two clocks start it once.
    """

    ACTIONS = tuple(
        choice
        for choice in SyncJobAction.choices
        if choice[0] in (SyncJobAction.SEND, SyncJobAction.PULL, SyncJobAction.COMPARE, SyncJobAction.IDENTIFY)
    )

    name = models.CharField(_("name"), max_length=100, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    action = models.CharField(_("action"), max_length=8, choices=ACTIONS, default=SyncJobAction.SEND)
    kinds = models.JSONField(_("kinds"), default=list, help_text=_("Marketo's names of the kinds."))
    operation = models.CharField(_("operation"), max_length=6, choices=SyncJob.OPERATIONS, default="AUTO")
    cron = models.CharField(
        _("cron"), max_length=100, help_text=_("Minute, hour, day of month, month, day of week: 0 6 * * 1-5")
    )
    time_zone = models.CharField(_("time zone"), max_length=50, default="UTC")
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True, help_text=_("Nothing is started from then…"))
    quiet_until = models.TimeField(
        _("quiet until"), null=True, blank=True, help_text=_("…until then, in the same time zone.")
    )
    late_runs = models.CharField(
        _("late runs"),
        max_length=4,
        choices=LateRuns,
        default=LateRuns.ONCE,
        db_default=LateRuns.ONCE,
        help_text=_("Of runs that were due while no clock or no worker was there."),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("owner"), null=True, blank=True, related_name="+"
    )
    next_at = models.DateTimeField(_("next at"), null=True, blank=True, editable=False)
    last_at = models.DateTimeField(_("last at"), null=True, blank=True, editable=False)
    last_job = models.ForeignKey(
        SyncJob, models.SET_NULL, verbose_name=_("last job"), null=True, blank=True, editable=False, related_name="+"
    )
    missed = models.PositiveIntegerField(
        _("missed"), default=0, editable=False, help_text=_("Runs that were due and did not start.")
    )
    missed_text = models.TextField(_("missed text"), blank=True, editable=False)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
