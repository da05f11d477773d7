"""Opportunities, person roles, and the custom fields an instance adds."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from mobjects.admin.base import RecordForm, SyncedAdmin
from mobjects.admin.fields import AttributeField
from mobjects.marketo import attributes
from mobjects.marketo.contract import Kind
from mobjects.models import CustomField, Opportunity, OpportunityPersonRole
from mobjects.resources import OpportunityPersonRoleResource, OpportunityResource

CUSTOM = "custom_"
"""Prefix of the form fields that stand for entries of ``custom_attributes``."""


class OpportunityForm(RecordForm):
    """Shows each custom attribute as a field of its own; a new record without a key gets an external ID."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.custom_attributes.items():
            self.initial.setdefault(f"{CUSTOM}{name}", value)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None:
            return None
        custom = {name.removeprefix(CUSTOM): value for name, value in cleaned.items() if name.startswith(CUSTOM)}
        known = {name: value for name, value in custom.items() if value}
        kept = {name: value for name, value in self.instance.custom_attributes.items() if name not in custom}
        self.instance.custom_attributes = dict(sorted({**kept, **known}.items()))
        marketo_id = cleaned.get("marketo_id") or self.instance.marketo_id
        if not cleaned.get("external_id"):
            cleaned["external_id"] = None if marketo_id else f"MA-{secrets.token_hex(6)}"
        return cleaned


@admin.register(Opportunity)
class OpportunityAdmin(SyncedAdmin):
    """Opportunities with Marketo's standard attributes and the instance's own."""

    form = OpportunityForm
    attributes = attributes.OPPORTUNITY
    resource_classes = (OpportunityResource,)
    list_display = (
        "name",
        "marketo_id",
        "external_id",
        "state",
        "last_status",
        "short_error",
        "synced_at",
        "amount",
        "stage",
    )
    search_fields = ("name", "=marketo_id", "external_id")
    ordering = ("-pk",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        fields = {f"{CUSTOM}{field.name}": _form_field(field) for field in _custom_fields()}
        kwargs["form"] = type("OpportunityForm", (OpportunityForm,), fields)
        return super().get_form(request, obj, change, **kwargs)

    def record_fieldsets(self) -> tuple[Any, ...]:
        custom = tuple(f"{CUSTOM}{field.name}" for field in _custom_fields())
        return (
            (None, {"fields": ("name", ("external_id", "marketo_id"), "description")}),
            ("Value", {"fields": (("amount", "expected_revenue"), ("probability", "quantity"))}),
            (
                "Progress",
                {"fields": (("type", "stage"), ("close_date", "last_activity_date"), ("is_closed", "is_won"))},
            ),
            ("Forecast", {"fields": (("fiscal", "forecast_category_name"), ("fiscal_quarter", "fiscal_year"))}),
            ("Origin", {"fields": (("lead_source", "next_step"), "external_created_date")}),
            ("Company", {"fields": (("company_id", "company_key"),)}),
            *((("Custom fields", {"fields": custom}),) if custom else ()),
        )


@admin.register(OpportunityPersonRole)
class OpportunityPersonRoleAdmin(SyncedAdmin):
    """Who plays which part in an opportunity."""

    attributes = attributes.ROLE
    resource_classes = (OpportunityPersonRoleResource,)
    list_display = (
        "label",
        "opportunity",
        "person_label",
        "marketo_id",
        "state",
        "last_status",
        "short_error",
        "synced_at",
        "is_primary",
    )
    search_fields = (
        "role",
        "=marketo_id",
        "=person_id",
        "person_key",
        "opportunity__name",
        "opportunity__external_id",
        "=opportunity__marketo_id",
    )
    ordering = ("-pk",)
    autocomplete_fields = ("opportunity",)
    list_select_related = ("opportunity",)
    fieldsets = (
        (None, {"fields": ("opportunity", ("person_id", "person_key"), ("role", "is_primary"), "marketo_id")}),
        ("Origin", {"fields": ("external_created_date",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("opportunity")

    @admin.display(description="Role", ordering="role")
    def label(self, role: OpportunityPersonRole) -> str:
        """The role's name; it may be empty."""
        return role.role or "(no role given)"

    @admin.display(description="Person", ordering="person_id")
    def person_label(self, role: OpportunityPersonRole) -> str:
        """The person by Marketo ID or key."""
        return role.person_label


@admin.register(CustomField)
class CustomFieldAdmin(ModelAdmin):
    """Fields an instance adds; once listed here they are columns and form fields."""

    list_display = ("name", "label", "kind", "data_type", "size")
    search_fields = ("name", "label")


def _custom_fields() -> QuerySet[CustomField]:
    return CustomField.objects.filter(kind=Kind.OPPORTUNITY.value)


def _form_field(field: CustomField) -> AttributeField:
    return AttributeField(
        attribute=field.attribute,
        as_text=True,
        required=False,
        label=str(field),
        help_text=f"{field.name} in Marketo, {field.data_type}.",
        widget=UnfoldAdminTextInputWidget,
    )
