"""Who did what beside changing records: signing in, steering jobs, reading payloads, being refused."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    """What can have happened; a fixed list, so that a filter finds all of it."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    LOCKED_OUT = "locked_out", _("Locked out")
    SIGNED_OUT = "signed_out", _("Signed out")
    REFUSED = "refused", _("Refused (403)")
    ASKED = "asked", _("Asked for")
    NOT_DONE = "not_done", _("Asked for, not done")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    CANCELLED = "cancelled", _("Cancelled")
    QUEUED_AGAIN = "queued_again", _("Queued again")
    SENDING_RESET = "sending_reset", _("Let sending go on")
    ALLOWED = "allowed", _("Allowed in Marketo")
    DISALLOWED = "disallowed", _("Allowed no longer")
    CHECKED_AGAIN = "checked_again", _("Checked again")
    DISCARDED = "discarded", _("Discarded")
    CORRECTION_REMOVED = "correction_removed", _("Correction removed")
    PAYLOAD_READ = "payload_read", _("Payload read")
    PAYLOAD_DOWNLOADED = "payload_downloaded", _("Payload downloaded")
    CONNECTION_TESTED = "connection_tested", _("Connection tested")
    EXPORTED = "exported", _("File downloaded")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    FACTOR_ADDED = "factor_added", _("Second factor set up")
    FACTOR_REMOVED = "factor_removed", _("Second factor removed")
    TOKEN_MADE = "token_made", _("API token made")
    TOKEN_USED = "token_used", _("API token used first")
    TOKEN_REVOKED = "token_revoked", _("API token revoked")
    HELD = "held", _("Held for approval")
    APPROVED = "approved", _("Approved")
    APPROVAL_REFUSED = "approval_refused", _("Approval refused")
    APPROVAL_WITHDRAWN = "approval_withdrawn", _("Approval withdrawn")
    APPROVAL_EXPIRED = "approval_expired", _("Approval expired")
    TOKEN_REFUSED = "token_refused", _("API token refused")
    NOTICE_SENT = "notice_sent", _("Notice sent by hand")


class EventKindField(models.CharField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """The kind of an event. Its choices stand in the code only: a new kind is no change of the table."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 24, "choices": EventKind, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, "django.db.models.CharField", args, kwargs


class AuditEvent(models.Model):
    """One thing that somebody did, or was refused. Written by :func:`mobjects.audit.events.record_event` only.

    It holds no links: whoever or whatever is deleted stays here by name.
    """

    kind = EventKindField(_("kind"))
    person_id = models.CharField(max_length=40, blank=True, help_text="Id of the user then, as text.")
    username = models.CharField(
        _("user"), max_length=150, blank=True, help_text="Of a failed sign-in, the name that was tried."
    )
    address = models.CharField(_("address"), max_length=45, blank=True, help_text="From where, by IP.")
    model = models.CharField(max_length=40, blank=True, help_text="What it was done to, by the name of its model.")
    object_id = models.CharField(max_length=40, blank=True)
    words = models.CharField(max_length=255, blank=True, help_text="What that was called then, in English.")
    detail = models.JSONField(default=dict, blank=True, help_text="More about it, without secrets.")
    created_at = models.DateTimeField(_("time"), db_default=Now(), help_text="By the database's clock.")

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ("view",)
        ordering = ("-pk",)
        indexes = (
            # The list, narrowed to a kind or to a person, newest first.
            models.Index(fields=("kind", "-id"), name="audit_kind_newest"),
            models.Index(fields=("username", "-id"), name="audit_person_newest"),
            # What was done to one job, import or batch.
            models.Index(fields=("model", "object_id", "-id"), name="audit_object_newest"),
            # The list, narrowed to days.
            models.Index(fields=("created_at",), name="audit_created"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.username}"


class SealKind(models.TextChoices):
    """What a link of the chain tells of its rows."""

    SEALED = "sealed", "sealed"
    CHANGED = "changed", "changed through the door"
    REMOVED = "removed", "removed through the door"


class SealForm(models.IntegerChoices):
    """How the digests of a link were made; see :mod:`mobjects.audit.digests`."""

    JSON = 1, "any database"
    SQLITE = 2, "SQLite"
    POSTGRESQL = 3, "PostgreSQL"


class HistorySeal(models.Model):
    """One link of the chain over the history: so many rows of one table, each by its digest. See docs/audit.md.

    Written by :mod:`mobjects.audit` only, one after the other, and never changed.
    """

    number = models.PositiveBigIntegerField(primary_key=True, help_text="1, 2, 3, …, without a gap.")
    what = models.CharField(max_length=8, choices=SealKind)
    table = models.CharField(max_length=10, help_text="A name of mobjects.audit.history_tables.")
    rows = models.JSONField(help_text="Keys of the rows.")
    digests = models.BinaryField(help_text="SHA-256 of each row, one behind the other; of removed rows none.")
    form = models.PositiveSmallIntegerField(
        choices=SealForm, db_default=SealForm.JSON, help_text="How the digests were made."
    )
    reason = models.CharField(max_length=255, blank=True, help_text="Why the door was opened.")
    username = models.CharField(max_length=150, blank=True, help_text="By whom.")
    previous = models.CharField(max_length=64, help_text="Digest of the link before; empty in the first.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of all of the above and the time.")
    created_at = models.DateTimeField(help_text="By the database's clock.")

    class Meta:
        default_permissions = ()
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number}: {len(self.rows)} {self.table} {self.what}"


class HistoryState(models.Model):
    """How far the chain has come: one row, which is also the lock of whoever writes a link."""

    number = models.PositiveBigIntegerField(default=0, help_text="Of the newest link.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of the newest link.")
    positions = models.JSONField(default=dict, help_text="For each table up to which id all is sealed or open.")
    anchored = models.PositiveBigIntegerField(default=0, help_text="Number of the link that was written out last.")
    anchored_at = models.DateTimeField(null=True)
    mark = models.JSONField(default=dict, help_text="Ids seen, and the transaction that has to be over for them.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class HistoryOpen(models.Model):
    """A row that was seen by the sealer while it could still change."""

    table = models.CharField(max_length=10)
    row_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("table", "row_id"), name="history_open_once"),)

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"


class HistoryChange(models.Model):
    """What is changed or removed through the door in the transaction that goes on; none outside of it.

    Written by triggers only.
    """

    table = models.CharField(max_length=10)
    row_key = models.TextField(
        help_text="Of the row; on PostgreSQL of all rows of a statement, with commas between them."
    )
    what = models.CharField(max_length=8, choices=SealKind)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.table} {self.row_key} {self.what}"


class HistoryDoor(models.Model):
    """That the door is open in the transaction that goes on; at most one row, and none outside of it.

    Only SQLite needs it, which has one writer and whose triggers can read nothing but tables.
    """

    reason = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.reason
