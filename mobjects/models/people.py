"""What people did and chose: their edits value by value, what they deleted by the list (to bring it back), settings."""

from __future__ import annotations

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


class OpeningView(models.Model):
    """The saved view that a person opens a list with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=20, help_text="Which list; see mobjects.views.saved_views.PAGES.")
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("user", "page"), name="one_opening_view_of_a_list"),)

    def __str__(self) -> str:
        return f"{self.page}: {self.view}"
