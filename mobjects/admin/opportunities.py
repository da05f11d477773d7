"""Opportunities, person roles, and the custom fields an instance adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mobjects.admin.base import SYNC_COLUMNS
from mobjects.admin.custom_fields import CustomAdmin
from mobjects.forms.records.custom_fields import OpportunityForm
from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models import CustomField, Opportunity, OpportunityPersonRole, records_of_kind
from mobjects.resources.opportunities import OpportunityResource
from mobjects.resources.roles import OpportunityPersonRoleResource


@admin.register(Opportunity)
class OpportunityAdmin(CustomAdmin):
    """Opportunities with Marketo's standard attributes and the instance's own."""

    form = OpportunityForm
    attributes = attributes.OPPORTUNITY
    view_page = "opportunities"
    resource_classes = (OpportunityResource,)
    list_display = (
        "name",
        "amount_text",
        "stage",
        "close_date_text",
        *SYNC_COLUMNS,
        "marketo_id",
        "external_id",
        "marketo_guid",
    )
    search_fields = ("name", "external_id")
    # What an index sorts; one more would cost each writing of a record, and sending writes it twice.
    sortable_by = ("marketo_id", "external_id", "marketo_guid", "state_words")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("name", "external_id", ("marketo_id", "marketo_guid"), "description")}),
        (_("Value"), {"fields": (("amount", "expected_revenue"), ("probability", "quantity"))}),
        (
            _("Progress"),
            {"fields": (("type", "stage"), ("close_date", "last_activity_date"), ("is_closed", "is_won"))},
        ),
        (_("Forecast"), {"fields": (("fiscal", "forecast_category_name"), ("fiscal_quarter", "fiscal_year"))}),
        (_("Origin"), {"fields": (("lead_source", "next_step"), "external_created_date")}),
        (_("Company"), {"fields": (("company_id", "company_key"),)}),
    )

    @admin.display(description=_("Amount"), empty_value="-")
    def amount_text(self, opportunity: Opportunity) -> str | None:
        """The amount, ``1,234.50``."""
        return None if opportunity.amount is None else f"{opportunity.amount:,.2f}"

    @admin.display(description=_("Close Date"), empty_value="-")
    def close_date_text(self, opportunity: Opportunity) -> str | None:
        """The day, ``2026-03-01``, as forms have it."""
        return None if opportunity.close_date is None else opportunity.close_date.isoformat()


@admin.register(OpportunityPersonRole)
class OpportunityPersonRoleAdmin(CustomAdmin):
    """Who plays which part in an opportunity."""

    attributes = attributes.ROLE
    view_page = "roles"
    resource_classes = (OpportunityPersonRoleResource,)
    list_display = ("label", "opportunity", "person_label", "is_primary", *SYNC_COLUMNS, "marketo_id", "marketo_guid")
    search_fields = ("role", "person_key")
    sortable_by = ("opportunity", "person_label", "marketo_id", "marketo_guid", "state_words")
    ordering = ("-pk",)
    autocomplete_fields = ("opportunity",)
    list_select_related = ("opportunity",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "opportunity",
                    ("person_id", "person_key"),
                    ("role", "is_primary"),
                    ("marketo_id", "marketo_guid"),
                )
            },
        ),
        (_("Origin"), {"fields": ("external_created_date",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("opportunity")  # type: ignore[no-any-return]

    @admin.display(description=_("Role"), ordering="role")
    def label(self, role: OpportunityPersonRole) -> str:
        """The role's name; it may be empty."""
        return role.role or gettext("(no role given)")

    @admin.display(description=_("Person"), ordering="person_id")
    def person_label(self, role: OpportunityPersonRole) -> str:
        """The person by Marketo ID or key."""
        return role.person_label


@admin.register(CustomField)
class CustomFieldAdmin(ModelAdmin):
    """Fields an instance adds; once listed here they are columns and form fields."""

    list_display = ("name", "label", "kind", "data_type", "size", "in_list")
    search_fields = ("name", "label")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Records keep their values under the name; another one would leave them without a field."""
        return ("kind", "name") if obj is not None else ()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes along; fields of which a record holds a value stand in the way, on the page and for the action."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed, [*protected, *_describe_holders(list(objs))]


def _describe_holders(fields: Sequence[CustomField]) -> list[str]:
    """That records hold a value of a field, in words; a sentence for each field of which any does."""
    counts: dict[str, int] = {}
    for kind in {field.kind for field in fields}:
        # One pass over all records of a kind, however many fields: without an index, for which each saving of a record
        # would pay, it can be said in no other way that none holds a value. Of a million records PostgreSQL needs 0.7 s
        # for one field and 1 s for three.
        held = {
            f"field_{field.pk}": Count("pk", filter=Q(custom_attributes__has_key=field.name))
            for field in fields
            if field.kind == kind
        }
        counts |= records_of_kind(Kind(kind)).order_by().aggregate(**held)
    return [_describe_count(field, count) for field in fields if (count := counts[f"field_{field.pk}"])]


def _describe_count(field: CustomField, count: int) -> str:
    said = ngettext(
        "%(field)s: %(count)s record holds a value of it. Clear it there first, with “Edit selected…”, and sync; if "
        "Marketo has no such field any more, pull instead.",
        "%(field)s: %(count)s records hold a value of it. Clear it there first, with “Edit selected…”, and sync; if "
        "Marketo has no such field any more, pull instead.",
        count,
    )
    return said % {"field": field, "count": f"{count:,}"}
