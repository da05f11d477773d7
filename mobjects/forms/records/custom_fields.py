"""The instance's own fields in the forms of opportunities and roles: an input of the right type for each."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from mobjects.forms.merging import MergingForm, give_lines
from mobjects.forms.records.fields import AttributeField
from mobjects.marketo.types import DataType
from mobjects.marketo.value_text import drop_unseen
from mobjects.models import CustomField

CUSTOM = "custom_"
"""Prefix of the form fields that stand for entries of ``custom_attributes``."""

UNSEEN = gettext_lazy("It holds a character that cannot be seen, such as a space without width. Type it anew.")
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
                give_lines(field, value)

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


class OpportunityForm(CustomForm):
    """A new record without a key gets an external ID."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "external_id" in self.changed_data and drop_unseen(key := cleaned.get("external_id") or "") != key:
            self.add_error("external_id", UNSEEN)
        named = [cleaned.get(name) or getattr(self.instance, name) for name in ("marketo_id", "marketo_guid")]
        if not cleaned.get("external_id"):
            cleaned["external_id"] = None if any(named) else f"MA-{secrets.token_hex(6)}"
        return cleaned


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
