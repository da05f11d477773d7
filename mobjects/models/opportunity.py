"""Opportunities, with Marketo's 19 standard attributes and whatever fields an instance adds."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models.fields import MarketoCharField, MarketoGuidField, MarketoIdField, MarketoTextField
from mobjects.models.marketo_metadata import CustomField
from mobjects.models.synced_record import CHANGED, HAS_ERROR, SyncedRecord, positive_marketo_id


class Opportunity(SyncedRecord):
    """A Marketo opportunity.

    ``custom_attributes`` maps the API name of a :class:`CustomField` to its value as
    canonical text (see :func:`mobjects.marketo.value_text.to_text`).
    """

    KIND: ClassVar[Kind] = Kind.OPPORTUNITY
    content_fields: ClassVar[tuple[str, ...]] = (
        *(attribute.field_name for attribute in attributes.OPPORTUNITY),
        "external_id",
        "company_id",
        "company_key",
        "custom_attributes",
    )

    marketo_guid = MarketoGuidField(
        "Marketo GUID",
        max_length=36,
        null=True,
        blank=True,
        unique=True,
        help_text=_("Given by Marketo's REST API; empty until it is known."),
    )
    external_id = MarketoCharField(
        _("external ID"),
        max_length=255,
        null=True,
        blank=True,
        unique=True,
        help_text=_("Our own key. Imports match on it; Marketo matches on it if MARKETO_OPPORTUNITY_KEY_FIELD is set."),
    )
    name = MarketoCharField(_("name"), max_length=255)
    description = MarketoTextField(_("description"), blank=True, validators=[MaxLengthValidator(2000)])
    type = MarketoCharField(_("type"), max_length=255, blank=True)
    stage = MarketoCharField(_("stage"), max_length=255, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=15, decimal_places=2, null=True, blank=True)
    expected_revenue = models.DecimalField(
        _("expected revenue"), max_digits=15, decimal_places=2, null=True, blank=True
    )
    probability = models.PositiveSmallIntegerField(
        _("probability"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Percent, 0 to 100."),
    )
    quantity = models.DecimalField(_("quantity"), max_digits=15, decimal_places=4, null=True, blank=True)
    close_date = models.DateField(_("close date"), null=True, blank=True)
    is_closed = models.BooleanField(_("is closed"), null=True, blank=True)
    is_won = models.BooleanField(_("is won"), null=True, blank=True)
    fiscal = MarketoCharField(_("fiscal"), max_length=255, blank=True)
    fiscal_quarter = models.PositiveSmallIntegerField(
        _("fiscal quarter"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text=_("1 to 4."),
    )
    fiscal_year = models.PositiveSmallIntegerField(
        _("fiscal year"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2999)],
        help_text=_("Four digits."),
    )
    forecast_category_name = MarketoCharField(_("forecast category name"), max_length=255, blank=True)
    lead_source = MarketoCharField(_("lead source"), max_length=255, blank=True)
    next_step = MarketoCharField(_("next step"), max_length=255, blank=True)
    external_created_date = models.DateTimeField(_("external created date"), null=True, blank=True)
    last_activity_date = models.DateField(_("last activity date"), null=True, blank=True)

    company_id = MarketoIdField(
        _("company ID"),
        null=True,
        blank=True,
        help_text=_("Marketo's ID of the company. Give this or the company key."),
    )
    company_key = MarketoCharField(
        _("company key"),
        max_length=255,
        blank=True,
        help_text=_("The company's external key. Give this or the company ID."),
    )
    custom_attributes = models.JSONField(_("custom attributes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        ordering = ("-pk",)
        permissions = (
            ("import_opportunity", _("Can import opportunities")),
            ("export_opportunity", _("Can export opportunities")),
        )
        constraints = (
            positive_marketo_id("opportunity_marketo_id_positive"),
            models.CheckConstraint(condition=~Q(name=""), name="opportunity_has_name"),
            models.CheckConstraint(
                condition=Q(probability__isnull=True) | Q(probability__range=(0, 100)),
                name="opportunity_probability_percent",
            ),
            models.CheckConstraint(
                condition=Q(company_id__isnull=True) | Q(company_key=""),
                name="opportunity_one_company_key",
                violation_error_message=_("Give the company ID or the company key, not both."),
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="opportunity_external_id_not_empty"),
            # Without either, importing the same file twice would make two of each row.
            models.CheckConstraint(
                condition=Q(external_id__isnull=False) | Q(marketo_id__isnull=False) | Q(marketo_guid__isnull=False),
                name="opportunity_has_key",
                violation_error_message=_(
                    "Give an external ID; without it, a Marketo ID or GUID the record has no key."
                ),
            ),
        )
        indexes = (
            # Lists and the engine's walk over changed opportunities.
            models.Index(fields=("last_status",), name="opportunity_last_status"),
            models.Index(fields=("id",), condition=CHANGED, name="opportunity_changed"),
            # Lists narrowed by the last error.
            models.Index(fields=("id",), condition=HAS_ERROR, name="opportunity_error"),
            # The newest unsent change, on the dashboard.
            models.Index(fields=("-modified_at",), condition=CHANGED, name="opportunity_newest_change"),
            # The list by state, and how many there are of each.
            models.Index(fields=("state", "id"), name="opportunity_state"),
        )

    def __str__(self) -> str:
        return str(self.name)

    def clean(self) -> None:
        self.external_id = self.external_id or None
        self.custom_attributes = CustomField.normalize_values(self.KIND, self.custom_attributes)
