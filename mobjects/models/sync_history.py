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
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.formatting import format_moment
from mobjects.kept_text import translate_label
from mobjects.marketo.types import Kind, Operation
from mobjects.models.fields import CreatedAtField, ReasonKeyField

KIND_CHOICES = (
    (Kind.PROGRAM.value, _("Programs")),
    (Kind.OPPORTUNITY.value, _("Opportunities")),
    (Kind.ROLE.value, _("Person roles")),
)
OPERATION_CHOICES = tuple((operation.value, operation.value) for operation in Operation)
CALL_CHOICES = (*OPERATION_CHOICES, ("GET", "GET"), ("DELETE", "DELETE"), ("DESCRIBE", "DESCRIBE"))
"""What one call to Marketo can be about."""


class SyncJobAction(models.TextChoices):
    SEND = "send", _("Send")
    PULL = "pull", _("Pull")
    COMPARE = "compare", _("Compare")
    DESCRIBE = "describe", _("Read fields and tags")
    DELETE = "delete", _("Delete in Marketo")
    IDENTIFY = "identify", _("Look up IDs")
    DRY_RUN = "dry_run", _("Dry run")
    UNDO = "undo", _("Undo of a sending")


class RequestedAction(models.TextChoices):
    """What a person wants of a job that works; heeded between two batches."""

    NONE = "", _("Go on")
    PAUSE = "pause", _("Pause")
    CANCEL = "cancel", _("Cancel")


class SyncJobState(models.TextChoices):
    NOT_QUEUED = "not_queued", _("Not queued")
    HELD = "held", _("Waiting for approval")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")
    PAUSED = "paused", _("Paused")
    CANCELLED = "cancelled", _("Cancelled")
    SUCCEEDED = "succeeded", _("Finished")
    PROBLEMS = "problems", _("Finished with problems")
    STOPPED = "stopped", _("Stopped")
    CRASHED = "crashed", _("Crashed")


class SyncJobSource(models.TextChoices):
    ADMIN = "admin", _("Admin")
    COMMAND = "command", _("Command line")
    SCHEDULE = "schedule", _("Schedule")
    API = "api", _("API")


