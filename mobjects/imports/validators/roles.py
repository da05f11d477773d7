"""Files of opportunity person roles: Marketo ID or GUID, else opportunity, person and role, say what a row means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from django.utils.translation import gettext_noop as _

from mobjects.imports.cell_parser import ParsedRow
from mobjects.imports.duplicates import SEPARATOR, UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.base import RowValidator, resolve_record
from mobjects.imports.validators.record_lookup import LEADING_VALUES, RecordLookup, StoredRecord
from mobjects.models import Opportunity, OpportunityPersonRole

_ID, _GUID, _OPPORTUNITY, _PERSON_ID, _PERSON_KEY, _ROLE = range(LEADING_VALUES, LEADING_VALUES + 6)
_SENT_AS = {"Marketo ID": "", "Marketo GUID": "", "Person Key": "Person key"}
_MARKETO_ID = re.compile(r"(?:marketo\s*id\s*:?\s*)?([0-9]{1,10})(?:\.0)?", re.IGNORECASE)
_MARKETO_GUID = re.compile(
    r"marketo\s*guid\s*:?\s*([0-9a-z-]{1,36})|([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE
)

UNKNOWN = _("there is no opportunity with this External ID, Marketo ID or Marketo GUID here.")
ONE_PERSON = _("Give the Person ID or the Person Key (exactly one of them).")
TAKEN = _("This person already has this role in this opportunity.")

RoleKey = tuple[str, str, str, str]
"""Our id of the opportunity, person ID, person key, role; all of them text."""


class ParentOpportunity(NamedTuple):
    """An opportunity."""

    pk: str
    external_id: str | None
    marketo_id: str
    marketo_guid: str | None
    name: str


class _KnownRecords:
    """What is here of what some rows mean."""

    def __init__(self) -> None:
        self.by_external: dict[str, ParentOpportunity] = {}
        self.by_number: dict[str, ParentOpportunity] = {}
        self.with_guid: dict[str, ParentOpportunity] = {}
        self.names: dict[str, str] = {}
        self.by_id: dict[str, StoredRecord] = {}
        self.by_guid: dict[str, StoredRecord] = {}
        self.by_key: dict[RoleKey, StoredRecord] = {}

    def find_parent(self, text: str) -> ParentOpportunity | None:
        """The opportunity that a cell means. An External ID goes before what Marketo calls one and looks the same."""
        return self.by_external.get(text) or self.by_number.get(_number(text)) or self.with_guid.get(_guid(text))


class RoleValidator(RowValidator):
    """Judges rows of roles."""

    noun = "role"
    model = OpportunityPersonRole
    extra_fields = ("marketo_id", "marketo_guid", "opportunity", "person_id", "person_key", "role")
    key_names: ClassVar = ("Marketo ID", "Marketo GUID", "Opportunity", "Person ID", "Person Key", "Role")
    either: ClassVar = ("Person ID", "Person Key")

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        chunk = self._chunk = _KnownRecords()
        self._find_parents(items, chunk)
        parents = [self._linked(item, chunk) for item in items]
        keys = [self._key(item, parent) for item, parent in zip(items, parents, strict=True)]
        self._find_roles(items, keys, chunk)
        records = [
            resolve_record(
                self,
                item,
                {
                    "Marketo ID": chunk.by_id.get(self.get_value(item, "Marketo ID") or ""),
                    "Marketo GUID": chunk.by_guid.get(self.get_value(item, "Marketo GUID") or ""),
                },
                chunk.by_key.get(key) if key else None,
                _("person and role"),
                lambda found: _label(_key_of(found), self._chunk.names),
            )
            for item, key in zip(items, keys, strict=True)
        ]
        for item, record in zip(items, records, strict=True):
            self.blanks.fill(item, record)
        finals = [self._final(item, record) for item, record in zip(items, records, strict=True)]
        self._find_by_key({final for final, key in zip(finals, keys, strict=True) if final and final != key}, chunk)
        for item, parent, record, final in zip(items, parents, records, finals, strict=True):
            if "" not in item.failed:
                self._check_row(item, parent, record, final)
            label = _label(self._resulting_key(item, record), chunk.names)
            key_text = SEPARATOR.join((final[3], *final[:3])) if final else ""
            yield self.build_checked_row(item, record, label, key=key_text)

    # --- finding -------------------------------------------------------------------------------------------------

    def _find_parents(self, items: Sequence[ParsedRow], chunk: _KnownRecords) -> None:
        named = {text for item in items if (text := self.get_value(item, "Opportunity"))}
        chunk.by_external = {str(each.external_id): each for each in load_opportunities("external_id", named)}
        numbers = {int(number) for text in named if text not in chunk.by_external and (number := _number(text))}
        chunk.by_number = {each.marketo_id: each for each in load_opportunities("marketo_id", numbers)}
        guids = {guid for text in named if text not in chunk.by_external and (guid := _guid(text))}
        chunk.with_guid = {str(each.marketo_guid): each for each in load_opportunities("marketo_guid", guids)}
        parents = (chunk.by_external, chunk.by_number, chunk.with_guid)
        chunk.names = {each.pk: each.name for found in parents for each in found.values()}

    def _linked(self, item: ParsedRow, chunk: _KnownRecords) -> ParentOpportunity | None:
        """The row's opportunity; its value becomes our own id. A problem is noted if it is unknown."""
        place = self.index.get("Opportunity")
        text = None if place is None else item.values[place]
        if place is None or not text:
            return None
        parent = chunk.find_parent(text)
        if parent is None:
            self.add_problem(item, "Opportunity", UNKNOWN)
        item.values[place] = parent.pk if parent else None
        return parent

    def _key(self, item: ParsedRow, parent: ParentOpportunity | None) -> RoleKey | None:
        """Opportunity, person and role, if the row has all of them."""
        person_id, person_key = self.get_value(item, "Person ID") or "", self.get_value(item, "Person Key") or ""
        if parent is None or "Role" not in self.index or bool(person_id) == bool(person_key):
            return None
        return parent.pk, person_id, person_key, self.get_value(item, "Role") or ""

    def _find_roles(self, items: Sequence[ParsedRow], keys: Iterable[RoleKey | None], chunk: _KnownRecords) -> None:
        ids = {int(value) for item in items if (value := self.get_value(item, "Marketo ID"))}
        for record in self.lookup.find_by_field("marketo_id", ids):
            chunk.by_id[record[_ID]] = chunk.by_key[_key_of(record)] = record
        guids = {value for item in items if (value := self.get_value(item, "Marketo GUID"))}
        for record in self.lookup.find_by_field("marketo_guid", guids):
            chunk.by_guid[record[_GUID]] = chunk.by_key[_key_of(record)] = record
        self._find_by_key({key for key in keys if key}, chunk)
        records = [*chunk.by_id.values(), *chunk.by_guid.values(), *chunk.by_key.values()]
        unnamed = {int(record[_OPPORTUNITY]) for record in records if record[_OPPORTUNITY] not in chunk.names}
        chunk.names.update((each.pk, each.name) for each in load_opportunities("id", unnamed))

    def _find_by_key(self, keys: Collection[RoleKey], chunk: _KnownRecords) -> None:
        by_id = {(int(pk), int(person_id), role) for pk, person_id, _, role in keys if person_id}
        by_key = {(int(pk), person_key, role) for pk, _, person_key, role in keys if person_key}
        found = self.lookup.find_by_terms(("t.opportunity_id", "t.person_id", "t.role"), by_id)
        found += self.lookup.find_by_terms(("t.opportunity_id", "t.person_key", "t.role"), by_key)
        chunk.by_key.update((_key_of(record), record) for record in found)

    # --- judging -------------------------------------------------------------------------------------------------

    def _resulting_key(self, item: ParsedRow, record: StoredRecord | None) -> RoleKey:
        """Opportunity, person and role after the import; empty where they are not known."""
        places = {"Opportunity": _OPPORTUNITY, "Person ID": _PERSON_ID, "Person Key": _PERSON_KEY, "Role": _ROLE}
        now = [
            (self.get_value(item, name) if name in self.index else record[place] if record else "") or ""
            for name, place in places.items()
        ]
        return now[0], now[1], now[2], now[3]

    def _final(self, item: ParsedRow, record: StoredRecord | None) -> RoleKey | None:
        """The key after the import, if the row has one and what it is made of can be read."""
        now = self._resulting_key(item, record)
        broken = not item.failed.isdisjoint(("", "Opportunity", "Person ID", "Person Key", "Role"))
        return None if broken or not now[0] or bool(now[1]) == bool(now[2]) else now

    def _check_row(
        self, item: ParsedRow, parent: ParentOpportunity | None, record: StoredRecord | None, final: RoleKey | None
    ) -> None:
        self.check_required(item, record)
        if record is None and parent is not None and "Role" not in self.index:
            self.add_problem(item, "Role", _("a new role needs this column."))
            return
        now = self._resulting_key(item, record)
        has_person = "Person ID" in self.index or "Person Key" in self.index
        said = record or parent or has_person
        if said and bool(now[1]) == bool(now[2]) and item.failed.isdisjoint(("Person ID", "Person Key")):
            self.add_problem(item, "Person ID", ONE_PERSON)
        other = self._chunk.by_key.get(final) if final and not item.failed else None
        if other is not None and record is not None and other[0] != record[0]:
            self.add_problem(item, "", TAKEN)

    def unique_rules(self) -> list[UniqueRule]:
        rules = [UniqueRule("key", "Role", self.column_position("Role"))]
        ids = [
            UniqueRule(field, name, self.column_position(name))
            for field, name in (("marketo_id", "Marketo ID"), ("marketo_guid", "Marketo GUID"))
            if name in self.index
        ]
        # The last: one row may mean a role by its ID, and another the same one by the key that the first changes.
        return [*ids, *rules, UniqueRule("record_id")] if ids else rules

    # --- conflicts -----------------------------------------------------------------------------------------------

    def accepted_name(self, place: int) -> str:
        name = self.written[place].name
        return _SENT_AS.get(name, name)

    def as_sent(self, place: int, text: str) -> str:
        return f"our no. {text}" if self.written[place].name == "Opportunity" else super().as_sent(place, text)

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        for name, text in super().unsent_values(item, record, changed, accepted):
            yield name, self._chunk.names.get(text, text) if name == "Opportunity" else text


def load_opportunities(field: str, values: Collection[str] | Collection[int]) -> list[ParentOpportunity]:
    """The opportunities whose field has one of some values."""
    further = ("external_id", "marketo_id", "marketo_guid", "name")
    found = RecordLookup(Opportunity, further, []).find_by_field(field, values)
    return [ParentOpportunity(str(pk), key, number or "", guid, name) for pk, _, _, key, number, guid, name in found]


def _number(text: str) -> str:
    match = _MARKETO_ID.fullmatch(text.strip())
    return str(int(match[1])) if match else ""


def _guid(text: str) -> str:
    match = _MARKETO_GUID.fullmatch(text.strip())
    return (match[1] or match[2]).lower() if match else ""


def _key_of(record: StoredRecord) -> RoleKey:
    return record[_OPPORTUNITY], record[_PERSON_ID] or "", record[_PERSON_KEY], record[_ROLE]


def _label(key: RoleKey, names: Mapping[str, str]) -> str:
    """A role as it is shown; the same words as of the model."""
    pk, person_id, person_key, role = key
    return _("%(role)s of %(person)s in %(opportunity)s") % {
        "role": role or "Role",
        "person": f"person {person_id or person_key}",
        "opportunity": names.get(pk, "…"),
    }
