"""Model fields for values that have to survive the way to Marketo and back, and looking for rows by many ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import BigAutoField, Lookup
from django.utils.translation import gettext as _

from mobjects import clock
from mobjects.marketo.reason_masking import reason_key
from mobjects.marketo.value_parsing import LARGEST_ID
from mobjects.marketo.value_text import find_xml_problem


def validate_xml_text(value: str) -> None:
    """Refuse characters that XML 1.0 cannot carry, naming the position."""
    problem = find_xml_problem(value)
    if problem:
        raise ValidationError(problem, code="control_character")


def validate_month(value: date) -> None:
    """A month is kept as its first day."""
    if value.day != 1:
        raise ValidationError(
            _("%(value)s is not the first day of a month; give a month as YYYY-MM, for example 2026-06."),
            code="month",
            params={"value": value},
        )


class MarketoTextMixin:
    r"""Text with ``\n`` line ends only, so that a browser's ``\r\n`` is not taken for a change."""

    default_validators: ClassVar[Sequence[Any]] = (validate_xml_text,)

    def to_python(self, value: Any) -> Any:
        return _normalised(super().to_python(value))  # type: ignore[misc]

    def get_prep_value(self, value: Any) -> Any:
        return _normalised(super().get_prep_value(value))  # type: ignore[misc]


class MarketoCharField(MarketoTextMixin, models.CharField):  # type: ignore[type-arg]
    """A one-line attribute; 255 characters is Marketo's size for its string attributes."""


class MarketoTextField(MarketoTextMixin, models.TextField):  # type: ignore[type-arg]
    """A long attribute."""


class MarketoIdField(models.PositiveIntegerField):  # type: ignore[type-arg]
    """An id that Marketo gave: 1 to 2,147,483,647, on databases whose integers are wider as well."""

    default_validators = [MinValueValidator(1), MaxValueValidator(LARGEST_ID)]  # noqa: RUF012  # as Django declares it


def validate_guid(value: str) -> None:
    """Refuse what can be no GUID: other characters would make a list of them ambiguous."""
    if not re.fullmatch(r"[0-9a-z-]{1,36}", value):
        raise ValidationError(
            _(
                "“%(value)s” is no Marketo GUID; one has up to 36 letters, digits and hyphens, "
                "such as dff23271-f996-47d7-984f-f2676861b5fa."
            ),
            code="guid",
            params={"value": value},
        )


class MarketoGuidField(models.CharField):  # type: ignore[type-arg]
    """A GUID that Marketo gave, in small letters and without blanks around it: Marketo writes it in several ways."""

    default_validators = [validate_guid]  # noqa: RUF012  # as Django declares it

    def to_python(self, value: Any) -> Any:
        return _plain_guid(super().to_python(value))

    def get_prep_value(self, value: Any) -> Any:
        return _plain_guid(super().get_prep_value(value))


def _plain_guid(value: Any) -> Any:
    return (value.strip().lower() or None) if isinstance(value, str) else value


class CreatedAtField(models.DateTimeField):  # type: ignore[type-arg]
    """When a row came into being, by the database's clock: it is compared with moments that other hosts wrote.

    Who makes many rows asks for the time once, and gives it to each of them.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if add and getattr(model_instance, self.attname) is None:
            setattr(model_instance, self.attname, clock.now())
        return getattr(model_instance, self.attname)

    def deconstruct(self) -> Any:
        # The column is Django's own: nothing to migrate, and SQLite need not build the table anew.
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, kwargs


class ReasonKeyField(models.CharField):  # type: ignore[type-arg]
    """What the ``error`` of a row shares with others of its reason; set with it wherever a row is saved.

    An UPDATE that writes ``error`` writes it too, by :func:`mobjects.marketo.reason_masking.reason_key`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fixed = {"max_length": 16, "blank": True, "default": "", "db_default": "", "editable": False}
        super().__init__(*args, **{**kwargs, **fixed})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        setattr(model_instance, self.attname, reason_key(getattr(model_instance, "error", "")))
        return getattr(model_instance, self.attname)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


@BigAutoField.register_lookup
class AmongIds(Lookup):  # type: ignore[type-arg]  # not subscriptable when it runs
    """``pk__among=ids``: as ``pk__in``, without a placeholder for each id. A hundred thousand ids take Django seconds
    to write into a query, and SQLite refuses them; as one list they are read by the database in milliseconds.
    """

    lookup_name = "among"
    prepare_rhs = False

    def __init__(self, lhs: Any, rhs: Iterable[int]) -> None:
        super().__init__(lhs, ",".join(str(int(pk)) for pk in rhs))

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """An array, as one text: the driver looks at each member of a list."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", [*params, f"{{{self.rhs}}}"]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """A JSON list, read as a table."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, f"[{self.rhs}]"]  # noqa: S608


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    return value
