"""Form fields that read what people type by Marketo's data types and explain what is wrong in words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from mobjects.kept_text import translate_kept
from mobjects.marketo import value_parsing
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.marketo.value_text import to_text

TYPED = frozenset({DataType.INTEGER, DataType.FLOAT, DataType.CURRENCY, DataType.DATE})
"""What is read by its type, not as text; moments too, which pages ask for as day and time."""


class AttributeField(forms.CharField):
    """An attribute of a given Marketo type; ``80%`` is fine for a probability, and so on.

    Args:
        attribute: what to read the text as.
        as_text: give the canonical text instead of the typed value.
    """

    def __init__(self, *, attribute: MarketoAttribute, as_text: bool = False, **kwargs: Any) -> None:
        self.attribute = attribute
        self.as_text = as_text
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            parsed = value_parsing.parse_value(super().to_python(value), self.attribute)
        except ValueError as error:
            raise ValidationError(translate_kept(str(error)), code="invalid") from error
        return to_text(parsed) if self.as_text else parsed

    def run_validators(self, value: Any) -> None:
        """Nothing more: the typed value is not text, and the model checks its own limits."""

    def prepare_value(self, value: Any) -> Any:
        if self.attribute.type is DataType.FLOAT and hasattr(value, "normalize"):
            return to_text(value.normalize())
        return value


class ZonedDateTimeField(forms.SplitDateTimeField):
    """Day and time in the person's own zone. Of the two hours that a clock set back shows alike, the first is meant."""

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list or data_list[0] in self.empty_values:
            return None
        day, time = data_list
        return datetime.combine(day, time, tzinfo=timezone.get_current_timezone())


class MonthField(forms.Field):
    """A month typed as YYYY-MM, kept as its first day."""

    def to_python(self, value: Any) -> date | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return value_parsing.parse_month(text)
        except ValueError as error:
            raise ValidationError(translate_kept(str(error)), code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%Y-%m}" if isinstance(value, date) else value
