"""Opportunity person roles: who plays which part in an opportunity."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models.fields import MarketoCharField, MarketoGuidField, MarketoIdField
from mobjects.models.marketo_metadata import CustomField
from mobjects.models.opportunity import Opportunity
from mobjects.models.synced_record import CHANGED, HAS_ERROR, SyncedRecord, positive_marketo_id


class OpportunityPersonRole(SyncedRecord):
    """A person's role in an opportunity; the person lives only in Marketo."""

    KIND: ClassVar[Kind] = Kind.ROLE
    content_fields: ClassVar[tuple[str, ...]] = (
        "opportunity",
        "person_id",
        "person_key",
        *(attribute.field_name for attribute in attributes.ROLE),
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
    opportunity = models.ForeignKey(Opportunity, models.CASCADE, verbose_name=_("opportunity"), related_name="roles")
    person_id = MarketoIdField(
        _("person ID"),
        null=True,
        blank=True,
        help_text=_("Marketo's ID of the person. Give this or the person key."),
    )
    person_key = MarketoCharField(
        _("person key"),
        max_length=255,
        blank=True,
        help_text=_("The person's external key. Give this or the person ID."),
    )
    role = MarketoCharField(_("role"), max_length=255, blank=True)
    is_primary = models.BooleanField(_("is primary"), null=True, blank=True)
    external_created_date = models.DateTimeField(_("external created date"), null=True, blank=True)
    custom_attributes = models.JSONField(_("custom attributes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("person role")
        verbose_name_plural = _("person roles")
        ordering = ("-pk",)
        permissions = (
            ("import_opportunitypersonrole", _("Can import opportunity person roles")),
            ("export_opportunitypersonrole", _("Can export opportunity person roles")),
        )
        constraints = (
            positive_marketo_id("role_marketo_id_positive"),
            models.CheckConstraint(
                condition=(Q(person_id__isnull=False) & Q(person_key=""))
                | (Q(person_id__isnull=True) & ~Q(person_key="")),
                name="role_one_person",
                violation_error_message=_("Give the person ID or the person key (exactly one of them)."),
            ),
            models.UniqueConstraint(
                fields=("opportunity", "person_id", "role"),
                name="role_once_by_id",
                violation_error_message=_("This person already has this role in this opportunity."),
            ),
            models.UniqueConstraint(
                fields=("opportunity", "person_key", "role"),
                condition=~Q(person_key=""),
                name="role_once_by_key",
                violation_error_message=_("This person already has this role in this opportunity."),
            ),
        )
        indexes = (
            # Lists and the engine's walk over changed roles.
            models.Index(fields=("last_status",), name="role_last_status"),
            models.Index(fields=("id",), condition=CHANGED, name="role_changed"),
            # Lists narrowed by the last error.
            models.Index(fields=("id",), condition=HAS_ERROR, name="role_error"),
            # The newest unsent change, on the dashboard.
            models.Index(fields=("-modified_at",), condition=CHANGED, name="role_newest_change"),
            # The list by state, and how many there are of each.
            models.Index(fields=("state", "id"), name="role_state"),
            # Searching by person.
            models.Index(fields=("person_id",), name="role_person"),
        )

    def __str__(self) -> str:
        return gettext("%(role)s of %(person)s in %(opportunity)s") % {
            "role": self.role or gettext("Role"),
            "person": self.person_label,
            "opportunity": self.opportunity,
        }

    def clean(self) -> None:
        self.custom_attributes = CustomField.normalize_values(self.KIND, self.custom_attributes)

    @property
    def person_label(self) -> str:
        """The person as shown: by Marketo ID or by external key."""
        return (
            gettext("person %(person_id)s") % {"person_id": self.person_id}
            if self.person_id
            else gettext("person %(person_key)s") % {"person_key": self.person_key}
        )
