"""What Marketo knows, to look at: its fields, and the values that tags and channels may have."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.admin.lists.filters import TypeFilter
from mobjects.admin.sync_history import ReadOnlyAdmin
from mobjects.models import AllowedTag, MarketoField
from mobjects.presentation.job_text import render_time


class CatalogAdmin(ReadOnlyAdmin):
    """A list that is replaced as a whole when it is read from Marketo."""

    list_display_links = None
    list_before_template = "mobjects/marketo/metadata/read.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        newest = self.model.objects.aggregate(at=Max("described_at"))["at"]
        context = {**(extra_context or {}), "last_read": render_time(newest)}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]


@admin.register(MarketoField)
class MarketoFieldAdmin(CatalogAdmin):
    """Fields of opportunities and roles."""

    list_display = ("name", "label", "kind", "type", "size", "origin", "writable")
    list_filter = ("kind", "custom", "read_only", "type")
    search_fields = ("name", "label")

    @admin.display(description=_("Origin"), ordering="custom")
    def origin(self, field: MarketoField) -> str:
        """Whether the instance added it."""
        return gettext("Custom") if field.custom else gettext("Standard")

    @admin.display(description=_("Can be written"), ordering="read_only")
    def writable(self, field: MarketoField) -> str:
        """Whether Marketo takes values for it."""
        return gettext("No") if field.read_only else gettext("Yes")


@admin.register(AllowedTag)
class AllowedTagAdmin(CatalogAdmin):
    """Tag types with their values, and the channels."""

    list_display = ("type", "value")
    list_filter = (TypeFilter,)
    search_fields = ("type", "value")
