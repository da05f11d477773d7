"""What was sent, when, by whom, and what Marketo said: job, batch, result.

Rows are written by the sync engine only and never changed by people. They hold copies
(labels, user names, values) so that they stay readable when records and users are gone.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from mobjects.marketo.contract import Kind, Operation

KIND_CHOICES = (
    (Kind.PROGRAM.value, "Programs"),
    (Kind.OPPORTUNITY.value, "Opportunities"),
    (Kind.ROLE.value, "Opportunity person roles"),
)
OPERATION_CHOICES = tuple((operation.value, operation.value) for operation in Operation)


class SyncJob(models.Model):
    """One press of "Sync"."""

    class State(models.TextChoices):
        NOT_QUEUED = "not_queued", "Not queued"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Finished"
        PROBLEMS = "problems", "Finished with problems"
        STOPPED = "stopped", "Stopped"
        CRASHED = "crashed", "Crashed"

    class Source(models.TextChoices):
        ADMIN = "admin", "Admin"
        COMMAND = "command", "Command line"

    LIVE: ClassVar = (State.QUEUED, State.RUNNING)
    FINAL: ClassVar = (State.SUCCEEDED, State.PROBLEMS, State.STOPPED, State.CRASHED)
    KINDS: ClassVar = (*KIND_CHOICES, ("several", "Several kinds"))
    OPERATIONS: ClassVar = (("AUTO", "Automatic"), *OPERATION_CHOICES)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.NOT_QUEUED)
    kind = models.CharField(max_length=21, choices=KINDS)
    operation = models.CharField(max_length=6, choices=OPERATIONS, default="AUTO")
    selection = models.JSONField(default=dict, help_text="What was asked to be sent.")
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=7, choices=Source, default=Source.ADMIN)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    transport = models.CharField(max_length=20, blank=True)
    endpoint = models.CharField(max_length=500, blank=True)
    planned = models.PositiveIntegerField(default=0, help_text="Records to deal with, counted when the job started.")
    counts = models.JSONField(default=dict, help_text="Results per status.")
    problem = models.CharField(max_length=20, blank=True, help_text="Kind of error that stopped the job.")
    problem_text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = (
            ("sync_records", "Can send records to Marketo"),
            ("view_payload", "Can see requests and answers"),
            ("test_connection", "Can test the connection"),
            ("view_queue", "Can see the queue"),
        )
        ordering = ("-created_at", "-pk")
        indexes = (
            # The history list, newest first, and filtered by state.
            models.Index(fields=("-created_at",), name="job_newest"),
            models.Index(fields=("state", "-created_at"), name="job_state_newest"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.get_operation_display()} {str(self.pk)[:8]}"

    @property
    def is_live(self) -> bool:
        """Whether the job may still do something by itself."""
        return self.state in self.LIVE

    @property
    def done(self) -> int:
        """Results so far."""
        return sum(self.counts.values())

    @property
    def duration(self) -> timedelta | None:
        """From start to finish, once both are known."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


class SyncBatch(models.Model):
    """One call to Marketo: written before it is sent, completed when it is answered."""

    class State(models.TextChoices):
        SENDING = "sending", "Sending"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Refused, nothing applied"
        NOT_SENT = "not_sent", "Not applied"
        UNKNOWN = "unknown", "Outcome unknown"

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="batches")
    sequence = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=21, choices=KIND_CHOICES)
    operation = models.CharField(max_length=6, choices=OPERATION_CHOICES)
    state = models.CharField(max_length=8, choices=State, default=State.SENDING)
    size = models.PositiveSmallIntegerField(default=0)
    request = models.TextField(blank=True, help_text="As sent, signature masked.")
    response = models.TextField(blank=True)
    user_id = models.CharField("API user ID", max_length=255, blank=True)
    signed_at = models.CharField(max_length=40, blank=True, help_text="The timestamp text that was signed.")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    fault_code = models.CharField(max_length=20, blank=True)
    fault_text = models.TextField(blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="From sending to answer.")
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "sync batches"
        default_permissions = ("view",)
        ordering = ("job", "sequence", "attempt")
        constraints = (models.UniqueConstraint(fields=("job", "sequence", "attempt"), name="batch_attempt_once"),)

    def __str__(self) -> str:
        return f"Batch {self.sequence}"


class SyncResult(models.Model):
    """What became of one record in one job."""

    class Status(models.TextChoices):
        PENDING = "PENDING", "In a batch"
        CREATED = "CREATED", "Created"
        UPDATED = "UPDATED", "Updated"
        UNCHANGED = "UNCHANGED", "Unchanged"
        SKIPPED = "SKIPPED", "Skipped"
        FAILED = "FAILED", "Failed"
        UNKNOWN = "UNKNOWN", "Outcome unknown"
        HELD = "HELD", "Held back"
        EQUAL = "EQUAL", "Nothing to send"
        NOT_SENT = "NOT_SENT", "Not applied"

    ACCEPTED: ClassVar = frozenset({Status.CREATED, Status.UPDATED, Status.UNCHANGED, Status.EQUAL})

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="results")
    batch = models.ForeignKey(SyncBatch, models.CASCADE, null=True, blank=True, related_name="results")
    kind = models.CharField(max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id of the record, which may be gone.")
    label = models.CharField(max_length=255)
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Place in the batch, from 1.")
    revision = models.PositiveIntegerField(help_text="The revision that was sent.")
    sent = models.JSONField(default=dict, help_text="Values sent.")
    diff = models.JSONField(default=list, help_text="[field, last accepted, sent] for each difference.")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    marketo_id = models.PositiveIntegerField("Marketo ID", null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ("pk",)
        indexes = (
            # A job's results, filtered by status.
            models.Index(fields=("job", "status", "id"), name="result_job_status"),
            # A record's own history, newest first.
            models.Index(fields=("kind", "record_id", "-id"), name="result_record_newest"),
        )

    def __str__(self) -> str:
        return f"{self.label}: {self.get_status_display()}"
