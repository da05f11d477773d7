"""What people did and chose: their edits value by value, what they deleted by the list (to bring it back), settings."""

from __future__ import annotations

from typing import ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.sync_history import KIND_CHOICES


class EditSource(models.TextChoices):
    """Where a change of a record came from."""

    FORM = "form", _("Form")
    GRID = "grid", _("Grid")
    BULK = "bulk", _("Bulk edit")
    IMPORT = "import", _("Import")
    IMPORT_UNDO = "import_undo", _("Undo of an import")
    PULL = "pull", _("Pull")
    DECISION = "decision", _("Decision")
    DELETED = "deleted", _("Deleted here")
    RESTORED = "restored", _("Deletion undone")
    VALUES = "values", _("Values restored")
    UNDO = "undo", _("Sending undone")
    COMMAND = "command", _("Command line")
    API = "api", _("API")
    ERASURE = "erasure", _("Erasure of a person")
    OTHER = "other", _("Outside of these pages")


class RecordEdit(models.Model):
    """What one statement changed about one record, or about one of its costs or tags.

    Written by database triggers (:mod:`mobjects.db.edit_triggers`) only, so that old and new are what the database
    really held, whichever path the change took. Who it was they read from what :func:`mobjects.db.edit_context.edit`
    has written; without it the source is "other".

    ``changes`` is a list of ``[name, old, new]`` like the differences of a :class:`~mobjects.models.SyncResult`, under
    the same names; "" is empty, or not there. What changes nothing leaves no row.
    """

    kind = models.CharField(_("kind"), max_length=21, choices=KIND_CHOICES)
    record_id = models.BigIntegerField(help_text="Our own id of the record, which may be gone.")
    changes = models.JSONField(default=list)
    source = models.CharField(_("source"), max_length=16, choices=EditSource)
    username = models.CharField(max_length=150, blank=True, help_text="Stays when the person is deleted.")
    reference = models.CharField(
        max_length=36, blank=True, help_text="Id of the import, job, conflict, deletion or edit that it came with."
    )
    saving = models.UUIDField(null=True, help_text="The same in all that was saved together.")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, help_text="By the database's clock.")

    class Meta:
        default_permissions = ()
        ordering = ("-pk",)
        # A record's own history, newest first.
        indexes = (models.Index(fields=("kind", "record_id", "-id"), name="record_edit_record"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}: {len(self.changes)} changed"


class EditContext(models.Model):
    """Who is changing records in the transaction that goes on; at most one row, and none outside of it.

    Only SQLite needs it, which has one writer and whose triggers can read nothing but tables.
    """

    source = models.CharField(_("source"), max_length=16)
    username = models.CharField(max_length=150)
    reference = models.CharField(max_length=36)
    saving = models.CharField(max_length=32)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.source} {self.username}"


class BulkDeletionState(models.TextChoices):
    ASKED = "asked", _("Not confirmed")
    DELETING = "deleting", _("Deleting")
    DELETED = "deleted", _("Deleted")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class BulkDeletion(models.Model):
    """One deletion of many records, by the list that a person saw.

    A chunk is deleted, or brought back, in one transaction that holds this row and moves ``position`` on; so it does
    not matter how many workers are at it, or die of it.
    """

    WORKING_STATES: ClassVar = (BulkDeletionState.DELETING, BulkDeletionState.UNDOING)

    state = models.CharField(_("state"), max_length=8, choices=BulkDeletionState, default=BulkDeletionState.ASKED)
    model = models.CharField(max_length=30, help_text="Which records, by the name of their model.")
    filters = models.TextField(blank=True, help_text="What the list was narrowed to, in words.")
    records = models.JSONField(default=list, help_text="[our own id, what stood for it when it was shown] of each.")
    position = models.PositiveIntegerField(default=0, help_text="How many of them were dealt with.")
    counts = models.JSONField(default=dict, help_text="Of these: deleted, left, and why they were left.")
    undone = models.JSONField(default=dict, help_text="What the undo did: restored, left.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a chunk was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When the deleted values went.")

    class Meta:
        verbose_name = _("bulk deletion")
        verbose_name_plural = _("bulk deletions")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Deletion %(pk)s") % {"pk": self.pk}

    @property
    def is_working(self) -> bool:
        """Whether a worker has to do something about it."""
        return self.state in self.WORKING_STATES


class DeletedRecord(models.Model):
    """A row that was deleted, with all its columns; a record's costs, tags and roles stand behind it."""

    deletion = models.ForeignKey(BulkDeletion, models.CASCADE, related_name="deleted", db_index=False)
    model = models.CharField(max_length=30)
    record_id = models.BigIntegerField(help_text="Our own id, which it gets back.")
    label = models.CharField(max_length=255)
    values = models.JSONField(help_text="All columns, by name.")
    restored = models.BooleanField(null=True, help_text="Whether the undo brought it back; empty before.")
    note = models.TextField(blank=True, help_text="Why it was not.")

    class Meta:
        default_permissions = ()
        ordering = ("pk",)
        # What of a deletion is still to be brought back, in order.
        indexes = (models.Index(fields=("deletion", "restored", "id"), name="deleted_of_deletion"),)

    def __str__(self) -> str:
        return self.label

    @property
    def words(self) -> str:
        """What kind of row it is, in words."""
        return str(apps.get_model("mobjects", self.model)._meta.verbose_name).capitalize()


