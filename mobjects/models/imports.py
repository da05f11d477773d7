"""Imports: the uploaded file, what its check found in each row, and what the commit did to each record.

Written by :mod:`mobjects.imports` only. A row of :class:`ImportRow` is what the *file* says and is not changed by
the commit; a row of :class:`ImportChange` is what was *done*, and is what an undo takes back. Both, and the problems,
are written by the hundred thousand, so the database does not look up their import for each row.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models.sync_history import KIND_CHOICES

FILE_KINDS = (
    ("programs", _("Programs")),
    ("program-costs", _("Period costs")),
    ("program-tags", _("Program tags")),
    ("opportunities", _("Opportunities")),
    ("roles", _("Person roles")),
)
"""Kinds of files, by the names they have on the command line."""


class ImportState(models.TextChoices):
    MAPPING = "mapping", _("Waits for its columns")
    CHECKING = "checking", _("Being checked")
    REVIEW = "review", _("Waits for review")
    HELD = "held", _("Waiting for approval")
    COMMITTING = "committing", _("Being written")
    COMMITTED = "committed", _("Written")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    REFUSED = "refused", _("Refused")
    DISCARDED = "discarded", _("Discarded")


class ImportMode(models.TextChoices):
    VALID = "valid", _("Only the valid rows")
    ALL = "all", _("All or nothing")


class ImportSource(models.TextChoices):
    ADMIN = "admin", _("Admin")
    COMMAND = "command", _("Command line")
    API = "api", _("API")


class Import(models.Model):
    """One uploaded file, from its upload to its undoing. The row is the truth; the queue carries its id."""

    WORKING_STATES: ClassVar = (ImportState.CHECKING, ImportState.COMMITTING, ImportState.UNDOING)
    """A worker is at it, or is called to be."""

    kind = models.CharField(_("kind"), max_length=13, choices=FILE_KINDS)
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.MAPPING)
    source = models.CharField(_("source"), max_length=8, choices=ImportSource, default=ImportSource.ADMIN)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    by_token = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="The API token by which it was uploaded."
    )
    reason = models.TextField(_("reason"), blank=True)
    problem = models.TextField(blank=True, help_text="Why it was refused, or went wrong, as a sentence.")

    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(_("size"), help_text="Bytes.")
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    pasted = models.BooleanField(default=False)
    correction_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="corrections")

    format = models.CharField(_("format"), max_length=4, choices=(("csv", "CSV"), ("xlsx", "XLSX")))
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    sheet = models.CharField(max_length=255, blank=True)
    header_row = models.PositiveIntegerField(
        default=0, help_text="Number of the row with the headers; 0 is the first that holds anything."
    )
    sheets = models.JSONField(default=list, blank=True, help_text="Names of all sheets of a workbook.")
    notes = models.JSONField(default=list, blank=True, help_text="What there is to say about how it was read.")
    headers = models.JSONField(default=list, blank=True, help_text="As in the file, by position.")
    samples = models.JSONField(default=list, blank=True, help_text="Up to three values of each column, as text.")
    mapping = models.JSONField(
        default=list, blank=True, help_text="For each header the column it means; '' if left out, null if not decided."
    )
    constants = models.JSONField(default=dict, blank=True, help_text="Texts for columns that the file lacks.")
    blank_clears = models.JSONField(
        default=list, blank=True, help_text="Our columns whose blank cells clear the field; others leave it as it is."
    )
    formats = models.JSONField(default=dict, blank=True, help_text="How values are written, where a person said so.")
    format_findings = models.JSONField(
        default=list, blank=True, help_text="How values are written, as the check found."
    )

    mode = models.CharField(_("mode"), max_length=5, choices=ImportMode, blank=True)
    overwrite = models.BooleanField(default=False, help_text="Write rows that conflict with changes made here, too.")
    rows = models.PositiveIntegerField(
        _("rows"), default=0, help_text="Rows read so far by the check; all of them afterwards."
    )
    counts = models.JSONField(default=dict, blank=True, help_text="Rows per outcome of the check.")
    blanks = models.JSONField(
        default=dict,
        blank=True,
        help_text="What blank cells do: values cleared, per outcome of the check; kept, the values left as they are.",
    )
    problems = models.PositiveIntegerField(default=0, help_text="Bad cells and rows that the check found.")
    committed_to = models.PositiveIntegerField(default=0, help_text="Number of the last row that was dealt with.")
    written = models.JSONField(default=dict, blank=True, help_text="created, changed and left out by the commit.")
    undone = models.JSONField(default=dict, blank=True, help_text="restored, removed and left alone by the undo.")

    expired_leases = models.PositiveSmallIntegerField(default=0, help_text="Workers in a row that were cut off.")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    step_at = models.DateTimeField(null=True, blank=True, help_text="When the present step was asked for.")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When a process began with the present step.")
    reported_at = models.DateTimeField(null=True, blank=True, help_text="When it last said how far it is.")
    checked_at = models.DateTimeField(null=True, blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    committed_by = models.CharField(max_length=150, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    file_removed_at = models.DateTimeField(null=True, blank=True, help_text="When its file went.")
    rows_removed_at = models.DateTimeField(null=True, blank=True, help_text="When what was found in its rows went.")

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        default_permissions = ("view",)
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("-created_at",), name="import_newest"),
            # What a sweep looks for; hardly ever more than a few.
            models.Index(
                fields=("id",), condition=Q(state__in=("checking", "committing", "undoing")), name="import_live"
            ),
        )

    def __str__(self) -> str:
        return gettext("Import %(pk)s: %(file_name)s") % {"pk": self.pk, "file_name": self.file_name}

    @property
    def is_working(self) -> bool:
        """Whether something goes on by itself."""
        return self.state in self.WORKING_STATES


class ImportPart(models.Model):
    """A piece of the uploaded file, byte for byte; in the database, where every host finds it."""

    SIZE: ClassVar = 1 << 20

    imported = models.ForeignKey(Import, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("imported", "number"), name="import_part_once"),)

    def __str__(self) -> str:
        return gettext("Part %(number)s") % {"number": self.number}


class ImportRowOutcome(models.TextChoices):
    NEW = "new", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    ERROR = "error", _("Errors")
    CONFLICT = "conflict", _("Conflicts")


class ImportRow(models.Model):
    """What the check found out about one row of the file.

    ``data`` and ``old`` map names of model fields to canonical text (:func:`mobjects.marketo.value_text.to_text`;
    ``null``
    for empty where the field is nullable, else ``""``); custom attributes stand under ``custom_attributes`` as the
    whole object. Of a new record ``data`` holds every field the file sets, of a changed one those that differ, and
    ``old`` what they were; links to other records are ids under the field's column (``program_id``).

    A row of tags that sets the channel of its program has no ``record_id``: ``data`` and ``old`` hold the channel under
    ``channel`` and, both, the program's id under ``program_id``.
    """

    pk = models.CompositePrimaryKey("imported_id", "number")
    imported = models.ForeignKey(Import, models.CASCADE, related_name="found", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField(help_text="In the file; the header is row 1, blank rows count.")
    outcome = models.CharField(max_length=9, choices=ImportRowOutcome)
    record_id = models.BigIntegerField(null=True, help_text="Our own id of the record it means, if there is one.")
    label = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=800, blank=True, help_text="Our own key in the row, to find it twice.")
    marketo_id = models.PositiveIntegerField(null=True, help_text="Marketo's ID in the row, to find it twice.")
    marketo_guid = models.CharField(
        max_length=36, blank=True, default="", help_text="Marketo's GUID in the row, to find it twice."
    )
    data = models.JSONField(default=dict)
    old = models.JSONField(default=dict)
    cleared = models.PositiveSmallIntegerField(default=0, help_text="So many values its blank cells clear.")

    class Meta:
        default_permissions = ()
        ordering = ("number",)
        # The tabs of the review.
        indexes = (models.Index(fields=("imported", "outcome", "number"), name="import_row_outcome"),)

    def __str__(self) -> str:
        return gettext("Row %(number)s") % {"number": self.number}


class ImportProblemLevel(models.TextChoices):
    ERROR = "error", _("Error")
    CONFLICT = "conflict", _("Conflict")
    WARNING = "warning", _("Please check")


class ImportProblem(models.Model):
    """One thing to say about one cell, or about a row as a whole."""

    imported = models.ForeignKey(
        Import, models.CASCADE, related_name="found_problems", db_index=False, db_constraint=False
    )
    number = models.PositiveIntegerField(help_text="Of the row; 1 is the header.")
    level = models.CharField(max_length=8, choices=ImportProblemLevel, default=ImportProblemLevel.ERROR)
    column = models.CharField(max_length=255, blank=True, help_text="Name of the column; empty for the whole row.")
    position = models.PositiveSmallIntegerField(null=True, help_text="Of the column in the file, from 1.")
    value = models.TextField(blank=True, help_text="The cell, as text.")
    rule = models.TextField(help_text="What is wrong and what would be right.")
    suggestion = models.TextField(blank=True, help_text="A value that would do, if one can be told.")

    class Meta:
        default_permissions = ()
        ordering = ("number", "position", "pk")
        indexes = (models.Index(fields=("imported", "number"), name="import_problem_row"),)

    def __str__(self) -> str:
        return gettext("Row %(number)s: %(rule)s") % {"number": self.number, "rule": self.rule}


class ImportGroup(models.Model):
    """Equal problems of an import, counted; written at the end of the check."""

    imported = models.ForeignKey(Import, models.CASCADE, related_name="groups")
    level = models.CharField(max_length=8, choices=ImportProblemLevel)
    column = models.CharField(max_length=255, blank=True)
    position = models.PositiveSmallIntegerField(null=True)
    value = models.TextField(blank=True)
    rule = models.TextField()
    suggestion = models.TextField(blank=True)
    count = models.PositiveIntegerField()
    first = models.PositiveIntegerField(help_text="Number of the first row.")

    class Meta:
        default_permissions = ()
        ordering = ("-count", "first", "pk")

    def __str__(self) -> str:
        return f"{self.count} × {self.rule}"


class ImportFix(models.Model):
    """A value a person put in the place of another; heeded by every check of the import."""

    imported = models.ForeignKey(Import, models.CASCADE, related_name="fixes")
    column = models.CharField(max_length=255)
    value = models.TextField(blank=True, help_text="The cell, as text.")
    number = models.PositiveIntegerField(null=True, blank=True, help_text="Only in this row; empty means all.")
    replacement = models.TextField(blank=True)
    by_rule = models.BooleanField(
        default=False, help_text="The value is a rule; each cell that breaks it becomes what is suggested for it."
    )
    username = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.column}: {self.value} → {self.replacement}"


class UndoOutcome(models.TextChoices):
    NO = "", _("Not undone")
    RESTORED = "restored", _("Restored")
    REMOVED = "removed", _("Removed")
    LEFT = "left", _("Left alone")


class ImportChange(models.Model):
    """What an import did to one record."""

    STANDING_OUTCOMES: ClassVar = (UndoOutcome.NO, UndoOutcome.LEFT)
    """The record is as the import made it, or was changed since."""

    imported = models.ForeignKey(Import, models.CASCADE, related_name="changes", db_index=False, db_constraint=False)
    number = models.PositiveIntegerField(help_text="Of the row in the file.")
    record_id = models.BigIntegerField(
        null=True,
        help_text="Our own id of what the row means: a cost, an opportunity, …; empty if it set its program's channel.",
    )
    owner_kind = models.CharField(max_length=21, choices=KIND_CHOICES, help_text="Of the synced record.")
    owner_id = models.BigIntegerField(help_text="Our own id of the synced record: of a cost, its program's.")
    created = models.BooleanField()
    revision = models.PositiveIntegerField(help_text="Of the synced record, right after the change.")
    undone = models.CharField(max_length=8, choices=UndoOutcome, default=UndoOutcome.NO, blank=True)
    undone_note = models.TextField(blank=True, help_text="Why it was left alone.")

    class Meta:
        default_permissions = ()
        ordering = ("imported", "number")
        constraints = (models.UniqueConstraint(fields=("imported", "number"), name="import_change_once"),)
        # A record's own history, newest first.
        indexes = (models.Index(fields=("owner_kind", "owner_id", "-id"), name="import_change_owner"),)

    def __str__(self) -> str:
        return gettext("Row %(number)s") % {"number": self.number}


class SavedMapping(models.Model):
    """How a set of headers was mapped last, to be proposed when it comes again."""

    kind = models.CharField(_("kind"), max_length=13, choices=FILE_KINDS)
    headers_sha256 = models.CharField(max_length=64)
    mapping = models.JSONField(help_text="Header to column; '' if left out.")
    constants = models.JSONField(default=dict)
    blank_clears = models.JSONField(default=list)
    formats = models.JSONField(default=dict, help_text="How values were written in the last such file.")
    username = models.CharField(max_length=150, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("kind", "headers_sha256"), name="saved_mapping_once"),)

    def __str__(self) -> str:
        return gettext("Columns of %(kind)s") % {"kind": self.get_kind_display()}


class DownloadContent(models.TextChoices):
    EXPORT = "export", _("Export")
    ORIGINAL = "original", _("Uploaded file")
    ERRORS = "errors", _("Error file")
    HISTORY = "history", _("Sync history")


class Download(models.Model):
    """A file with records that somebody took out."""

    what = models.CharField(_("what"), max_length=8, choices=DownloadContent, default=DownloadContent.EXPORT)
    kind = models.CharField(_("kind"), max_length=13, choices=FILE_KINDS, blank=True)
    format = models.CharField(_("format"), max_length=4)
    imported = models.ForeignKey(Import, models.SET_NULL, null=True, blank=True, related_name="downloads")
    filters = models.TextField(blank=True, help_text="What the list was narrowed to, in words.")
    columns = models.JSONField(default=list, blank=True)
    rows = models.PositiveIntegerField(_("rows"), null=True, blank=True, help_text="Empty if it was broken off.")
    source = models.CharField(_("source"), max_length=8, choices=ImportSource, default=ImportSource.ADMIN)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    username = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        default_permissions = ("view",)
        ordering = ("-pk",)

    def __str__(self) -> str:
        return (
            gettext("%(what)s of %(kind)s") % {"what": self.get_what_display(), "kind": self.get_kind_display()}
            if self.kind
            else self.get_what_display()
        )
