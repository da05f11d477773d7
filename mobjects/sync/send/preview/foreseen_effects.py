"""What an operation does to a record in Marketo, by what is known of it here: for one record, and as conditions in SQL.

INSERT skips what Marketo has, UPDATE what it does not have. Over each API Marketo finds a record by what it is called
there or by its key, if records of the kind have one.
"""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from mobjects.marketo.types import Kind, Operation
from mobjects.models import Opportunity, OpportunityPersonRole, SyncedRecord
from mobjects.sync.content.payload import KeyFields, is_replaced
from mobjects.sync.send.naming.key_conditions import has_changed_key
from mobjects.sync.send.selection import has_id

_NOTHING_KNOWN = Q(accepted={})


class PlannedEffect(StrEnum):
    """What a sending would do to a record."""

    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    SKIP = "skip"
    NOTHING = "nothing"
    HELD = "held"


SKIP_REASONS = {
    Operation.INSERT: _("Marketo has it already, and INSERT skips what it has."),
    Operation.UPDATE: _(
        "As far as is known here, Marketo does not have it, and UPDATE skips what Marketo does not have. If it has one "
        "with this key, that is changed."
    ),
}
"""Why Marketo would skip a record, by the operation."""


def is_found_by_key(record: SyncedRecord, keys: KeyFields) -> bool:
    """Whether Marketo finds a record that is sent without an ID."""
    if isinstance(record, OpportunityPersonRole):
        return keys.traits.role_is_key
    return isinstance(record, Opportunity) and bool(keys.opportunity and record.external_id)


def find_effect(record: SyncedRecord, operation: Operation, keys: KeyFields) -> PlannedEffect:
    """What sending a record under an operation does, if nothing holds it back."""
    if isinstance(record, OpportunityPersonRole) and is_replaced(record, keys):
        return PlannedEffect.REPLACE
    named = keys.id_of(record) is not None
    if operation is Operation.UPDATE:
        return PlannedEffect.CHANGE if named or record.accepted else PlannedEffect.SKIP
    if not named and not (record.accepted and is_found_by_key(record, keys)):
        return PlannedEffect.CREATE
    return PlannedEffect.SKIP if operation is Operation.INSERT else PlannedEffect.CHANGE


def would_be_created(kind: Kind, keys: KeyFields) -> Q:
    """The condition on records with their ``wire_operation`` that :func:`find_effect` says "create"."""
    return ~Q(wire_operation=Operation.UPDATE.value) & ~_is_there(kind, keys)


def would_be_skipped(kind: Kind, keys: KeyFields) -> Q:
    """The condition on records with their ``wire_operation`` that :func:`find_effect` says "skip"."""
    there = _is_there(kind, keys) & ~has_changed_key(keys) if kind is Kind.ROLE else _is_there(kind, keys)
    unknown = ~has_id(kind, keys) & _NOTHING_KNOWN
    return (Q(wire_operation=Operation.INSERT.value) & there) | (Q(wire_operation=Operation.UPDATE.value) & unknown)


def _is_there(kind: Kind, keys: KeyFields) -> Q:
    """Whether Marketo has a record, and finds it by what is sent of it."""
    if kind is Kind.ROLE:
        by_key = Q() if keys.traits.role_is_key else Q(pk__in=[])
    else:
        by_key = Q(external_id__isnull=False) if kind is Kind.OPPORTUNITY and keys.opportunity else Q(pk__in=[])
    return has_id(kind, keys) | (by_key & ~_NOTHING_KNOWN)
