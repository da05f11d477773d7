"""Files of opportunities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import FileColumn, custom_columns, guid_column, id_column, text_column


class OpportunityResource(TransferResource):
    """Opportunities; their key is the Marketo ID or GUID, else our external ID."""

    KIND = "opportunities"
    NOUN = "opportunity"
    key_names: ClassVar = ("Marketo ID", "Marketo GUID", "External ID")

    class Meta:
        model = Opportunity
        name = "Opportunities"

    def get_columns(self) -> Sequence[FileColumn]:
        return (
            id_column("Marketo ID", "marketo_id"),
            guid_column(),
            text_column("External ID", "external_id", is_key=True),
            *(FileColumn(item, item.field_name, required=item.name == "Name") for item in attributes.OPPORTUNITY),
            id_column("Company ID", "company_id"),
            text_column("Company Key", "company_key", is_key=True),
            *custom_columns(Kind.OPPORTUNITY),
        )
