"""Records as the members of a call's ``input``, and which of them may go in one call.

Adobe's developer pages: ``createOnly`` and ``createOrUpdate`` find an object by its key fields, only ``updateOnly``
may find it by GUID instead; ``null`` clears a field; key fields cannot be changed; the same object twice in a call is
refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.field_catalogue import InstanceField, ObjectFields
from mobjects.marketo.rest.lead_database.json_values import JsonValue, ValueWriter, to_json, writer_for
from mobjects.marketo.types import Kind, LinkTarget, Operation, OutgoingRecord, RecordAssociation
from mobjects.marketo.value_text import to_text
from mobjects.marking import gettext_noop as _


class Action(StrEnum):
    """What a call asks Marketo to do with each of its records."""

    CREATE = "createOnly"
    UPDATE = "updateOnly"
    UPSERT = "createOrUpdate"


_ACTIONS = {Operation.INSERT: Action.CREATE, Operation.UPDATE: Action.UPDATE, Operation.UPSERT: Action.UPSERT}

PartyName = Callable[[RecordAssociation], JsonValue]
"""What REST calls a person or a company; raises ValueError with the reason where it cannot be told."""


class FieldRefused(ValueError):
    """The instance does not take a field, whatever its value."""


@dataclass(slots=True)
class RecordInput:
    """One record of a call.

    Args:
        position: in the batch.
        action: of the call it belongs to.
        guid: by which Marketo finds it; ``None`` if by its key fields.
        body: as sent.
        key: its key fields, to tell records apart.
    """

    position: int
    action: Action
    guid: str | None
    body: dict[str, JsonValue]
    key: tuple[str, ...]


def goes_by_guid(record: OutgoingRecord, operation: Operation) -> bool:
    """Whether Marketo finds a record by its GUID. INSERT is by key: Marketo then says that there is one already."""
    return record.marketo_id is not None and operation is not Operation.INSERT and not record.replaced


def opportunity_key(record: OutgoingRecord) -> str:
    """The external id of an opportunity, or of a role's opportunity; "" if it has none."""
    if record.kind is Kind.ROLE:
        link = find_link(record, LinkTarget.OPPORTUNITY)
        return link.key.value if link and link.key else ""
    if record.external_key is not None:
        return record.external_key.value
    return to_text(record.values.get(paths.OPPORTUNITY_KEY))


def find_link(record: OutgoingRecord, to: LinkTarget) -> RecordAssociation | None:
    """A record's link to another object."""
    return next((each for each in record.associations if each.link is to), None)


class InputBuilder:
    """Makes inputs of records of one kind.

    Args:
        fields: those of the instance.
        operation: of the batch.
        party_name: names persons and companies.
    """

    def __init__(self, fields: ObjectFields, operation: Operation, party_name: PartyName) -> None:
        self._writers: dict[str, tuple[InstanceField, ValueWriter]] = {}
        self._fields, self._operation, self._party_name = fields, operation, party_name
        self._key_names = frozenset({paths.OPPORTUNITY_KEY} | ({"Role"} if fields.kind is Kind.ROLE else set()))

    def build_input(self, position: int, record: OutgoingRecord) -> RecordInput:
        """The input for one record.

        Raises:
            ValueError: it cannot be sent; says why.
        """
        if goes_by_guid(record, self._operation):
            guid = str(record.marketo_id)
            body: dict[str, JsonValue] = {paths.GUID: guid}
            self._fill_values(body, record)
            return RecordInput(position, Action.UPDATE, guid, body, (guid,))
        body = self._key(record)
        key = tuple([str(part).strip().casefold() for part in body.values()])
        self._fill_values(body, record)
        action = Action.UPSERT if record.replaced else _ACTIONS[self._operation]
        return RecordInput(position, action, None, body, key)

    def _key(self, record: OutgoingRecord) -> dict[str, JsonValue]:
        key: dict[str, JsonValue] = {paths.OPPORTUNITY_KEY: opportunity_key(record)}
        if record.kind is Kind.ROLE:
            lead = find_link(record, LinkTarget.LEAD)
            key[paths.LEAD_ID] = self._party_name(lead) if lead else None
            key[paths.ROLE_NAME] = to_text(record.values.get("Role"))
        for name, value in key.items():
            field = self._fields.by_name.get(name)
            if field is not None and field.size is not None and isinstance(value, str) and len(value) > field.size:
                to_json(value, field)
        return key

    def _fill_values(self, body: dict[str, JsonValue], record: OutgoingRecord) -> None:
        writers, key_names, name = self._writers, self._key_names, ""
        try:
            for name, value in record.values.items():
                if name not in key_names:
                    field, write = writers.get(name) or self._find_writer(name)
                    # Its truth first: comparing a decimal with a text takes as long as writing it.
                    body[field.name] = write(value, field) if value or not (value is None or value == "") else None
        except FieldRefused:
            raise
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if record.associations and record.kind is Kind.OPPORTUNITY:
            company = find_link(record, LinkTarget.COMPANY)
            body[paths.COMPANY_KEY] = self._party_name(company) if company else None

    def _find_writer(self, name: str) -> tuple[InstanceField, ValueWriter]:
        field = self._fields.find_field(name)
        if field is None:
            raise FieldRefused(self._fields.explain_missing(name))
        if not field.updateable:
            raise FieldRefused(_("the Marketo instance does not let “%(name)s” be changed") % {"name": name})
        self._writers[name] = field, writer_for(field)
        return self._writers[name]


def group_calls(inputs: Iterable[RecordInput]) -> list[list[RecordInput]]:
    """Inputs by the call they go in: one action, one way of finding objects, no object twice."""
    groups: dict[tuple[int, Action, bool], list[RecordInput]] = defaultdict(list)
    seen: Counter[tuple[str, ...]] = Counter()
    for each in inputs:
        groups[seen[each.key], each.action, each.guid is not None].append(each)
        seen[each.key] += 1
    return [groups[name] for name in sorted(groups, key=lambda name: name[0])]


def call_body(inputs: list[RecordInput]) -> dict[str, object]:
    """The body of a call with these inputs."""
    by = "idField" if inputs[0].guid is not None else "dedupeFields"
    return {"action": inputs[0].action.value, "dedupeBy": by, "input": [each.body for each in inputs]}
