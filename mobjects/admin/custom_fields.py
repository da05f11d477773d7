"""The instance's own fields on the pages of opportunities and roles: an input of the right type for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobjects.admin.base import SyncedAdmin
from mobjects.admin.lists.narrowing import request_custom_fields
from mobjects.forms.records.custom_fields import CUSTOM, CustomForm, build_form_field
from mobjects.models import CustomField


class CustomAdmin(SyncedAdmin):
    """Base of the pages of records that have custom attributes."""

    form = CustomForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        fields = {f"{CUSTOM}{field.name}": build_form_field(field) for field in self._custom_fields(request)}
        kwargs["form"] = type(self.form.__name__, (self.form,), fields)
        return super().get_form(request, obj, change, **kwargs)

    def usual_columns(self, request: HttpRequest) -> list[Any]:
        columns = [_column(field) for field in self._custom_fields(request) if field.in_list]
        return [*super().usual_columns(request), *columns]

    def further_columns(self, request: HttpRequest) -> list[Any]:
        return [*super().further_columns(request), *map(_column, self._custom_fields(request))]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The record; to those who may only look, its custom attributes are shown from it."""
        record = super().get_object(request, object_id, from_field)
        if record is not None:
            for name, value in record.custom_attributes.items():
                setattr(record, f"{CUSTOM}{name}", value)
        return record

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        custom = tuple(f"{CUSTOM}{field.name}" for field in self._custom_fields(request))
        return [*(self.fieldsets or ()), *([(_("Custom fields"), {"fields": custom})] if custom else [])]

    def _custom_fields(self, request: HttpRequest) -> list[CustomField]:
        return request_custom_fields(request, self.model.KIND)


def _column(field: CustomField) -> Callable[[Any], str | None]:
    """The list column of a custom field."""

    @admin.display(description=str(field))
    def value(record: Any) -> str | None:
        return record.custom_attributes.get(field.name) or None

    value.__name__ = f"{CUSTOM}{field.name}"
    return value
