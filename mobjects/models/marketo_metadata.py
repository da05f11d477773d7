"""What the Marketo instance knows: its fields, also custom ones, and the values its tags and channels may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.marketo import attributes, value_parsing
from mobjects.marketo.types import DataType, Kind
from mobjects.models.program import CHANNEL_TAG

_READ_ONCE: ContextVar[dict[Kind, Mapping[str, CustomField]] | None] = ContextVar("custom_fields", default=None)


class CustomField(models.Model):
    """A custom field of opportunities or roles, as describeMObject would report it.

    Once it is defined here, its API name or label is accepted as an import column and
    its value is kept in the record's ``custom_attributes``.
    """

    KINDS = ((Kind.OPPORTUNITY.value, _("Opportunity")), (Kind.ROLE.value, _("Person role")))
    TYPES = tuple((member.value, member.value) for member in DataType if member is not DataType.REFERENCE)

    kind = models.CharField(_("kind"), max_length=21, choices=KINDS, default=Kind.OPPORTUNITY.value)
    name = models.CharField(
        _("API name"),
        max_length=255,
        validators=[
            RegexValidator(r"^[A-Za-z][A-Za-z0-9_]*\Z", _("Use letters, digits and _, starting with a letter."))
        ],
        help_text=_("Exactly as Marketo's describe lists it."),
    )
    label = models.CharField(_("label"), max_length=255, blank=True, help_text=_("Marketo's display name."))
    data_type = models.CharField(_("data type"), max_length=8, choices=TYPES, default=DataType.STRING.value)
    size = models.PositiveIntegerField(_("size"), null=True, blank=True, help_text=_("Longest text, in characters."))
    in_list = models.BooleanField(
        _("column in the list"), default=False, help_text=_("Show it in the list of the records.")
    )

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="custom_field_once"),)

    def __str__(self) -> str:
        return self.label or self.name

    def clean(self) -> None:
        if self.name in {attribute.name for attribute in attributes.STANDARD[Kind(self.kind)]}:
            raise ValidationError(
                {
                    "name": gettext("%(name)s is a standard attribute of Marketo, not a custom field.")
                    % {"name": self.name}
                }
            )

    @property
    def attribute(self) -> attributes.MarketoAttribute:
        """The field in the form in which standard attributes are described."""
        return attributes.MarketoAttribute(self.name, self.label or self.name, DataType(self.data_type), self.size)

    @classmethod
    @contextmanager
    def read_once(cls) -> Iterator[None]:
        """Within it the fields of a kind are read once, not for each record that is judged."""
        token = _READ_ONCE.set({})
        try:
            yield
        finally:
            _READ_ONCE.reset(token)

    @classmethod
    def by_name(cls, kind: Kind) -> Mapping[str, CustomField]:
        """The fields of a kind by their names."""
        kept = _READ_ONCE.get()
        if kept is not None and kind in kept:
            return kept[kind]
        found: Mapping[str, CustomField] = {field.name: field for field in cls.objects.filter(kind=kind.value)}
        if kept is not None:
            kept[kind] = found
        return found

    @classmethod
    def normalize_values(cls, kind: Kind, given: Mapping[str, Any]) -> dict[str, str]:
        """Check custom attributes and give them as canonical text, sorted by name; empty ones are left out.

        Raises:
            ValidationError: of ``custom_attributes``, one message for each unknown name and each bad value.
        """
        if not given:
            return {}
        fields = cls.by_name(kind)
        result, problems = {}, []
        for name, value in sorted(given.items()):
            if name not in fields:
                known = ", ".join(fields) or gettext("none is defined")
                problems.append(
                    gettext("%(name)s: no such custom field (defined: %(known)s).") % {"name": name, "known": known}
                )
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


class MarketoField(models.Model):
    """A field of opportunities or roles as Marketo described it last."""

    kind = models.CharField(_("kind"), max_length=21, choices=CustomField.KINDS)
    name = models.CharField(_("API name"), max_length=255)
    label = models.CharField(_("label"), max_length=255, blank=True)
    type = models.CharField(_("type"), max_length=50)
    size = models.PositiveIntegerField(_("size"), null=True, blank=True)
    read_only = models.BooleanField(_("read only"), default=False)
    custom = models.BooleanField(_("custom"), default=False)
    described_at = models.DateTimeField(_("described at"))

    class Meta:
        verbose_name = _("Marketo field")
        verbose_name_plural = _("Marketo fields")
        default_permissions = ("view",)
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="marketo_field_once"),)

    def __str__(self) -> str:
        return self.label or self.name


class AllowedTag(models.Model):
    """A value that a tag type, or the channel (type ``Channel``), may have in Marketo.

    While there is none of a type, nothing is known about that type and any value is let through. ``described_at``
    of the newest row of type ``Channel`` tells when channels were read last, of any other when tags were.
    """

    type = models.CharField(_("type"), max_length=255)
    value = models.CharField(_("value"), max_length=255)
    described_at = models.DateTimeField(_("described at"))

    class Meta:
        verbose_name = _("allowed tag value")
        verbose_name_plural = _("allowed tag values")
        default_permissions = ("view",)
        ordering = ("type", "value")
        constraints = (models.UniqueConstraint(fields=("type", "value"), name="allowed_tag_once"),)

    def __str__(self) -> str:
        return f"{self.type}: {self.value}"


class AllowedValues:
    """All allowed values, read once, to judge many tags and channels by.

    Upper and lower case make no difference: whether Marketo tells them apart is not known, and a tag
    that is right but for that is better sent than held back.
    """

    NEAREST = 3
    ALIKE = 0.4
    """How alike a value has to be to be named, from 0 to 1."""
    SEPARATOR = ", "
    """Stands between values where an API tells all of a type as one text, so that one that holds it may be two."""
    LISTED = 10
    """So many allowed values are listed where none is alike."""

    def __init__(self) -> None:
        self._by_type: dict[str, list[str]] = {}
        for kind, value in AllowedTag.objects.order_by("type", "value").values_list("type", "value"):
            self._by_type.setdefault(kind, []).append(value)

    @property
    def tag_types(self) -> list[str]:
        """The tag types that are known, without the channel."""
        return [name for name in self._by_type if name.casefold() != CHANNEL_TAG.casefold()]

    @property
    def channels(self) -> list[str]:
        """The channels that are known."""
        return self.values_of_type(CHANNEL_TAG)

    @property
    def tags(self) -> list[tuple[str, str]]:
        """Type and value of every tag that is known."""
        return [(name, value) for name in self.tag_types for value in self._by_type[name]]

    def values_of_type(self, type_name: str) -> list[str]:
        """The values that a tag type may have; none if nothing is known about it."""
        wanted = type_name.casefold()
        return [value for name, values in self._by_type.items() if name.casefold() == wanted for value in values]

    def find_doubt(self, type_name: str, value: str) -> str:
        """That nobody can tell whether Marketo knows a tag, as a sentence; "" if it can be told."""
        allowed = self.values_of_type(type_name)
        is_known = value.casefold() in {other.casefold() for other in allowed}
        if not allowed or is_known or self.SEPARATOR not in value or type_name.casefold() == CHANNEL_TAG.casefold():
            return ""
        return gettext(
            "Whether Marketo knows %(type_name)s “%(value)s” cannot be told, as it has a comma; Marketo decides."
        ) % {"type_name": type_name, "value": value}

    def find_problem(self, type_name: str, value: str) -> str:
        """Why Marketo would refuse a tag (or a channel), as a sentence with the nearest allowed values.

        Returns:
            ``""`` if it would not, or if nothing is known.
        """
        allowed = self.values_of_type(type_name)
        is_channel = type_name.casefold() == CHANNEL_TAG.casefold()
        if not type_name or not value or (is_channel and not allowed):
            return ""
        if not allowed:
            known = self.tag_types
            return (
                gettext("The tag type “%(type_name)s” is not known in Marketo; %(near)s.")
                % {"type_name": type_name, "near": _near(type_name, known)}
                if known
                else ""
            )
        if value.casefold() in {other.casefold() for other in allowed} or self.find_doubt(type_name, value):
            return ""
        what = gettext("The channel") if is_channel else type_name
        return gettext("%(what)s “%(value)s” is not known in Marketo; %(near)s.") % {
            "what": what,
            "value": value,
            "near": _near(value, allowed),
        }


def _near(value: str, allowed: Sequence[str]) -> str:
    plain = {other.casefold(): other for other in allowed}
    near = get_close_matches(value.casefold(), plain, AllowedValues.NEAREST, AllowedValues.ALIKE)
    if near:
        return gettext("nearest: %(near)s") % {"near": ", ".join(plain[name] for name in near)}
    more = len(allowed) - AllowedValues.LISTED
    return gettext("known: %(known)s") % {"known": ", ".join(allowed[: AllowedValues.LISTED])} + (
        gettext(" and %(more)s more") % {"more": more} if more > 0 else ""
    )


class InstanceAnswer(models.Model):
    """What a Marketo instance answered to a question that is left open by its documentation."""

    endpoint = models.CharField(_("endpoint"), max_length=255)
    name = models.CharField(_("name"), max_length=50, help_text=_("Of the question; stays the same for ever."))
    question = models.CharField(_("question"), max_length=255)
    answer = models.TextField(_("answer"))
    fact = models.CharField(
        _("fact"), max_length=255, blank=True, help_text=_("What is gone by; empty if it was not found out.")
    )
    asked_at = models.DateTimeField(_("asked at"))

    class Meta:
        default_permissions = ("view",)
        ordering = ("endpoint", "pk")
        constraints = (models.UniqueConstraint(fields=("endpoint", "name"), name="instance_answer_once"),)

    def __str__(self) -> str:
        return f"{self.question} {self.answer}"
