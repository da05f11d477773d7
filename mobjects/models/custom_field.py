"""Fields that a Marketo instance adds to its standard objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from mobjects.marketo import attributes, value_parsing
from mobjects.marketo.types import DataType, Kind


class CustomField(models.Model):
    """A custom field of opportunities or roles, as describeMObject would report it.

    Once it is defined here, its API name or label is accepted as an import column and
    its value is kept in the record's ``custom_attributes``.
    """

    KINDS = ((Kind.OPPORTUNITY.value, "Opportunity"), (Kind.ROLE.value, "Opportunity person role"))
    TYPES = tuple((member.value, member.value) for member in DataType if member is not DataType.REFERENCE)

    kind = models.CharField(max_length=21, choices=KINDS, default=Kind.OPPORTUNITY.value)
    name = models.CharField(
        "API name",
        max_length=255,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9_]*\Z", "Use letters, digits and _, starting with a letter.")],
        help_text="Exactly as Marketo's describe lists it.",
    )
    label = models.CharField(max_length=255, blank=True, help_text="Marketo's display name.")
    data_type = models.CharField(max_length=8, choices=TYPES, default=DataType.STRING.value)
    size = models.PositiveIntegerField(null=True, blank=True, help_text="Longest text, in characters.")
    in_list = models.BooleanField("column in the list", default=False, help_text="Show it in the list of the records.")

    class Meta:
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="custom_field_once"),)

    def __str__(self) -> str:
        return self.label or self.name

    def clean(self) -> None:
        if self.name in {attribute.name for attribute in attributes.STANDARD[Kind(self.kind)]}:
            raise ValidationError({"name": f"{self.name} is a standard attribute of Marketo, not a custom field."})

    @property
    def attribute(self) -> attributes.MarketoAttribute:
        """The field in the form in which standard attributes are described."""
        return attributes.MarketoAttribute(self.name, self.label or self.name, DataType(self.data_type), self.size)

    @classmethod
    def normalize_values(cls, kind: Kind, given: Mapping[str, Any]) -> dict[str, str]:
        """Check custom attributes and give them as canonical text, sorted by name; empty ones are left out.

        Raises:
            ValidationError: of ``custom_attributes``, one message for each unknown name and each bad value.
        """
        if not given:
            return {}
        fields = {field.name: field for field in cls.objects.filter(kind=kind.value)}
        result, problems = {}, []
        for name, value in sorted(given.items()):
            if name not in fields:
                known = ", ".join(fields) or "none is defined"
                problems.append(f"{name}: no such custom field (defined: {known}).")
                continue
            try:
                text = value_parsing.canonical_text(value, fields[name].attribute)
            except ValueError as error:
                problems.append(f"{name}: {error}")
            else:
                if text:
                    result[name] = text
        if problems:
            raise ValidationError({"custom_attributes": problems})
        return result
