"""What an installation knows of itself and of the hosts that it runs on."""

from __future__ import annotations

from django.db import models
from django.db.models import Value


class Installation(models.Model):
    """Which installation this database belongs to; one row. See :mod:`mobjects.sync.installation.identity`."""

    identity = models.CharField(max_length=32, help_text="Stands in the names of what it keeps outside this database.")
    place = models.CharField(max_length=255, blank=True, help_text="Where the database was when it was last looked at.")
    is_marked = models.BooleanField(default=False, help_text="Whether anything outside this database knows of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(help_text="Last sign of life.")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(Value(1), name="installation_one"),)

    def __str__(self) -> str:
        return self.identity


class HostClock(models.Model):
    """A host whose clock was found to be off from the database's by more than is allowed."""

    host = models.CharField(max_length=255, unique=True)
    offset_seconds = models.FloatField(help_text="Its clock minus the database's.")
    measured_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ("host",)

    def __str__(self) -> str:
        return self.host


class DailyFigure(models.Model):
    """One number about one day, of which the dashboard draws its charts: written when work ends, never counted anew."""

    class Figure(models.TextChoices):
        OUTCOMES = "outcomes", "Results of jobs that send, by status"
        REASONS = "reasons", "Records that were not accepted, by reason"
        CALLS = "calls", "Calls to Marketo"
        RECORDS = "records", "Records, by whether Marketo holds them as they are here"

    day = models.DateField(help_text="In UTC.")
    figure = models.CharField(max_length=8, choices=Figure)
    key = models.CharField(max_length=120, blank=True, help_text="What it is about, by figure; empty: all of it.")
    value = models.PositiveBigIntegerField(default=0)
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        # Also what the dashboard reads: the days since one.
        constraints = (models.UniqueConstraint(fields=("day", "figure", "key"), name="daily_figure_once"),)

    def __str__(self) -> str:
        return f"{self.day} {self.figure} {self.key}: {self.value}"
