"""The key field of opportunities in values that were accepted or sent over another API, which calls it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mobjects.models import Opportunity, SyncedRecord


@dataclass(frozen=True, slots=True)
class OpportunityKey:
    """What the key field of opportunities is called.

    Args:
        opportunity: its API name; empty where none is configured.
        former: other names under which it may stand in kept values: that of another API, or that of the settings
            where the API in use has a rule of its own.
    """

    opportunity: str = ""
    former: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def same(self) -> list[str]:
        """The former names that mean the very same field, with another case of a letter."""
        return [name for name in self.former if name.casefold() == self.opportunity.casefold()]

    def rename_key(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """Values that were kept of an opportunity, the key under its name of now where it is the same field."""
        name = next((name for name in self.same if name in values), "")
        if not name or self.opportunity in values:
            return values
        return {self.opportunity if each == name else each: text for each, text in values.items()}

    def former_names(self, record: SyncedRecord) -> list[str]:
        """The former names among the accepted values of a record; what is a custom field of its own is none."""
        if not isinstance(record, Opportunity):
            return []
        return [name for name in self.former if name in record.accepted and name not in record.custom_attributes]

    def accepted_of(self, record: SyncedRecord) -> Mapping[str, str]:
        """What Marketo last accepted of a record; its key under the name of now, or left out if it was another field.

        Another field keeps its value in Marketo: nobody emptied it here.
        """
        accepted: Mapping[str, str] = record.accepted
        former = self.former_names(record)
        if not former:
            return accepted
        return {name: text for name, text in self.rename_key(accepted).items() if name not in former}

    def is_key_unknown(self, record: SyncedRecord) -> bool:
        """Whether Marketo accepted a record under another field than the key of now, whose value is not known so."""
        return bool(self.former_names(record)) and self.opportunity not in self.accepted_of(record)
