"""What can be done to many records at once, and to which of their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobjects.marketo.types import DataType
from mobjects.models import (
    BulkEdit,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
)
from mobjects.resources import RESOURCES
from mobjects.resources.columns import CustomColumn, FileColumn, LinkColumn


class Do(models.TextChoices):
    """What is done."""

    SET = "set", _("Set a field")
    CLEAR = "clear", _("Clear a field")
    ADD = "add", _("Add to an amount")
    MULTIPLY = "multiply", _("Multiply an amount")
    REPLACE = "replace", _("Find and replace text")
    SHIFT = "shift", _("Move to other months")
    COPY = "copy", _("Copy to another month")
    TAG = "tag", _("Add a tag, or change it")
    UNTAG = "untag", _("Remove a tag")


EDITED_MODELS: dict[str, type[models.Model]] = {
    str(model._meta.model_name): model for model in (Program, ProgramCost, Opportunity, OpportunityPersonRole)
}
"""The models whose lists can be edited."""
KINDS_OF_FILES: dict[str, str] = {
    "program": "programs",
    "programcost": "program-costs",
    "opportunity": "opportunities",
    "opportunitypersonrole": "roles",
}
"""The kinds of files whose columns are the fields of each."""

IDENTITY = frozenset({"marketo_id", "marketo_guid", "external_id", "marketo_cost_id", "person_id", "person_key"})
"""Fields that say which record it is: no two have the same, so they are not changed for many at once."""
NUMBERS = frozenset({DataType.CURRENCY, DataType.FLOAT, DataType.INTEGER})
_YEARS_AND_QUARTERS = frozenset({"fiscal_year", "fiscal_quarter"})
COSTS = "programcost"


@dataclass(frozen=True, slots=True)
class EditOperation:
    """One thing that is done to each record.

    Args:
        do: one of :class:`Do`.
        field: name of the field's column in files.
        target: name of the model that is changed, where that is a part of what was chosen.
        value: as canonical text: the new value, what is added, the factor, what is put in place, the months (of a
            move), the month that is copied to, the tag's value.
        sought: the text that is looked for, the month that is copied, the tag's type.
    """

    do: str
    field: str = ""
    target: str = ""
    value: str = ""
    sought: str = ""

    @property
    def key(self) -> str:
        """What a list of choices calls it, whatever its values."""
        return f"{self.target}.{self.do}:{self.field}"

    def to_json(self) -> dict[str, str]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> EditOperation:
        """The reverse of :meth:`to_json`; nothing is done where nothing was chosen yet."""
        return cls(**(kept or {"do": ""}))

    @classmethod
    def from_key(cls, key: str) -> EditOperation:
        """The operation that a choice stands for, without its values."""
        target, _dot, rest = key.partition(".")
        do, _colon, field = rest.partition(":")
        return cls(do, field, target)


def edited_fields(model_name: str) -> dict[str, FileColumn]:
    """The fields of a model that can be edited for many records, by their names."""
    columns = RESOURCES[KINDS_OF_FILES[model_name]]().columns
    kept = (each for each in columns if not isinstance(each, LinkColumn) and each.field not in IDENTITY)
    return {column.name: column for column in kept}


def model_field(model_name: str, column: FileColumn) -> Any:
    """The model's field of a column; ``None`` of a custom attribute."""
    if isinstance(column, CustomColumn):
        return None
    return EDITED_MODELS[model_name]._meta.get_field(column.field)


def may_be_empty(model_name: str, column: FileColumn) -> bool:
    """Whether a record may lack a value."""
    field = model_field(model_name, column)
    return field is None or bool(field.blank)


def is_number(column: FileColumn) -> bool:
    """Whether adding and multiplying make sense."""
    return column.attribute.type in NUMBERS and column.field not in _YEARS_AND_QUARTERS


OfferedOperation = tuple[EditOperation, FileColumn | None]
"""An operation without values, and the column of its field, if it has one."""


def list_operations(model_name: str) -> Iterator[OfferedOperation]:
    """All that can be done to records of a model."""
    yield from _field_operations(model_name)
    if model_name == COSTS:
        yield from _cost_operations("")
    if model_name == "program":
        yield EditOperation(Do.TAG), None
        yield EditOperation(Do.UNTAG), None
        amount = edited_fields(COSTS)["Amount"]
        yield EditOperation(Do.ADD, "Amount", COSTS), amount
        yield EditOperation(Do.MULTIPLY, "Amount", COSTS), amount
        yield from _cost_operations(COSTS)


def _cost_operations(target: str) -> Iterator[OfferedOperation]:
    yield EditOperation(Do.SHIFT, "Month", target), edited_fields(COSTS)["Month"]
    yield EditOperation(Do.COPY, "", target), None


def _field_operations(model_name: str) -> Iterator[OfferedOperation]:
    for name, column in edited_fields(model_name).items():
        yield EditOperation(Do.SET, name), column
        if may_be_empty(model_name, column):
            yield EditOperation(Do.CLEAR, name), column
        if column.is_text:
            yield EditOperation(Do.REPLACE, name), column
        elif is_number(column):
            yield EditOperation(Do.ADD, name), column
            yield EditOperation(Do.MULTIPLY, name), column


def rights_needed(model_name: str, operation: EditOperation) -> tuple[str, ...]:
    """The permissions that doing it by the form takes, too."""
    changed = operation.target or model_name
    if operation.do == Do.COPY:
        return (f"mobjects.add_{COSTS}", f"mobjects.view_{COSTS}")
    tag = str(ProgramTag._meta.model_name)
    if operation.do == Do.TAG:
        return (f"mobjects.change_{model_name}", f"mobjects.add_{tag}", f"mobjects.change_{tag}")
    if operation.do == Do.UNTAG:
        return (f"mobjects.change_{model_name}", f"mobjects.delete_{tag}")
    return (f"mobjects.change_{changed}",)


def operation_of(asked: BulkEdit) -> EditOperation:
    """What is to be done."""
    return EditOperation.from_json(asked.operation)


def target_of(asked: BulkEdit) -> str:
    """The name of the model that is changed."""
    return operation_of(asked).target or asked.model


def item_ids(asked: BulkEdit) -> list[int]:
    """Our own ids of what is changed."""
    ids: list[int] = asked.items if operation_of(asked).target else asked.records
    return ids
