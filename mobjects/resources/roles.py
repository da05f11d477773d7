"""Files of opportunity person roles."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.db import models

from mobjects.marketo import attributes
from mobjects.marketo.attributes import Attribute
from mobjects.marketo.contract import DataType, Kind, Value
from mobjects.models import Opportunity, OpportunityPersonRole
from mobjects.resources.base import Keys, TransferResource, in_chunks
from mobjects.resources.columns import Column, LinkColumn, custom_columns, id_column, text_column
from mobjects.resources.merging import merge
from mobjects.resources.results import RowInput
from mobjects.tabular import Sheet

_PERSON = "Give the Person ID or the Person Key (exactly one of them)."
_MARKETO_ID = re.compile(r"(?:marketo\s*id\s*:?\s*)?([0-9]{1,10})(?:\.0)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpportunityColumn(LinkColumn):
    """An opportunity by its external ID, else by its Marketo ID.

    ``clashing``: the external IDs that look like the Marketo ID of an opportunity without external ID; ``None``
    if they are not known. A bare number would mean the wrong opportunity there.
    """

    clashing: frozenset[str] | None = None

    def get(self, instance: Any) -> Value:
        opportunity: Opportunity = instance.opportunity
        if opportunity.external_id is not None:
            return str(opportunity.external_id)
        number = str(opportunity.marketo_id)
        return f"Marketo ID {number}" if self.clashing is None or number in self.clashing else number


class OpportunityPersonRoleResource(TransferResource):
    """Roles; their key is the Marketo ID, else opportunity, person and role together."""

    KIND = "roles"
    NOUN = "role"
    key_names: ClassVar = ("Marketo ID", "Opportunity", "Person ID", "Person Key", "Role")

    class Meta:
        model = OpportunityPersonRole
        name = "Opportunity person roles"

    def get_columns(self) -> Sequence[Column]:
        return (
            id_column("Marketo ID", "marketo_id"),
            OpportunityColumn(Attribute("Opportunity", "Opportunity", DataType.STRING, 300), "opportunity", True),
            id_column("Person ID", "person_id"),
            text_column("Person Key", "person_key"),
            *(Column(item, item.field) for item in attributes.ROLE),
            *custom_columns(Kind.ROLE),
        )

    def missing_columns(self, names: set[str]) -> list[str]:
        if "Marketo ID" in names:
            return []
        missing = [f"the column “{name}”" for name in ("Opportunity", "Role") if name not in names]
        return missing if names & {"Person ID", "Person Key"} else [*missing, "“Person ID” or “Person Key”"]

    def prefetch(self, keys: Sequence[Keys]) -> None:
        named = {str(key["Opportunity"]) for key in keys if key.get("Opportunity")}
        numbers = {int(match[1]) for name in named if (match := _MARKETO_ID.fullmatch(name.strip()))}
        everything = Opportunity.objects.all()
        self.by_external = {item.external_id: item for item in in_chunks(everything, "external_id", named)}
        self.by_number = {item.marketo_id: item for item in in_chunks(everything, "marketo_id", numbers)}
        self._load_roles(keys)

    def _load_roles(self, keys: Sequence[Keys]) -> None:
        roles = OpportunityPersonRole.objects.select_related("opportunity")
        parents = {item.pk for found in (self.by_external, self.by_number) for item in found.values()}
        by_pk = {role.pk: role for role in in_chunks(roles, "opportunity_id", parents)}
        for role in in_chunks(roles, "marketo_id", (key.get("Marketo ID") for key in keys)):
            by_pk.setdefault(role.pk, role)
        self.by_id: dict[Value, OpportunityPersonRole] = {role.marketo_id: role for role in by_pk.values()}
        self.by_key = {
            (role.opportunity_id, role.person_id, role.person_key, role.role): role for role in by_pk.values()
        }

    def opportunity(self, row: RowInput) -> Opportunity | None:
        """The row's opportunity. An external ID goes before a Marketo ID that looks the same."""
        name = str(row.values.get("Opportunity") or "")
        match = _MARKETO_ID.fullmatch(name.strip())
        return self.by_external.get(name) or (self.by_number.get(int(match[1])) if match else None)

    def locate(self, row: RowInput) -> models.Model | None:
        opportunity = self.opportunity(row)
        if opportunity is None and row.values.get("Opportunity"):
            row.problem("Opportunity", "there is no opportunity with this External ID or Marketo ID here.")
        marketo_id = row.values.get("Marketo ID")
        by_id = self.by_id.get(marketo_id) if marketo_id is not None else None
        key = self._key(row, opportunity)
        if by_id is None and key is None and opportunity is not None and not row.problems:
            has_role = "Role" in row.values
            row.problem(*(("Person ID", _PERSON) if has_role else ("Role", "a new role needs this column.")))
        return merge(row, by_id, self.by_key.get(key) if key else None, "person and role")

    @staticmethod
    def _key(row: RowInput, opportunity: Opportunity | None) -> tuple[int, int | None, str, str] | None:
        """Opportunity, person and role, if the row has all of them."""
        person_id, person_key = row.values.get("Person ID"), row.values.get("Person Key") or ""
        if opportunity is None or (person_id is None) == (person_key == "") or "Role" not in row.values:
            return None
        return opportunity.pk, person_id, person_key, row.values["Role"] or ""

    def link(self, instance: Any, row: RowInput) -> None:
        opportunity = self.opportunity(row)
        if opportunity is not None:
            instance.opportunity = opportunity

    def tokens(self, row: RowInput, instance: models.Model | None) -> Iterator[tuple[str, Hashable]]:
        if row.values.get("Marketo ID"):
            yield "Marketo ID", row.values["Marketo ID"]
        if key := self._key(row, self.opportunity(row)):
            yield "Role", key
        if instance is not None:
            yield "", ("pk", instance.pk)

    def clean_instance(self, instance: models.Model) -> None:
        """Do nothing: custom attributes were checked cell by cell, without a query for each row."""

    def check(self, instance: Any, row: RowInput) -> None:
        if (instance.person_id is None) == (instance.person_key == ""):
            row.problem("Person ID", _PERSON)

    def export(self, queryset: models.QuerySet[Any] | None = None, **kwargs: Any) -> Sheet:
        keyless = Opportunity.objects.filter(external_id=None).values_list("marketo_id", flat=True)
        clashing = in_chunks(Opportunity.objects.all(), "external_id", map(str, keyless))
        known = frozenset(str(opportunity.external_id) for opportunity in clashing)
        self.columns = [
            replace(column, clashing=known) if isinstance(column, OpportunityColumn) else column
            for column in self.columns
        ]
        return super().export(queryset, **kwargs)
