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
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.marketo.types import Kind
from mobjects.models.fields import MarketoCharField, MarketoIdField, MarketoTextField, validate_month
from mobjects.models.synced_record import CHANGED, HAS_ERROR, SyncedRecord, positive_marketo_id

CHANNEL_TAG = "Channel"
"""The tag type under which Marketo's API takes a program's channel."""

COST_PREFIX, TAG_PREFIX = "Cost ", "Tag "
"""How the names of costs and tags begin in a program's content."""


class Program(SyncedRecord):
    """A Marketo program. Name, type and workspace are for reference and never sent."""

    KIND: ClassVar[Kind] = Kind.PROGRAM
    content_fields: ClassVar[tuple[str, ...]] = ("channel",)

    marketo_id = MarketoIdField(
        "Marketo ID",
        unique=True,
        help_text=_("The program's number in Marketo (the 1970 in PG1970A1)."),
    )
    name = MarketoCharField(_("name"), max_length=255)
    type = MarketoCharField(
        _("type"), max_length=255, blank=True, help_text=_("For reference; the API cannot change it.")
    )
    workspace = MarketoCharField(
        _("workspace"), max_length=255, blank=True, help_text=_("For reference; the API cannot change it.")
    )
    channel = MarketoCharField(
        _("channel"), max_length=255, blank=True, help_text=_("Must exist in Marketo. Sent as the tag of type Channel.")
    )

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = ("name", "pk")
        permissions = (("import_program", _("Can import programs")), ("export_program", _("Can export programs")))
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="program_has_name"),
            positive_marketo_id("program_marketo_id_positive"),
        )
        indexes = (
            # Lists filtered by "needs sync" and the sync engine's walk over changed programs.
            models.Index(fields=("last_status",), name="program_last_status"),
            models.Index(fields=("id",), condition=CHANGED, name="program_changed"),
            # Lists narrowed by the last error.
            models.Index(fields=("id",), condition=HAS_ERROR, name="program_error"),
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

    program = models.ForeignKey(
        Program, models.CASCADE, verbose_name=_("program"), related_name="costs", db_index=False
    )
    month = models.DateField(_("month"), validators=[validate_month], help_text=_("YYYY-MM"))
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2, validators=[MinValueValidator(0)])
    note = MarketoTextField(_("note"), blank=True, validators=[MaxLengthValidator(2000)])
    marketo_cost_id = MarketoIdField(
        _("Marketo cost ID"),
        null=True,
        blank=True,
        help_text=_("Marketo's ID of this cost. Needed to change a cost that Marketo has already accepted."),
    )

    class Meta:
        verbose_name = _("period cost")
        verbose_name_plural = _("period costs")
        ordering = ("month", "pk")
        permissions = (
            ("import_programcost", _("Can import period costs")),
            ("export_programcost", _("Can export period costs")),
        )
        # A program's costs, and those of one month: an import asks for each row whether it is there already.
        indexes = (models.Index(fields=("program", "month"), name="cost_of_month"),)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gte=0), name="cost_not_negative"),
            models.CheckConstraint(condition=Q(month__day=1), name="cost_month_is_first_day"),
            models.UniqueConstraint(
                fields=("program", "marketo_cost_id"),
                name="cost_id_once_per_program",
                violation_error_message=_("This program already has a cost with this Marketo cost ID."),
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

    program = models.ForeignKey(Program, models.CASCADE, verbose_name=_("program"), related_name="tags")
    type = MarketoCharField(_("type"), max_length=255, help_text=_("Must exist in Marketo."))
    value = MarketoCharField(_("value"), max_length=255, help_text=_("Must exist in Marketo for this type."))

    class Meta:
        verbose_name = _("program tag")
        verbose_name_plural = _("program tags")
        ordering = ("type", "pk")
        permissions = (
            ("import_programtag", _("Can import program tags")),
            ("export_programtag", _("Can export program tags")),
        )
        constraints = (
            models.UniqueConstraint(
                "program",
                Lower("type"),
                name="tag_type_once_per_program",
                violation_error_message=_("This program already has a tag of this type."),
            ),
            models.CheckConstraint(condition=~Q(type__iexact=CHANNEL_TAG), name="tag_type_is_not_channel"),
            models.CheckConstraint(condition=~Q(type="") & ~Q(value=""), name="tag_has_type_and_value"),
        )

    def __str__(self) -> str:
        return f"{self.type}: {self.value}"

    def clean(self) -> None:
        if self.type.casefold() == CHANNEL_TAG.casefold():
            raise ValidationError(
                {
                    "type": gettext(
                        "The channel is kept in the program's Channel field (column Channel of a programs file)."
                    )
                }
            )

    @property
    def content_key(self) -> str:
        """The name under which this tag stands in its program's content and accepted values, in each language."""
        return f"{TAG_PREFIX}{self.type}"
