"""What differs between Marketo's APIs and is known without a call: nothing above has to know which is in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from mobjects.marketo.types import Kind
from mobjects.marking import gettext_noop as _


class IdKind(StrEnum):
    """What an object is called in Marketo; the values are what people read."""

    NUMBER = _("Marketo ID")
    GUID = _("Marketo GUID")


@dataclass(frozen=True, slots=True)
class TransportTraits:
    """The ways of one API. What an instance allows beyond that is learned by calling it.

    Args:
        id_kinds: what the objects of a kind are called; kinds left out have numbers.
        opportunity_key: the attribute that is the key of opportunities, whatever the settings say; "" where the
            settings choose it.
        company_key: the same for companies that opportunities name.
        needs_opportunity_key: whether an opportunity without a Marketo id can only be sent under that key.
        roles_name_opportunity_by_key: whether a role names its opportunity by key; by Marketo id otherwise.
        role_is_key: whether a role's opportunity, person and role name are its key: all are required, and changing
            one makes another object.
        unset_is_false: whether a yes or no that was never set reads as no; it reads as nothing otherwise.
        has_cost_ids: whether Marketo tells ids of costs, by which they are changed later.
        whole_costs: whether the amounts of costs have no decimals.
        removes_costs, removes_tags: whether what was removed here can be removed in Marketo too.
        tells_archived: whether archived programs are told from others; all are found otherwise.
        listed: kinds that can be read without naming objects, by time for example.
        tells_calls: whether Marketo tells how many calls all integrations have made today.
        calls_to_a_batch: how many calls a batch of a kind takes at least; kinds left out take one.
        named_to_a_query: how many ids or keys one query may name.
        calls_a_day: how many calls Marketo allows a day, to all its callers, where no contract says otherwise.
    """

    id_kinds: Mapping[Kind, IdKind] = field(default_factory=lambda: MappingProxyType({}))
    opportunity_key: str = ""
    company_key: str = ""
    needs_opportunity_key: bool = False
    roles_name_opportunity_by_key: bool = False
    role_is_key: bool = False
    unset_is_false: bool = False
    has_cost_ids: bool = True
    whole_costs: bool = False
    removes_costs: bool = False
    removes_tags: bool = False
    tells_archived: bool = True
    listed: frozenset[Kind] = frozenset(Kind)
    tells_calls: bool = False
    calls_to_a_batch: Mapping[Kind, int] = field(default_factory=lambda: MappingProxyType({}))
    named_to_a_query: int = 1
    calls_a_day: int = 10_000

    def id_kind(self, kind: Kind) -> IdKind:
        """What objects of a kind are called in Marketo."""
        return self.id_kinds.get(kind, IdKind.NUMBER)


DEFAULT_TRAITS = TransportTraits()
"""Numbers, keys by the settings, everything can be listed."""
