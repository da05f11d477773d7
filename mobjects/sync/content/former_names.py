"""The key field of opportunities in values that were accepted or sent over another API, which calls it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mobjects.marking import gettext_noop as _
from mobjects.models import Opportunity, SyncedRecord

UNKNOWN_VALUE = _("(not known)")
"""Stands among the accepted values for one that was sent without an answer, or that only another API knew."""


@dataclass(frozen=True, slots=True)
class OpportunityKey:
    """What the key field of opportunities is called.

    What is accepted over the API in use names that field, be it empty or not known, where it names one of ``former``
    as well: so a custom field that was the key over another API is told from the key itself.

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

    @property
    def others(self) -> list[str]:
        """The former names that mean another field."""
        same = self.same
        return [name for name in self.former if name not in same]

    def rename_key(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """Values that were kept of an opportunity, the key under its name of now where it is the same field."""
        name = next((name for name in self.same if name in values), "")
        if not name or self.opportunity in values:
            return values
        return {self.opportunity if each == name else each: text for each, text in values.items()}

    def accepted_of(self, record: SyncedRecord) -> Mapping[str, str]:
        """What Marketo last accepted of a record, its key under the name of now: not known if it was another field.

        That one keeps its value in Marketo: nobody emptied it here. It is left out unless it has a value here.
        """
        if not isinstance(record, Opportunity) or not any(name in record.accepted for name in self.former):
            return record.accepted  # type: ignore[no-any-return]
        accepted = self.rename_key(record.accepted)
        left_out = self.same
        if elsewhere := self._has_key_elsewhere(accepted):
            left_out += [name for name in self.others if record.custom_attributes.get(name) in (None, "")]
        kept = {name: text for name, text in accepted.items() if name not in left_out}
        # Without a key here nothing is to be sent as one, and nothing emptied.
        unknown = elsewhere and self.opportunity and record.external_id
        return {**kept, self.opportunity: UNKNOWN_VALUE} if unknown else kept

    def kept_of(self, record: SyncedRecord) -> dict[str, str]:
        """The accepted values to go on from when more are accepted."""
        # Without a key field here, the other API's is still what says it.
        return dict(self.accepted_of(record) if self.opportunity else record.accepted)

    def merge_base(self, record: SyncedRecord) -> Mapping[str, str]:
        """The accepted values to compare with what was read: a key that is not known counts as not accepted."""
        accepted = self.accepted_of(record)
        if accepted.get(self.opportunity) != UNKNOWN_VALUE:
            return accepted
        return {name: text for name, text in accepted.items() if name != self.opportunity}

    def mark_empty(self, accepted: Mapping[str, str]) -> dict[str, str]:
        """Values that Marketo holds of an opportunity; an empty key is named where another API's key field is."""
        named = {self.opportunity: ""} if self.opportunity and self._has_key_elsewhere(accepted) else {}
        return {**accepted, **named}

    def is_key_unknown(self, record: SyncedRecord) -> bool:
        """Whether nobody knows what Marketo holds as the key of a record that it has accepted."""
        return self.accepted_of(record).get(self.opportunity) == UNKNOWN_VALUE

    def _has_key_elsewhere(self, accepted: Mapping[str, str]) -> bool:
        """Whether values name another field that was the key, and not the key of now."""
        return self.opportunity not in accepted and any(name in accepted for name in self.others)
