"""The kinds of records as the API names them, and the form of each: made from the models, so that neither differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from ninja import Schema
from pydantic import ConfigDict, Field, create_model

from mobjects.models import RECORD_MODELS, Kind, RecordState, SyncedRecord

REFERENCE = ("name", "type", "workspace")
"""Of programs: kept here, never sent."""
CUSTOM = "custom_attributes"

CustomValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of records.

    Args:
        name: in addresses.
        kind: Marketo's.
        one: a record of it, in descriptions, with its article.
        listed: form of a list of them.
        out: form of one of them.
        changes: form of a change.
        creation: form of a new one.
    """

    name: str
    kind: Kind
    one: str
    out: Any
    listed: Any
    changes: Any
    creation: Any

    @property
    def model(self) -> type[SyncedRecord]:
        """Its model."""
        return RECORD_MODELS[self.kind]

    def permission(self, action: str) -> str:
        """The right to do something with such records."""
        return f"mobjects.{action}_{self.model._meta.model_name}"

    @property
    def field_names(self) -> list[str]:
        """What people edit, by the names of our fields."""
        return editable_fields(self.model)


class CostOut(Schema):
    """A period cost of a program."""

    id: int
    month: str = Field(description="YYYY-MM")
    amount: str
    note: str
    marketo_cost_id: int | None


class TagOut(Schema):
    """A tag of a program."""

    id: int
    type: str
    value: str


class CostIn(Schema):
    """A cost: a new one, or with an id a change of one that is there; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    id: int | None = Field(None, ge=1, le=2**63 - 1, description="Of a cost that is there; without it, a new one.")
    remove: bool = Field(False, description="Take it away here; Marketo's API cannot remove costs.")
    month: str | None = Field(None, description="YYYY-MM", max_length=40)
    amount: str | int | float | None = Field(None, description="Such as 1200.50")
    note: str | None = None
    marketo_cost_id: int | None = None


class TagIn(Schema):
    """A tag: a new one, or with an id a change of one that is there; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    id: int | None = Field(None, ge=1, le=2**63 - 1, description="Of a tag that is there; without it, a new one.")
    remove: bool = Field(False, description="Take it away here; Marketo's API cannot remove tags.")
    type: str | None = None
    value: str | None = None


class RecordBase(Schema):
    """What all records have."""

    id: int = Field(description="Our own id.")
    label: str
    state: RecordState
    last_status: str = Field(description="Marketo's last answer about it.")
    last_error: str
    last_synced_at: datetime | None
    revision: int
    marketo_id: int | None
    created_at: datetime
    modified_at: datetime
    etag: str = Field(description="What If-Match takes: stands for all that can be changed.")


def editable_fields(model: type[SyncedRecord]) -> list[str]:
    """The fields of a record that people edit, but for Marketo's ids and custom fields."""
    reference = REFERENCE if model.KIND is Kind.PROGRAM else ()
    own = [name for name in (*model.content_fields, *reference) if name != CUSTOM]
    return list(dict.fromkeys(own))


def id_fields(model: type[SyncedRecord]) -> list[str]:
    """Marketo's ids: given with a new record, never changed."""
    own = {field.name for field in model._meta.concrete_fields}
    return [name for name in ("marketo_id", "marketo_guid") if name in own]


def _out_type(field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        return int
    for kind, type_ in (
        (models.BooleanField, bool | None),
        (models.DecimalField, str | None),
        (models.IntegerField, int | None),
        (models.DateTimeField, datetime | None),
        (models.DateField, date | None),
    ):
        if isinstance(field, kind):
            return type_
    return str | None if field.null else str


def _in_type(field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        return int
    if isinstance(field, models.BooleanField):
        return bool | None
    return str | int | float | None if isinstance(field, (models.DecimalField, models.IntegerField)) else str | None


def _describe_field(field: Any) -> str:
    words = str(field.verbose_name)
    return f"{words[:1].upper()}{words[1:]}. {field.help_text}".strip()


def _make_kind(name: str, kind: Kind, one: str) -> RecordKind:
    model = RECORD_MODELS[kind]
    fields = {each: model._meta.get_field(each) for each in (*editable_fields(model), *id_fields(model))}
    title = one.title().replace(" ", "")
    out: dict[str, Any] = {
        each: (_out_type(field), Field(description=_describe_field(field))) for each, field in fields.items()
    }
    given: dict[str, Any] = {
        each: (_in_type(field), Field(None, description=_describe_field(field)))
        for each, field in fields.items()
        if each not in id_fields(model)
    }
    ids: dict[str, Any] = {each: (_in_type(fields[each]), Field(None)) for each in id_fields(model)}
    if kind is Kind.PROGRAM:
        unseen = Field(description="null: the token or its person may not see them.")
        out |= {"costs": (list[CostOut] | None, unseen), "tags": (list[TagOut] | None, unseen)}
        given |= {
            "costs": (list[CostIn], Field([], max_length=1000, description="Costs to add, change or remove.")),
            "tags": (list[TagIn], Field([], max_length=1000, description="Tags to add, change or remove.")),
        }
    else:
        out["custom"] = (dict[str, str], Field(description="The instance's own fields, as text."))
        given["custom"] = (dict[str, CustomValue], Field({}, description="The instance's own fields; null clears."))
    strict = ConfigDict(extra="forbid")
    record = create_model(f"{title}Out", __base__=RecordBase, **out)
    return RecordKind(
        name,
        kind,
        one,
        record,
        create_model(
            f"{title}List",
            __base__=Schema,
            items=(list[record], ...),  # type: ignore[valid-type]
            next=(str | None, Field(description="Where to read on; null at the end.")),
        ),
        create_model(f"{title}Changes", __config__=strict, **given),
        create_model(f"New{title}", __config__=strict, **ids, **given),
    )


KINDS = (
    _make_kind("programs", Kind.PROGRAM, "a program"),
    _make_kind("opportunities", Kind.OPPORTUNITY, "an opportunity"),
    _make_kind("roles", Kind.ROLE, "a person role"),
)
