"""What this Marketo holds: programs, opportunities, roles, people, companies, tags, channels.

One lock guards it all. Whoever reads or changes more than one thing holds ``store.lock``
for the whole of it; the methods here do not take it by themselves.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from threading import RLock
from uuid import UUID, uuid5

from mobjects.sandbox.clock import SandboxClock
from mobjects.sandbox.fields import COMPANY, LEAD, OPPORTUNITY, PROGRAM, ROLE, SEARCHABLE, is_custom_field

KeyPair = tuple[str, str]
"""An external key: field name and value."""

# High and round, so that an id in a log shows at a glance what it belongs to.
FIRST_OPPORTUNITY_ID = 500_001
FIRST_ROLE_ID = 800_001
FIRST_COST_ID = 3_001


_GUIDS = UUID("6f1b3c52-0d0e-4c6a-9a53-2f6d6f7a6b58")


def make_guid(kind: str, id_: int) -> str:
    """The GUID that goes with an object's id."""
    return str(uuid5(_GUIDS, f"{kind}/{id_}"))


@dataclass(slots=True)
class StoredObject:
    """An opportunity or a role; values are text as received, cleared fields are absent.

    SOAP knows it by ``id``, REST by ``guid``.
    """

    type: str
    id: int
    created_at: datetime
    updated_at: datetime
    values: dict[str, str]

    @property
    def guid(self) -> str:
        """The ``marketoGUID``, 36 characters; the same for the same kind and id in every sandbox."""
        return make_guid(self.type, self.id)


@dataclass(frozen=True, slots=True)
class StoredCost:
    """One period cost; ``amount`` is the text as received."""

    id: int
    month: date
    amount: str
    note: str = ""

    def means_same_as(self, other: StoredCost) -> bool:
        """Equal in meaning: ``2000`` is ``2000.00``."""
        same = (self.id, self.month, self.note) == (other.id, other.month, other.note)
        return same and Decimal(self.amount) == Decimal(other.amount)


@dataclass(slots=True)
class StoredProgram:
    """A program. ``tags`` holds one value per tag type; the channel stands apart."""

    id: int
    name: str
    type: str
    workspace_id: int
    workspace_name: str
    channel: str
    created_at: datetime
    updated_at: datetime
    crm_id: str = ""
    tree_path: str = ""
    description: str = ""
    is_archived: bool = False
    start: datetime | None = None
    end: datetime | None = None
    costs: dict[int, StoredCost] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredParty:
    """A person or a company; ``values`` include the external key."""

    id: int
    name: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProgressionStatus:
    """One step of a channel; ``extra`` holds Check-in Status or Webinar Behavior where Marketo gives one."""

    status: str
    step: int
    success: bool = False
    extra: tuple[KeyPair, ...] = ()


class SandboxStore:
    """The state of one sandbox. See the module's text about the lock."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.lock = RLock()
        self.clock = clock or SandboxClock()
        self.clear()

    def clear(self) -> None:
        """Forget everything; ids start over."""
        self.programs: dict[int, StoredProgram] = {}
        self.objects: dict[str, dict[int, StoredObject]] = {OPPORTUNITY: {}, ROLE: {}}
        self.parties: dict[str, dict[int, StoredParty]] = {LEAD: {}, COMPANY: {}}
        self.tags: dict[str, list[str]] = {}
        self.required_tags: set[str] = set()
        self.channels: dict[str, list[ProgressionStatus]] = {}
        # Which type of program a channel is for, and a tag type, where it is not for all.
        self.channel_types: dict[str, str] = {}
        self.tag_program_types: dict[str, list[str]] = {}
        self._next_id = {OPPORTUNITY: FIRST_OPPORTUNITY_ID, ROLE: FIRST_ROLE_ID, "Cost": FIRST_COST_ID}
        self._by_key: dict[tuple[str, KeyPair], set[int]] = {}
        self._by_guid: dict[tuple[str, str], int] = {}

    def snapshot(self) -> SandboxStore:
        """A store of its own that holds what this one holds now."""
        copied = SandboxStore(self.clock)
        kept = {name: value for name, value in vars(self).items() if name not in ("lock", "clock")}
        vars(copied).update(copy.deepcopy(kept))
        return copied

    @property
    def opportunities(self) -> dict[int, StoredObject]:
        return self.objects[OPPORTUNITY]

    @property
    def roles(self) -> dict[int, StoredObject]:
        return self.objects[ROLE]

    @property
    def persons(self) -> dict[int, StoredParty]:
        return self.parties[LEAD]

    @property
    def companies(self) -> dict[int, StoredParty]:
        return self.parties[COMPANY]

    def new_id(self, kind: str) -> int:
        """The next id of an object kind or of ``Cost``; never given twice, not even after a delete."""
        value = self._next_id[kind]
        self._next_id[kind] = value + 1
        return value

    def exists(self, kind: str, id_: int) -> bool:
        """Whether there is such an object, person (``Lead``), company or program."""
        if kind == PROGRAM:
            return id_ in self.programs
        return id_ in self.objects.get(kind, self.parties.get(kind, {}))

    def newest_by_key(self, kind: str, key: KeyPair) -> int | None:
        """The id that an external key leads to.

        Keys are not unique: the object added last wins (Adobe's syncMObjects page). A key
        named after no custom field leads nowhere (seen with a production connector).
        """
        if kind in self.objects and not is_custom_field(kind, key[0]):
            return None
        return max(self.find_ids(kind, *key), default=None)

    def find_ids(self, kind: str, name: str, value: str) -> list[int]:
        """Who has this value, oldest first.

        Args:
            name: a custom field or a reference of an opportunity or role, or any field of a person or company.
        """
        return sorted(self._by_key.get((kind, (name, value)), ()))

    def find_by_guid(self, kind: str, guid: str) -> StoredObject | None:
        """The opportunity or role with this ``marketoGUID``, read without case and blanks around it."""
        return self.objects[kind].get(self._by_guid.get((kind, guid.strip().lower()), 0))

    def add_party(self, kind: str, party: StoredParty) -> None:
        """Take in a person (``Lead``) or a company."""
        self.parties[kind][party.id] = party
        for key in party.values.items():
            self._by_key.setdefault((kind, key), set()).add(party.id)

    def create_object(self, kind: str, values: Mapping[str, str]) -> StoredObject:
        """Add an opportunity or a role under a new id."""
        now = self.clock.now()
        created = StoredObject(kind, self.new_id(kind), now, now, {})
        self.objects[kind][created.id] = created
        self._by_guid[kind, created.guid] = created.id
        self.replace_values(created, values)
        return created

    def replace_values(self, stored: StoredObject, values: Mapping[str, str]) -> None:
        """Set all values of an object; empty ones are dropped."""
        self._unindex(stored)
        stored.values = {name: text for name, text in values.items() if text != ""}
        stored.updated_at = self.clock.now()
        for key in self._keys(stored):
            self._by_key.setdefault((stored.type, key), set()).add(stored.id)

    def delete_object(self, kind: str, id_: int) -> bool:
        """Remove an opportunity or a role; ``False`` if there is none. Roles of an opportunity stay, orphaned."""
        stored = self.objects[kind].pop(id_, None)
        if stored is None:
            return False
        self._unindex(stored)
        return True

    def _keys(self, stored: StoredObject) -> list[KeyPair]:
        return [(name, stored.values[name]) for name in SEARCHABLE[stored.type] if name in stored.values]

    def _unindex(self, stored: StoredObject) -> None:
        for key in self._keys(stored):
            self._by_key.get((stored.type, key), set()).discard(stored.id)
