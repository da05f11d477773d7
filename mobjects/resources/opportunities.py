"""Files of opportunities."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

from django.db import models

from mobjects.marketo import attributes
from mobjects.marketo.contract import Kind, Value
from mobjects.models import Opportunity
from mobjects.resources.base import Keys, TransferResource, in_chunks
from mobjects.resources.columns import Column, custom_columns, id_column, text_column
from mobjects.resources.merging import merge
from mobjects.resources.results import RowInput


class OpportunityResource(TransferResource):
    """Opportunities; their key is the Marketo ID, else our external ID."""

    KIND = "opportunities"
    NOUN = "opportunity"
    key_names: ClassVar = ("Marketo ID", "External ID")

    class Meta:
        model = Opportunity
        name = "Opportunities"

    def get_columns(self) -> Sequence[Column]:
        return (
            id_column("Marketo ID", "marketo_id"),
            text_column("External ID", "external_id"),
            *(Column(item, item.field, required=item.name == "Name") for item in attributes.OPPORTUNITY),
            id_column("Company ID", "company_id"),
            text_column("Company Key", "company_key"),
            *custom_columns(Kind.OPPORTUNITY),
        )

    def missing_columns(self, names: set[str]) -> list[str]:
        return [] if names & set(self.key_names) else ["a key column (“Marketo ID” or “External ID”)"]

    def prefetch(self, keys: Sequence[Keys]) -> None:
        everything = Opportunity.objects.all()
        found = (
            opportunity
            for name in self.key_names
            for opportunity in in_chunks(everything, self.by_name[name].field, (key.get(name) for key in keys))
        )
        # The same record must be the same object, whichever key finds it.
        by_pk: dict[int, Opportunity] = {}
        for opportunity in found:
            by_pk.setdefault(opportunity.pk, opportunity)
        self.by_id: dict[Value, Opportunity] = {item.marketo_id: item for item in by_pk.values()}
        self.by_external: dict[Value, Opportunity] = {item.external_id: item for item in by_pk.values()}

    def locate(self, row: RowInput) -> models.Model | None:
        marketo_id, external_id = row.values.get("Marketo ID"), row.values.get("External ID")
        if marketo_id is None and not external_id and not row.failed(*self.key_names):
            row.problem("", "has neither a Marketo ID nor an External ID; give one of them.")
        by_external = self.by_external.get(external_id) if external_id else None
        by_id = self.by_id.get(marketo_id) if marketo_id is not None else None
        return merge(row, by_id, by_external, "External ID")

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        for name in self.key_names:
            if row.values.get(name):
                yield name, (name, row.values[name])
        if instance is not None:
            yield "", instance.pk

    def clean_instance(self, instance: models.Model) -> None:
        """Do nothing: what the model checks was checked cell by cell, without a query for each row."""

    def check(self, instance: Any, row: RowInput) -> None:
        key = instance.external_id or ""
        if key != key.strip() and (instance._state.adding or self.before.get("External ID") != key):
            row.problem("External ID", "starts or ends with a space.")
        if instance.company_id is not None and instance.company_key:
            row.problem("Company Key", "give the Company ID or the Company Key, not both.")
