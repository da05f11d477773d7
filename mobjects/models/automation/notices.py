"""What people and other programs are told of by themselves: notices, their deliveries, and what each asked for.

None of it is history: the rows go after their period, and are no part of the audit's chain. An erasure looks through
their texts as through those of every table.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField


class NoticeEvent(models.TextChoices):
    """What can happen that somebody may want to hear of."""

    JOB_FAILED = "job_failed", _("A job failed")
    JOB_UNKNOWN = "job_unknown", _("A job ended with unknown outcomes")
    FAILED_SHARE = "failed_share", _("Too large a share of a job’s records failed")
    NO_RECORDS = "no_records", _("A scheduled job had no records")
    HALTED = "halted", _("Sending is halted")
    SCHEDULE_LATE = "schedule_late", _("A schedule did not run")
    QUOTA_LOW = "quota_low", _("Today’s calls to Marketo are nearly used up")
    PROCESSES = "processes", _("Queue, worker or clock is gone or frozen")
    IMPORT_WAITS = "import_waits", _("An import waits for a person")
    APPROVAL_WAITS = "approval_waits", _("Something waits for approval")
    LONG_WORK = "long_work", _("Long work is done")


class NoticeEventField(models.CharField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """An event. Its choices stand in the code only: a new event is no change of the table."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 24, "choices": NoticeEvent, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, "django.db.models.CharField", args, kwargs


class Notice(models.Model):
    """One change of state that was worth a word. Written once; the words are made for each reader from ``facts``."""

    event = NoticeEventField(_("event"))
    about = models.CharField(max_length=80, help_text="What it is about: job:ID, schedule:ID, circuit:ID, worker, …")
    is_recovery = models.BooleanField(default=False, help_text="That it is over.")
    facts = models.JSONField(default=dict, help_text="What its words are made from.")
    created_at = CreatedAtField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        default_permissions = ()
        permissions = (("manage_notices", _("Can manage webhooks of notices and see all deliveries")),)
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.event} {self.about}"


class OpenCondition(models.Model):
    """That something lasts: there is one row for each at most, so each beginning and each end is noticed once."""

    event = NoticeEventField()
    about = models.CharField(max_length=80)
    facts = models.JSONField(default=dict)
    since = models.DateTimeField(db_default=Now(), help_text="When it was seen first.")
    noticed_at = models.DateTimeField(null=True, help_text="When a notice was made of it; it may pass before.")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("event", "about"), name="condition_open_once"),)

    def __str__(self) -> str:
        return f"{self.event} {self.about}"


class NoticeChoice(models.Model):
    """What one user wants to hear of; without a row, what fits their rights (:mod:`mobjects.notices.choices`)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="notice_choice"
    )
    inbox = models.JSONField(default=list, help_text="Events.")
    email = models.JSONField(default=list, help_text="Events.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user_id)


class WebhookShape(models.TextChoices):
    """How the body of a webhook's request is built."""

    PLAIN = "plain", _("Plain JSON")
    SLACK = "slack", _("Slack")
    TEAMS = "teams", _("Microsoft Teams (Workflows)")


class NoticeWebhook(models.Model):
    """An address that gets notices by POST. It and the signing secret are kept sealed: both let anybody write there."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    host = models.CharField(max_length=255, help_text="Of the address, which is not shown otherwise.")
    sealed_url = models.TextField()
    sealed_secret = models.TextField()
    shape = models.CharField(_("shape"), max_length=5, choices=WebhookShape, default=WebhookShape.PLAIN)
    language = models.CharField(_("language"), max_length=10, default="en")
    events = models.JSONField(_("events"), default=list)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    created_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        default_permissions = ()
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed for good")


class NoticeDelivery(models.Model):
    """One notice on its way to one receiver through one channel. In the inbox it has arrived when it is made."""

    CHANNELS: ClassVar = (("inbox", _("Inbox")), ("email", _("E-mail")), ("webhook", _("Webhook")))

    notice = models.ForeignKey(Notice, models.CASCADE, null=True, related_name="deliveries")
    channel = models.CharField(_("channel"), max_length=7, choices=CHANNELS)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    webhook = models.ForeignKey(NoticeWebhook, models.CASCADE, null=True, related_name="deliveries")
    is_test = models.BooleanField(default=False, help_text="Somebody wanted to see whether it arrives.")
    state = models.CharField(_("state"), max_length=7, choices=DeliveryState, default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now(), help_text="Not to be tried before.")
    leased_until = models.DateTimeField(null=True, help_text="A process is at it until then.")
    step_at = models.DateTimeField(null=True, help_text="When it was tried last.")
    sent_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True, help_text="What came of the last try, as a sentence.")
    read_at = models.DateTimeField(null=True, help_text="Of the inbox.")
    created_at = CreatedAtField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        default_permissions = ()
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("user", "-id"), condition=Q(channel="inbox"), name="notice_inbox"),
            models.Index(fields=("user",), condition=Q(channel="inbox", read_at=None), name="notice_unread"),
            models.Index(fields=("due_at",), condition=Q(state="waiting"), name="notice_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"