class SyncJob(models.Model):
    """One press of a button that has something to do with Marketo: send, look, compare, delete.

    The row is the truth about the job; the queue carries nothing but its id. While the job works, each
    process that works on it has a :class:`~mobjects.models.worker_lease.WorkerLease`.
    """

    LIVE_STATES: ClassVar = (SyncJobState.QUEUED, SyncJobState.RUNNING, SyncJobState.WAITING)
    """Goes on by itself."""
    FINAL_STATES: ClassVar = (
        SyncJobState.SUCCEEDED,
        SyncJobState.PROBLEMS,
        SyncJobState.STOPPED,
        SyncJobState.CRASHED,
        SyncJobState.CANCELLED,
    )
    READING_ACTIONS: ClassVar = (
        SyncJobAction.PULL,
        SyncJobAction.COMPARE,
        SyncJobAction.DESCRIBE,
        SyncJobAction.IDENTIFY,
        SyncJobAction.DRY_RUN,
    )
    """Change nothing in Marketo."""
    SENDING_ACTIONS: ClassVar = (SyncJobAction.SEND, SyncJobAction.UNDO)
    """Send records, and so can be undone and tried again."""
    FINDING_ACTIONS: ClassVar = (SyncJobAction.COMPARE, SyncJobAction.IDENTIFY, SyncJobAction.DRY_RUN)
    """Are there to find out what differs, what Marketo does not have, or what would be sent."""
    KINDS: ClassVar = (*KIND_CHOICES, ("several", _("Several kinds")))
    OPERATIONS: ClassVar = (("AUTO", _("Automatic")), *OPERATION_CHOICES)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=SyncJobState, default=SyncJobState.NOT_QUEUED)
    action = models.CharField(_("action"), max_length=8, choices=SyncJobAction, default=SyncJobAction.SEND)
    kind = models.CharField(_("kind"), max_length=21, choices=KINDS)
    operation = models.CharField(_("operation"), max_length=6, choices=OPERATIONS, default="AUTO")
    selection = models.JSONField(default=dict, help_text="What was asked to be sent.")
    reason = models.TextField(_("reason"), blank=True)
    source = models.CharField(_("source"), max_length=8, choices=SyncJobSource, default=SyncJobSource.ADMIN)
    origin = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="followers",
        help_text="The job it repeats, sends or undoes.",
    )
    schedule = models.ForeignKey("mobjects.Schedule", models.SET_NULL, null=True, blank=True, related_name="jobs")
    requested_action = models.CharField(max_length=6, choices=RequestedAction, default=RequestedAction.NONE, blank=True)
    waits_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is sent before.")
    waits_for = models.TextField(blank=True, help_text="What it waits for, as a sentence.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Calls in a row that brought no answer.")
    expired_leases = models.PositiveSmallIntegerField(default=0, help_text="Workers in a row that were cut off.")
    progress = models.JSONField(default=dict, blank=True, help_text="Where the next step goes on, by action.")
    queued_at = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Stands in each line of the log about it."
    )
    by_token = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="The API token by which it was asked for."
    )
    transport = models.CharField(max_length=20, blank=True)
    endpoint = models.CharField(max_length=500, blank=True)
    planned = models.PositiveIntegerField(default=0, help_text="Records to deal with, counted when the job started.")
    counts = models.JSONField(default=dict, help_text="Results per status.")
    last_sequence = models.PositiveIntegerField(default=0, help_text="Number of its newest batch.")
    problem = models.CharField(max_length=20, blank=True, help_text="Kind of error that stopped the job.")
    problem_text = models.TextField(blank=True)
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    payloads_removed_at = models.DateTimeField(null=True, blank=True, help_text="When its requests and answers went.")
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When the values of its results went.")
    sealed_at = models.DateTimeField(null=True, editable=False, help_text="When it became a part of the audit's chain.")

    class Meta:
        verbose_name = _("sync job")
        verbose_name_plural = _("sync jobs")
        default_permissions = ("view",)
        permissions = (
            ("sync_records", _("Can send records to Marketo")),
            ("view_payload", _("Can see requests and answers")),
            ("test_connection", _("Can test the connection")),
            ("view_queue", _("Can see the queue")),
            ("pull_records", _("Can read records, fields and tags from Marketo")),
            ("delete_in_marketo", _("Can delete opportunities and roles in Marketo")),
        )
        ordering = ("-created_at", "-pk")
        indexes = (
            # The history list, newest first, and filtered by state.
            models.Index(fields=("-created_at",), name="job_newest"),
            models.Index(fields=("state", "-created_at"), name="job_state_newest"),
            # What the sealer looks for; hardly ever more than a few.
            models.Index(fields=("finished_at",), condition=Q(sealed_at=None), name="job_unsealed"),
        )

    def __str__(self) -> str:
        what = self.get_operation_display() if self.action == SyncJobAction.SEND else self.get_action_display()
        return f"{what}: {self.get_kind_display().lower()}, {format_moment(self.created_at)}"

    @property
    def is_live(self) -> bool:
        """Whether the job may still do something by itself."""
        return self.state in self.LIVE_STATES

    @property
    def result_count(self) -> int:
        """Results so far."""
        return sum(self.counts.values())

    @property
    def duration(self) -> timedelta | None:
        """From start to finish, once both are known."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


class SyncBatchState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Sending")
    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Refused, nothing applied")
    NOT_SENT = "not_sent", _("Not applied")
    UNKNOWN = "unknown", _("Outcome unknown")
    PLANNED = "planned", _("Would be sent")


class SyncBatch(models.Model):
    """One call to Marketo: written before it is sent, completed when it is answered.

    A batch in state waiting is still to be sent: a further attempt at one that did not get through, or half of one
    that was refused. Its records are claimed by it meanwhile.
    """

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="batches")
    sequence = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    operation = models.CharField(_("operation"), max_length=8, choices=CALL_CHOICES)
    lease = models.ForeignKey("mobjects.WorkerLease", models.SET_NULL, null=True, blank=True, related_name="+")
    part_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="parts", help_text="The refused batch it halves."
    )
    cause = models.TextField(blank=True, help_text="Why there is this attempt, if it is not the first.")
    state = models.CharField(_("state"), max_length=8, choices=SyncBatchState, default=SyncBatchState.SENDING)
    size = models.PositiveSmallIntegerField(_("size"), default=0)
    request = models.TextField(blank=True, help_text="As sent, secrets masked.")
    response = models.TextField(blank=True)
    identity = models.JSONField(default=dict, blank=True, help_text="Who called and when it was signed, by label.")
    headers = models.JSONField(default=dict, blank=True, help_text="Of HTTP, secrets masked: request, response.")
    signature_digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="SHA-256 of the signature, which is not kept."
    )
    http_status = models.PositiveSmallIntegerField(_("http status"), null=True, blank=True)
    fault_code = models.CharField(max_length=20, blank=True)
    fault_text = models.TextField(blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="From sending to answer.")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="When the call was begun.")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sync batch")
        verbose_name_plural = _("sync batches")
        default_permissions = ("view",)
        ordering = ("job", "sequence", "attempt")
        constraints = (models.UniqueConstraint(fields=("job", "sequence", "attempt"), name="batch_attempt_once"),)
        indexes = (
            # What a worker looks for before each step; hardly ever more than a few.
            models.Index(fields=("job",), condition=Q(state="waiting"), name="batch_waiting"),
        )

    def __str__(self) -> str:
        return gettext("Batch %(sequence)s") % {"sequence": self.sequence} + (
            gettext(", attempt %(attempt)s") % {"attempt": self.attempt} if self.attempt > 1 else ""
        )


class EarlierCall(models.Model):
    """A call that was made for a batch before the one that the batch itself tells of. Most batches have none."""

    batch = models.ForeignKey(SyncBatch, models.CASCADE, related_name="earlier_calls")
    position = models.PositiveSmallIntegerField(help_text="Place among the calls of the batch, from 1.")
    request = models.TextField(help_text="As sent, secrets masked.")
    response = models.TextField(blank=True)
    identity = models.JSONField(default=dict, blank=True, help_text="Who called, by label.")
    headers = models.JSONField(default=dict, blank=True, help_text="Of HTTP, secrets masked: request, response.")
    signature_digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="SHA-256 of the signature, which is not kept."
    )
    http_status = models.PositiveSmallIntegerField(_("http status"), null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="From sending to answer.")

    class Meta:
        default_permissions = ("view",)
        ordering = ("batch", "position")
        constraints = (models.UniqueConstraint(fields=("batch", "position"), name="earlier_call_once"),)

    def __str__(self) -> str:
        return gettext("Call %(position)s of %(batch)s") % {"position": self.position, "batch": self.batch}


class SyncResultStatus(models.TextChoices):
    PENDING = "PENDING", _("In a batch")
    CREATED = "CREATED", _("Created")
    UPDATED = "UPDATED", _("Updated")
    UNCHANGED = "UNCHANGED", _("Unchanged")
    SKIPPED = "SKIPPED", _("Skipped")
    FAILED = "FAILED", _("Failed")
    UNKNOWN = "UNKNOWN", _("Outcome unknown")
    HELD = "HELD", _("Held back")
    EQUAL = "EQUAL", _("Nothing to send")
    NOT_SENT = "NOT_SENT", _("Not applied")
    RETRIED = "RETRIED", _("Tried again")
    LOOKED_UP = "LOOKED_UP", _("Looked up")
    DELETED = "DELETED", _("Deleted in Marketo")
    # Of pulls and comparisons:
    ADDED = "ADDED", _("New here")
    TAKEN = "TAKEN", _("Taken from Marketo")
    SAME = "SAME", _("No difference")
    DIFFERS = "DIFFERS", _("Differs from Marketo")
    MISSING = "MISSING", _("Not in Marketo")
    CONFLICT = "CONFLICT", _("Needs a decision")
    # Of dry runs and undos:
    PLANNED = "PLANNED", _("Would be sent")
    RESTORED = "RESTORED", _("Old values put back here")


class SyncResult(models.Model):
    """What became of one record in one job."""

    ACCEPTED_STATUSES: ClassVar = frozenset(
        {
            SyncResultStatus.CREATED,
            SyncResultStatus.UPDATED,
            SyncResultStatus.UNCHANGED,
            SyncResultStatus.EQUAL,
            SyncResultStatus.DELETED,
            SyncResultStatus.ADDED,
            SyncResultStatus.TAKEN,
            SyncResultStatus.SAME,
        }
    )
    FINDING_STATUSES: ClassVar = frozenset(
        {SyncResultStatus.DIFFERS, SyncResultStatus.MISSING, SyncResultStatus.PLANNED}
    )
    """What a comparison, a look-up or a dry run is there to find."""
    PASSING_STATUSES: ClassVar = frozenset(
        {SyncResultStatus.RETRIED, SyncResultStatus.LOOKED_UP, SyncResultStatus.RESTORED}
    )
    """Steps on the way, not the end of a record in its job: never counted."""
    PROBLEM_STATUSES: ClassVar = (
        SyncResultStatus.FAILED,
        SyncResultStatus.SKIPPED,
        SyncResultStatus.UNKNOWN,
        SyncResultStatus.CONFLICT,
        SyncResultStatus.HELD,
        SyncResultStatus.NOT_SENT,
    )
    """What a person looks at first, in this order; also of an index."""

    job = models.ForeignKey(SyncJob, models.CASCADE, related_name="results")
    batch = models.ForeignKey(SyncBatch, models.CASCADE, null=True, blank=True, related_name="results")
    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id of the record, which may be gone.")
    label = models.CharField(max_length=255)
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Place in the batch, from 1.")
    revision = models.PositiveIntegerField(help_text="The revision that was sent.")
    sent = models.JSONField(default=dict, help_text="Values sent.")
    diff = models.JSONField(default=list, help_text="[field, last accepted, sent] for each difference.")
    status = models.CharField(_("status"), max_length=9, choices=SyncResultStatus, default=SyncResultStatus.PENDING)
    marketo_id = models.PositiveIntegerField("Marketo ID", null=True, blank=True)
    marketo_guid = models.CharField("Marketo GUID", max_length=36, blank=True, default="", db_default="")
    error = models.TextField(_("error"), blank=True)
    reason_key = ReasonKeyField()
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("sync result")
        verbose_name_plural = _("sync results")
        default_permissions = ("view",)
        ordering = ("pk",)
        indexes = (
            # A job's results, filtered by status.
            models.Index(fields=("job", "status", "id"), name="result_job_status"),
            # A record's own history, newest first.
            models.Index(fields=("kind", "record_id", "-id"), name="result_record_newest"),
            # What was not accepted over all jobs, newest first, and the search in it for an error's text.
            models.Index(
                fields=("-id",),
                condition=Q(status__in=("FAILED", "SKIPPED", "UNKNOWN", "CONFLICT", "HELD", "NOT_SENT")),
                name="result_problems",
            ),
            # An object of Marketo, whether its record still exists or not.
            models.Index(fields=("marketo_id",), condition=Q(marketo_id__isnull=False), name="result_marketo_id"),
            models.Index(fields=("marketo_guid",), condition=~Q(marketo_guid=""), name="result_marketo_guid"),
        )

    def __str__(self) -> str:
        return f"{self.shown_label}: {self.get_status_display()}"

    @property
    def shown_label(self) -> str:
        """What the record was called, in the language in use."""
        return translate_label(self.label, self.kind)
