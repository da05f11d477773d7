"""Rules by which work waits until another person approves it, and what waits or waited."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField
from mobjects.models.imports import Import
from mobjects.models.many_records.bulk_edits import BulkEdit
from mobjects.models.many_records.deletions import BulkDeletion
from mobjects.models.sync_history import KIND_CHOICES, OPERATION_CHOICES, SyncJob

MOST_HOURS = 24 * 90


class ApprovedWork(models.TextChoices):
    """What a rule may hold."""

    SEND = "send", _("Send, undo of a sending")
    DELETE = "delete", _("Delete in Marketo")
    BULK = "bulk", _("Bulk edit")
    IMPORT = "import", _("Writing an import")
    REMOVE = "remove", _("Delete many here")


class ApprovalRule(models.Model):
    """Holds work of which all that the rule names is true; what it leaves open may be anything."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    work = models.CharField(_("work"), max_length=6, choices=ApprovedWork, blank=True)
    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES, blank=True)
    operation = models.CharField(_("operation"), max_length=6, choices=OPERATION_CHOICES, blank=True)
    more_than = models.PositiveIntegerField(
        _("more than so many records"), null=True, blank=True, help_text=_("Empty: any number, from one on.")
    )
    amount_over = models.DecimalField(
        _("an amount over"),
        max_digits=15,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Of one opportunity, or one period cost of a program."),
    )
    creates = models.BooleanField(_("creates records in Marketo"), default=False)
    deletes = models.BooleanField(
        _("deletes records in Marketo"), default=False, help_text=_("Also roles that are deleted and made anew.")
    )
    loses_tags = models.BooleanField(_("takes tags or costs away from programs in Marketo"), default=False)
    expires_after = models.PositiveIntegerField(
        _("may be approved for so many hours"),
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text=_("After that it is cancelled."),
    )

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what could never be true."""
        if self.work not in ("", ApprovedWork.SEND) and self.operation:
            said = _("Only what is sent has an operation. Leave it empty, or choose sending.")
            raise ValidationError({"operation": said})


class ApprovalState(models.TextChoices):
    PREPARING = "preparing", _("Its preview is being made")
    WAITING = "waiting", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


class Approval(models.Model):
    """One piece of work that a rule held, and what became of it.

    Working rows: what a person decided is an audit event, and so part of the sealed history.
    """

    OPEN_STATES: ClassVar = (ApprovalState.PREPARING, ApprovalState.WAITING)

    state = models.CharField(_("state"), max_length=9, choices=ApprovalState, default=ApprovalState.PREPARING)
    work = models.CharField(_("work"), max_length=6, choices=ApprovedWork)
    job = models.ForeignKey(
        SyncJob, models.CASCADE, null=True, related_name="approvals", help_text="What is held, if that is a job…"
    )
    bulk_edit = models.ForeignKey(
        BulkEdit, models.CASCADE, null=True, related_name="approvals", help_text="…a bulk edit…"
    )
    imported = models.ForeignKey(Import, models.CASCADE, null=True, related_name="approvals", help_text="…an import…")
    deletion = models.ForeignKey(
        BulkDeletion, models.CASCADE, null=True, related_name="approvals", help_text="…or a deletion here."
    )
    preview = models.ForeignKey(
        SyncJob, models.SET_NULL, null=True, related_name="+", help_text="The dry run that shows what would be sent."
    )
    asked_selection = models.JSONField(default=dict, help_text="What was asked for, before it was frozen.")
    rule = models.ForeignKey(ApprovalRule, models.SET_NULL, null=True, related_name="+")
    rule_name = models.CharField(_("rule"), max_length=100)
    findings = models.JSONField(default=list, help_text="What made the rule hold it: name, count or amount, limit.")
    count = models.PositiveIntegerField(default=0, help_text="Records.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(_("asked by"), max_length=150, blank=True)
    created_at = CreatedAtField(_("asked at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("until"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    changed = models.JSONField(default=list, help_text="Kind and our own id of the first records that changed.")
    changed_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        default_permissions = ("view",)
        permissions = (("approve_work", _("Can approve work that a rule holds")),)
        ordering = ("-pk",)
        indexes = (models.Index(fields=("state", "expires_at"), name="approval_state_expires"),)

    def __str__(self) -> str:
        return gettext("Approval %(pk)s") % {"pk": self.pk}

    @property
    def held(self) -> SyncJob | BulkEdit | Import | BulkDeletion:
        """What waits."""
        found = self.job or self.bulk_edit or self.imported or self.deletion
        if found is None:
            raise ValueError(f"Approval {self.pk} holds nothing.")
        return found

    @property
    def is_undo(self) -> bool:
        """Whether the undo of a bulk edit or of an import is held, and not what it would take back."""
        return bool(self.asked_selection.get("undoes"))

    @property
    def is_open(self) -> bool:
        """Whether it is still to be decided."""
        return self.state in self.OPEN_STATES


class ApprovalRecord(models.Model):
    """A record that held work is about, as it stood in the preview. It holds no values."""

    approval = models.ForeignKey(Approval, models.CASCADE, related_name="records", db_index=False)
    kind = models.CharField(max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id.")
    revision = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("approval", "kind", "record_id"), name="approval_record_once"),)
        # The history of a record.
        indexes = (models.Index(fields=("kind", "record_id"), name="approval_of_record"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"
