"""Files of opportunity person roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from django.db.models import CharField
from django.db.models.functions import Cast

from mobjects.marketo import attributes
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import AttributeValue, DataType, Kind
from mobjects.models import Opportunity, OpportunityPersonRole
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import (
    FileColumn,
    LinkColumn,
    RawValues,
    ValueReader,
    custom_columns,
    guid_column,
    id_column,
    text_column,
)


@dataclass(frozen=True, slots=True)
class OpportunityColumn(LinkColumn):
    """An opportunity by its external ID, else by its Marketo ID, else by its Marketo GUID.

    ``clashing``: the external IDs that look like the Marketo ID of an opportunity without external ID; ``None``
    if they are not known. A bare number would mean the wrong opportunity there.
    """

    clashing: frozenset[str] | None = None

    def build_reader(self, places: Sequence[int]) -> ValueReader:
        (key, number, guid), clashing = places, self.clashing

        def read_value(raw: RawValues) -> AttributeValue:
            external_id: str | None = raw[key]
            if external_id is not None:
                return external_id
            if raw[number] is None:
                return f"Marketo GUID {raw[guid]}"
            marketo_id = str(raw[number])
            return f"Marketo ID {marketo_id}" if clashing is None or marketo_id in clashing else marketo_id

        return read_value


class OpportunityPersonRoleResource(TransferResource):
    """Roles; their key is the Marketo ID or GUID, else opportunity, person and role together."""

    KIND = "roles"
    NOUN = "role"
    key_names: ClassVar = ("Marketo ID", "Marketo GUID", "Opportunity", "Person ID", "Person Key", "Role")

    class Meta:
        model = OpportunityPersonRole
        name = "Person roles"

    def get_columns(self) -> Sequence[FileColumn]:
        return (
            id_column("Marketo ID", "marketo_id"),
            guid_column(),
            OpportunityColumn(
                MarketoAttribute("Opportunity", "Opportunity", DataType.STRING, 300),
                "opportunity",
                required=True,
                is_key=True,
                source=("opportunity__external_id", "opportunity__marketo_id", "opportunity__marketo_guid"),
            ),
            id_column("Person ID", "person_id"),
            text_column("Person Key", "person_key", is_key=True),
            *(FileColumn(item, item.field_name) for item in attributes.ROLE),
            *custom_columns(Kind.ROLE),
        )

    def prepare_columns(self, columns: Sequence[FileColumn]) -> Sequence[FileColumn]:
        keyless = Opportunity.objects.filter(external_id=None).annotate(number=Cast("marketo_id", CharField()))
        clashing = Opportunity.objects.filter(external_id__in=keyless.values("number"))
        known = frozenset(str(key) for key in clashing.values_list("external_id", flat=True))
        return [
            replace(column, clashing=known) if isinstance(column, OpportunityColumn) else column for column in columns
        ]
