"""The instance's own fields on the pages of opportunities and roles: an input of the right type for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold import widgets

from mobjects.admin.base import SyncedAdmin
from mobjects.admin.form_fields import AttributeField
from mobjects.forms.merging import MergingForm
from mobjects.marketo.types import DataType
from mobjects.models import CustomField

CUSTOM = "custom_"
"""Prefix of the form fields that stand for entries of ``custom_attributes``."""

LONG_TEXT = 255
YES_NO = (("", _("Unknown")), ("true", _("Yes")), ("false", _("No")))
PLACEHOLDERS = {DataType.DATE: "YYYY-MM-DD", DataType.DATETIME: "YYYY-MM-DD HH:MM:SS+00:00"}
KEYBOARDS = {DataType.INTEGER: "numeric", DataType.FLOAT: "decimal", DataType.CURRENCY: "decimal"}
"""What a phone offers for typing."""


class CustomForm(MergingForm):
    """Shows each custom attribute as a field of its own, and puts them together again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.custom_attributes.items():
            self.initial.setdefault(f"{CUSTOM}{name}", value)
            field = self.fields.get(f"{CUSTOM}{name}")
            if field is not None:
                _offer(field.widget, value)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        custom = {name.removeprefix(CUSTOM): value for name, value in cleaned.items() if name.startswith(CUSTOM)}
        known = {name: value for name, value in custom.items() if value}
        kept = {name: value for name, value in self.instance.custom_attributes.items() if name not in custom}
        self.instance.custom_attributes = dict(sorted({**kept, **known}.items()))
        return cleaned

    def add_error(self, field: str | None, error: Any) -> None:
        """Put what the model says about ``custom_attributes``, which is no field here, to the inputs it is about."""
        by_field = getattr(error, "error_dict", {})
        for message in ValidationError(by_field.pop("custom_attributes", [])).messages:
            place = f"{CUSTOM}{message.partition(':')[0]}"
            if place not in self.errors:
                super().add_error(place if place in self.fields else None, message)
        if by_field or not hasattr(error, "error_dict"):
            super().add_error(field, error)


class CustomAdmin(SyncedAdmin):
    """Base of the pages of records that have custom attributes."""

    form = CustomForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        fields = {f"{CUSTOM}{field.name}": build_form_field(field) for field in self._custom_fields(request)}
        kwargs["form"] = type(self.form.__name__, (self.form,), fields)
        return super().get_form(request, obj, change, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = [_column(field) for field in self._custom_fields(request) if field.in_list]
        return [*super().get_list_display(request), *columns]

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
        """Of the kind; read once for a page however many parts of it ask."""
        kept: dict[str, list[CustomField]] = request.__dict__.setdefault("_custom_fields", {})
        kind = self.model.KIND.value
        if kind not in kept:
            kept[kind] = list(CustomField.objects.filter(kind=kind))
        return kept[kind]


def _column(field: CustomField) -> Callable[[Any], str | None]:
    """The list column of a custom field."""

    @admin.display(description=str(field))
    def value(record: Any) -> str | None:
        return record.custom_attributes.get(field.name) or None

    value.__name__ = f"{CUSTOM}{field.name}"
    return value


def build_form_field(field: CustomField) -> AttributeField:
    """The form field of a custom field."""
    return AttributeField(
        attribute=field.attribute,
        as_text=True,
        required=False,
        label=str(field),
        help_text=_("%(name)s in Marketo, %(data_type)s.") % {"name": field.name, "data_type": field.data_type},
        widget=_widget(field),
    )


def _widget(field: CustomField) -> Any:  # Unfold has no types
    data_type = DataType(field.data_type)
    attrs = {"placeholder": PLACEHOLDERS.get(data_type), "inputmode": KEYBOARDS.get(data_type)}
    attrs = {name: value for name, value in attrs.items() if value}
    if data_type is DataType.BOOLEAN:
        return widgets.UnfoldAdminSelectWidget(choices=YES_NO)
    if data_type is DataType.STRING and (field.size is None or field.size > LONG_TEXT):
        return widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2})
    one_line = widgets.UnfoldAdminDateWidget if data_type is DataType.DATE else widgets.UnfoldAdminTextInputWidget
    return one_line(attrs=attrs)


def _offer(widget: forms.Widget, value: str) -> None:
    """A value from before the field's type was changed stays to be seen; saving the page says what is wrong with it."""
    if isinstance(widget, forms.Select) and value not in dict(widget.choices):
        widget.choices = [*widget.choices, (value, _("%(value)s (neither yes nor no)") % {"value": value})]
