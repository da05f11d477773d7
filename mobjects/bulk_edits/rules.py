"""The rules of the forms, for texts: what a field may hold, and what a record as a whole has to keep.

As in the check of an import, no model instance and no query for each record; a test holds them to the forms' own.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator, MaxLengthValidator
from django.utils.translation import gettext_noop as _

from mobjects.bulk_edits.operations import may_be_empty, model_field
from mobjects.kept_text import translate_rule
from mobjects.marketo import value_parsing
from mobjects.marketo.types import Kind
from mobjects.models import AllowedValues, CustomField
from mobjects.models.fields import validate_xml_text
from mobjects.models.program import CHANNEL_TAG
from mobjects.resources.columns import FileColumn, MonthColumn

REQUIRED = _("must not be empty")
COMPANY = _("Give the company ID or the company key, not both.")
REMEMBERED = 5000


class FieldRule:
    """What a field may hold.

    Args:
        model_name: of the records.
        column: of the field.
    """

    def __init__(self, model_name: str, column: FileColumn) -> None:
        self.column = column
        self.field = model_field(model_name, column)
        self.is_required = not may_be_empty(model_name, column)
        known = (DecimalValidator, MaxLengthValidator)
        rules = [] if self.field is None else self.field.validators
        self._rules = [rule for rule in rules if not isinstance(rule, known) and rule is not validate_xml_text]
        is_channel = model_name == "program" and column.field == "channel"
        self._allowed = AllowedValues() if is_channel else None

    def find_problem(self, text: str) -> str:
        """Why a text cannot be the new value, in English; "" if it can."""
        if not text:
            return REQUIRED if self.is_required else ""
        try:
            value = self._parse(text)
            for rule in self._rules:
                rule(value)
        except ValidationError as error:
            return " ".join(error.messages)
        except ValueError as error:
            return str(error)
        return self._allowed.find_problem(CHANNEL_TAG, text) if self._allowed else ""

    def _parse(self, text: str) -> Any:
        if isinstance(self.column, MonthColumn):
            return value_parsing.parse_month(text)
        return value_parsing.parse_value(text, self.column.attribute)

    def normalize(self, text: str) -> str:
        """A kept text as it would be written now; a custom attribute may be from before its type was changed."""
        if self.field is not None or not text:
            return text
        try:
            return value_parsing.canonical_text(text, self.column.attribute)
        except ValueError:
            return text


class CustomRule:
    """What a form says about custom attributes that nobody touches: it saves no record with a bad one."""

    def __init__(self, kind: Kind, but: str) -> None:
        self._attributes = {field.name: field.attribute for field in CustomField.objects.filter(kind=kind.value)}
        self._but = but
        self._known: dict[str, str] = {"{}": ""}

    def find_problem(self, custom: str) -> str:
        """What is wrong with the attributes of a record, as JSON; "" if nothing."""
        if custom not in self._known:
            if len(self._known) > REMEMBERED:
                self._known = {"{}": ""}
            self._known[custom] = self._judge(json.loads(custom))
        return self._known[custom]

    def _judge(self, values: dict[str, Any]) -> str:
        for name, value in sorted(values.items()):
            if name == self._but:
                continue
            if name not in self._attributes:
                return _("the record has a custom field that is not defined: %(name)s") % {"name": name}
            try:
                value_parsing.canonical_text(value, self._attributes[name])
            except ValueError as error:
                return _("the field %(name)s has to be mended first: %(rule)s") % {"name": name, "rule": error}
        return ""


def say_problem(text: str) -> str:
    """A problem as it is shown to the person who gave the value, in the language in use."""
    return translate_rule(text)
