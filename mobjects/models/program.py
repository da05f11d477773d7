"""Programs, their period costs and tags.

Programs come into being only in Marketo; its API can add or change their period
costs and set their tags and channel, nothing else (Adobe's syncMObjects page).
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from mobjects.marketo.types import Kind
from mobjects.models.fields import MarketoCharField, MarketoIdField, MarketoTextField, validate_month
from mobjects.models.synced_record import CHANGED, SyncedRecord, positive_marketo_id

CHANNEL_TAG = "Channel"
"""The tag type under which Marketo's API takes a program's channel."""

COST_PREFIX = "Cost "
"""How the names of costs begin in a program's content."""


class Program(SyncedRecord):
    """A Marketo program. Name, type and workspace are for reference and never sent."""

    KIND: ClassVar[Kind] = Kind.PROGRAM
    content_fields: ClassVar[tuple[str, ...]] = ("channel",)

    marketo_id = MarketoIdField(
        "Marketo ID",
        unique=True,
        help_text="The program's number in Marketo (the 1970 in PG1970A1).",
    )
    name = MarketoCharField(max_length=255)
    type = MarketoCharField(max_length=255, blank=True, help_text="For reference; the API cannot change it.")
    workspace = MarketoCharField(max_length=255, blank=True, help_text="For reference; the API cannot change it.")
    channel = MarketoCharField(
        max_length=255, blank=True, help_text="Must exist in Marketo. Sent as the tag of type Channel."
    )

    class Meta:
        ordering = ("name", "pk")
        permissions = (("import_program", "Can import programs"), ("export_program", "Can export programs"))
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="program_has_name"),
            positive_marketo_id("program_marketo_id_positive"),
        )
        indexes = (
            # Lists filtered by "needs sync" and the sync engine's walk over changed programs.
            models.Index(fields=("last_status",), name="program_last_status"),
            models.Index(fields=("id",), condition=CHANGED, name="program_changed"),
            # The newest unsent change, on the dashboard.
            models.Index(fields=("-modified_at",), condition=CHANGED, name="program_newest_change"),
            # The list by state, and how many there are of each.
            models.Index(fields=("state", "id"), name="program_state"),
            # The list, which is by name.
            models.Index(fields=("name", "id"), name="program_name"),
        )

    def __str__(self) -> str:
        return str(self.name)


class ProgramCost(models.Model):
    """One period cost of a program; a month may have several."""

    content_fields: ClassVar[tuple[str, ...]] = ("program", "month", "amount", "note")

    program = models.ForeignKey(Program, models.CASCADE, related_name="costs", db_index=False)
    month = models.DateField(validators=[validate_month], help_text="YYYY-MM")
    amount = models.DecimalField(max_digits=15, decimal_places=2, validators=[MinValueValidator(0)])
    note = MarketoTextField(blank=True, validators=[MaxLengthValidator(2000)])
    marketo_cost_id = MarketoIdField(
        "Marketo cost ID",
        null=True,
        blank=True,
        help_text="Marketo's ID of this cost. Needed to change a cost that Marketo has already accepted.",
    )

    class Meta:
        verbose_name = "period cost"
        ordering = ("month", "pk")
        permissions = (
            ("import_programcost", "Can import period costs"),
            ("export_programcost", "Can export period costs"),
        )
        # A program's costs, and those of one month: an import asks for each row whether it is there already.
        indexes = (models.Index(fields=("program", "month"), name="cost_of_month"),)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gte=0), name="cost_not_negative"),
            models.CheckConstraint(condition=Q(month__day=1), name="cost_month_is_first_day"),
            models.UniqueConstraint(
                fields=("program", "marketo_cost_id"),
                name="cost_id_once_per_program",
                violation_error_message="This program already has a cost with this Marketo cost ID.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.amount}"

    @property
    def content_key(self) -> str:
        """The name under which this cost stands in its program's content and accepted values."""
        return f"{COST_PREFIX}{self.pk}"

    @property
    def content_text(self) -> str:
        """The cost as one line, for comparing and showing."""
        return f"{self.month:%Y-%m} {self.amount:.2f} {self.note}".rstrip()


class ProgramTag(models.Model):
    """A tag of a program; one value for each tag type."""

    content_fields: ClassVar[tuple[str, ...]] = ("program", "type", "value")

    program = models.ForeignKey(Program, models.CASCADE, related_name="tags")
    type = MarketoCharField(max_length=255, help_text="Must exist in Marketo.")
    value = MarketoCharField(max_length=255, help_text="Must exist in Marketo for this type.")

    class Meta:
        verbose_name = "program tag"
        ordering = ("type", "pk")
        permissions = (
            ("import_programtag", "Can import program tags"),
            ("export_programtag", "Can export program tags"),
        )
        constraints = (
            models.UniqueConstraint(
                "program",
                Lower("type"),
                name="tag_type_once_per_program",
                violation_error_message="This program already has a tag of this type.",
            ),
            models.CheckConstraint(condition=~Q(type__iexact=CHANNEL_TAG), name="tag_type_is_not_channel"),
            models.CheckConstraint(condition=~Q(type="") & ~Q(value=""), name="tag_has_type_and_value"),
        )

    def __str__(self) -> str:
        return f"{self.type}: {self.value}"

    def clean(self) -> None:
        if self.type.casefold() == CHANNEL_TAG.casefold():
            raise ValidationError(
                {"type": "The channel is kept in the program's Channel field (column Channel of a programs file)."}
            )

    @property
    def content_key(self) -> str:
        """The name under which this tag stands in its program's content and accepted values."""
        return f"Tag {self.type}"
