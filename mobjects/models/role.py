"""Opportunity person roles: who plays which part in an opportunity."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models.fields import MarketoCharField, MarketoGuidField, MarketoIdField
from mobjects.models.marketo_metadata import CustomField
from mobjects.models.opportunity import Opportunity
from mobjects.models.synced_record import CHANGED, SyncedRecord, positive_marketo_id


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
        help_text="Given by Marketo's REST API; empty until it is known.",
    )
    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="roles")
    person_id = MarketoIdField(
        "person ID",
        null=True,
        blank=True,
        help_text="Marketo's ID of the person. Give this or the person key.",
    )
    person_key = MarketoCharField(
        max_length=255, blank=True, help_text="The person's external key. Give this or the person ID."
    )
    role = MarketoCharField(max_length=255, blank=True)
    is_primary = models.BooleanField(null=True, blank=True)
    external_created_date = models.DateTimeField(null=True, blank=True)
    custom_attributes = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "opportunity person role"
        ordering = ("-pk",)
        permissions = (
            ("import_opportunitypersonrole", "Can import opportunity person roles"),
            ("export_opportunitypersonrole", "Can export opportunity person roles"),
        )
        constraints = (
            positive_marketo_id("role_marketo_id_positive"),
            models.CheckConstraint(
                condition=(Q(person_id__isnull=False) & Q(person_key=""))
                | (Q(person_id__isnull=True) & ~Q(person_key="")),
                name="role_one_person",
                violation_error_message="Give the person ID or the person key (exactly one of them).",
            ),
            models.UniqueConstraint(
                fields=("opportunity", "person_id", "role"),
                name="role_once_by_id",
                violation_error_message="This person already has this role in this opportunity.",
            ),
            models.UniqueConstraint(
                fields=("opportunity", "person_key", "role"),
                condition=~Q(person_key=""),
                name="role_once_by_key",
                violation_error_message="This person already has this role in this opportunity.",
            ),
        )
        indexes = (
            # Lists and the engine's walk over changed roles.
            models.Index(fields=("last_status",), name="role_last_status"),
            models.Index(fields=("id",), condition=CHANGED, name="role_changed"),
            # The newest unsent change, on the dashboard.
            models.Index(fields=("-modified_at",), condition=CHANGED, name="role_newest_change"),
            # The list by state, and how many there are of each.
            models.Index(fields=("state", "id"), name="role_state"),
            # Searching by person.
            models.Index(fields=("person_id",), name="role_person"),
        )

    def __str__(self) -> str:
        return f"{self.role or 'Role'} of {self.person_label} in {self.opportunity}"

    def clean(self) -> None:
        self.custom_attributes = CustomField.normalize_values(self.KIND, self.custom_attributes)

    @property
    def person_label(self) -> str:
        """The person as shown: by Marketo ID or by external key."""
        return f"person {self.person_id}" if self.person_id else f"person {self.person_key}"