class BulkEditState(models.TextChoices):
    CHOOSING = "choosing", _("Waits for what is to be changed")
    PLANNING = "planning", _("Being worked out")
    REVIEW = "review", _("Waits for its confirmation")
    APPLYING = "applying", _("Being changed")
    APPLIED = "applied", _("Changed")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class BulkEdit(models.Model):
    """One change of many records, of those that a person saw in a list when it was asked for.

    A chunk is worked out, changed or taken back in one transaction that holds this row and moves ``position`` on; so it
    does not matter how many workers are at it, or die of it.
    """

    WORKING_STATES: ClassVar = (BulkEditState.PLANNING, BulkEditState.APPLYING, BulkEditState.UNDOING)

    state = models.CharField(_("state"), max_length=8, choices=BulkEditState, default=BulkEditState.CHOOSING)
    model = models.CharField(max_length=30, help_text="What was chosen, by the name of its model.")
    filters = models.TextField(blank=True, help_text="What the list was narrowed to, in words.")
    records = models.JSONField(default=list, help_text="Our own ids of what was chosen, as it stood then.")
    operation = models.JSONField(default=dict, help_text="What is to be done: see mobjects.bulk_edits.operations.")
    items = models.JSONField(
        default=list, help_text="Our own ids of what is changed, where that is something of the records."
    )
    plan = models.PositiveIntegerField(default=0, help_text="Goes up with each choice; a press names what it saw.")
    position = models.PositiveIntegerField(default=0, help_text="How much of the present step was dealt with.")
    counts = models.JSONField(default=dict, help_text="changed, unchanged, refused; left by the change.")
    undone = models.JSONField(default=dict, help_text="What the undo did: restored, kept.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When a chunk was done last.")
    ended_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    values_removed_at = models.DateTimeField(null=True, blank=True, help_text="When its rows went.")

    class Meta:
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return gettext("Bulk edit %(pk)s") % {"pk": self.pk}

    @property
    def is_working(self) -> bool:
        """Whether a worker has to do something about it."""
        return self.state in self.WORKING_STATES


class BulkEditOutcome(models.TextChoices):
    CHANGED = "changed", _("Changes")
    UNCHANGED = "same", _("Stays as it is")
    REFUSED = "refused", _("Refused")
    LEFT = "left", _("Left alone")
    KEPT = "kept", _("Not undone")


class BulkEditRow(models.Model):
    """What a bulk edit does to one record: planned before it is confirmed, and taken back by an undo.

    Every row of an edit changes the same field, so old and new are plain texts, as
    :func:`mobjects.marketo.value_text.to_text` writes them; NULL is nothing at all.
    """

    pk = models.CompositePrimaryKey("bulk_edit_id", "number")
    bulk_edit = models.ForeignKey(BulkEdit, models.CASCADE, related_name="rows", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField(help_text="In the order of what was chosen.")
    record_id = models.BigIntegerField(help_text="Our own id of what is changed.")
    outcome = models.CharField(max_length=7, choices=BulkEditOutcome)
    version = models.PositiveIntegerField(null=True, help_text="The record's revision when it was looked at.")
    old = models.TextField(null=True)  # noqa: DJ001 -- nothing, and the empty text, are not the same
    new = models.TextField(null=True)  # noqa: DJ001
    reason = models.TextField(blank=True, help_text="Why it stays as it is, or was refused or left.")
    made_id = models.BigIntegerField(null=True, help_text="Our own id of what was made.")
    more = models.JSONField(default=dict, help_text="What else of the old state an undo needs.")

    class Meta:
        default_permissions = ()
        ordering = ("number",)
        # The lists of the preview.
        indexes = (models.Index(fields=("bulk_edit", "outcome", "number"), name="bulk_edit_outcome"),)

    def __str__(self) -> str:
        return gettext("Row %(number)s") % {"number": self.number}


class PersonSettings(models.Model):
    """The choices of one user; without a row, or with an empty value, the browser's hold."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="person_settings"
    )
    time_zone = models.CharField(max_length=50, blank=True, help_text="Name of a zone, such as Asia/Seoul.")
    language = models.CharField(max_length=10, blank=True, help_text="Code of a language in LANGUAGES, such as ko.")

    class Meta:
        verbose_name = _("person settings")
        verbose_name_plural = _("person settings")
        default_permissions = ()
        permissions = (("manage_users", _("Can manage users who have no more rights than their own")),)

    def __str__(self) -> str:
        return gettext("Settings of %(user)s") % {"user": self.user}


class SavedView(models.Model):
    """A list as somebody narrowed it, under a name: the query of its address. Its own person's, or everybody's."""

    page = models.CharField(max_length=20, help_text="Which list it is of; see mobjects.views.saved_views.PAGES.")
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(help_text="What stands behind the question mark.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(max_length=150, help_text="Stays when the person is deleted.")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        default_permissions = ()
        permissions = (("share_view", _("Can share saved views of lists with everybody, and delete shared ones")),)
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("page", "name"), condition=Q(is_shared=True), name="shared_view_has_its_name"
            ),
            models.UniqueConstraint(
                fields=("page", "user", "name"), condition=Q(is_shared=False), name="own_view_has_its_name"
            ),
        )

    def __str__(self) -> str:
        return self.name
