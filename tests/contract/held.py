"""What Marketo holds, looked at past its APIs: in the sandbox, or in the Marketo in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from mobjects.marketo.types import Kind, LinkTarget, MarketoId
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.fields import OPPORTUNITY_KEY
from mobjects.sandbox.state import StoredObject
from tests.support.guid_transport import KEY, GuidMarketo

CostHeld = tuple[date, Decimal, str]


class RoleEnds(NamedTuple):
    """What a role connects: what its opportunity is called or found by, and the person's id."""

    opportunity: int | str
    person: int


class Held(Protocol):
    """What all of them can be asked."""

    @property
    def calls(self) -> int:
        """How many calls came in."""
        ...

    def ids(self, kind: Kind) -> set[MarketoId]:
        """What the objects of a kind are called."""
        ...

    def values(self, called: MarketoId) -> dict[str, str]:
        """The values of an opportunity, its key and its company aside."""
        ...

    def company(self, called: MarketoId) -> int:
        """The id of an opportunity's company."""
        ...

    def role_ends(self, called: MarketoId) -> RoleEnds:
        """What a role connects."""
        ...

    def costs(self, number: int) -> list[CostHeld]:
        """Month, amount and note of each cost of a program."""
        ...

    def tags(self, number: int) -> dict[str, str]:
        """The tags of a program, the channel among them."""
        ...


@dataclass
class SandboxHeld:
    """In the sandbox, where an object has a number and a GUID; asked by GUID it tells GUIDs."""

    sandbox: SandboxServer
    by_guid: bool

    @property
    def calls(self) -> int:
        return len(self.sandbox.calls)

    def ids(self, kind: Kind) -> set[MarketoId]:
        return {each.guid if self.by_guid else each.id for each in self.sandbox.store.objects[kind].values()}

    def values(self, called: MarketoId) -> dict[str, str]:
        values = self._stored(Kind.OPPORTUNITY, called).values
        return {name: text for name, text in values.items() if name not in (OPPORTUNITY_KEY, "CompanyId")}

    def company(self, called: MarketoId) -> int:
        return int(self._stored(Kind.OPPORTUNITY, called).values["CompanyId"])

    def role_ends(self, called: MarketoId) -> RoleEnds:
        values = self._stored(Kind.ROLE, called).values
        deal = self._stored(Kind.OPPORTUNITY, int(values["OpportunityId"]))
        return RoleEnds(deal.values.get(OPPORTUNITY_KEY, "") if self.by_guid else deal.id, int(values["PersonId"]))

    def costs(self, number: int) -> list[CostHeld]:
        costs = self.sandbox.store.programs[number].costs.values()
        return [(cost.month, Decimal(cost.amount), cost.note) for cost in costs]

    def tags(self, number: int) -> dict[str, str]:
        program = self.sandbox.store.programs[number]
        return {**program.tags, "Channel": program.channel}

    def _stored(self, kind: Kind, called: MarketoId) -> StoredObject:
        store = self.sandbox.store
        found = store.objects[kind][called] if isinstance(called, int) else store.find_by_guid(kind, called)
        assert found is not None
        return found


@dataclass
class MemoryHeld:
    """In the Marketo in memory."""

    marketo: GuidMarketo
    companies: dict[str, int]

    @property
    def calls(self) -> int:
        return self.marketo.calls

    def ids(self, kind: Kind) -> set[MarketoId]:
        return {each.marketo_id for each in self.marketo.kept(kind)}

    def values(self, called: MarketoId) -> dict[str, str]:
        return {name: text for name, text in self.marketo.objects[called].values.items() if name != KEY}

    def company(self, called: MarketoId) -> int:
        (link,) = self.marketo.objects[called].associations
        return self.companies[link.key.value] if link.key else int(link.id or 0)

    def role_ends(self, called: MarketoId) -> RoleEnds:
        links = {link.link: link for link in self.marketo.objects[called].associations}
        key = links[LinkTarget.OPPORTUNITY].key
        return RoleEnds(key.value if key else "", int(links[LinkTarget.LEAD].id or 0))

    def costs(self, number: int) -> list[CostHeld]:
        return [(cost.month, cost.amount, cost.note) for cost in self.marketo.objects[number].costs]

    def tags(self, number: int) -> dict[str, str]:
        return {tag.type: tag.value for tag in self.marketo.objects[number].tags}
