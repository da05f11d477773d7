"""Which of the objects that a look-up found may be the one that was sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mobjects.marketo.types import Kind, LinkTarget, MarketoId, RemoteObject
from mobjects.models import SyncedRecord, records_of_kind
from mobjects.models.program import COST_PREFIX
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.conflicts.both_changed import candidate
from mobjects.sync.content.cost_matching import format_cost
from mobjects.sync.content.cost_sending import find_lost_texts
from mobjects.sync.content.from_marketo import RemoteContent, find_association
from mobjects.sync.content.payload import OPPORTUNITY, PERSON_ID, PERSON_KEY, KeyFields


def group_by_name(found: Sequence[RemoteObject]) -> dict[str, list[RemoteObject]]:
    """Opportunities by their name."""
    result: dict[str, list[RemoteObject]] = defaultdict(list)
    for each in found:
        result[each.values.get("Name", "")].append(each)
    return result


def with_sent(
    record: SyncedRecord, accepted: Mapping[str, str], sent: Mapping[str, str], found: RemoteObject, keys: KeyFields
) -> SyncedRecord:
    """The record as a look-up compares it: a cost that was edited since is found by what was sent of it.

    Args:
        record: gets other accepted values.
        accepted: what Marketo had accepted before.
        sent: what was sent without an answer.
        found: what is compared with it.
    """
    if record.KIND is Kind.PROGRAM and not keys.traits.has_cost_ids:
        others = {name: text for name, text in sent.items() if not name.startswith(COST_PREFIX)}
        record.accepted = {**accepted, **others, **find_lost_texts(found.costs, accepted, sent)}
    else:
        record.accepted = {**sent, **{name: text for name, text in accepted.items() if name not in sent}}
    return record


def free_objects(found: Sequence[RemoteObject], record: SyncedRecord, keys: KeyFields) -> list[RemoteObject]:
    """Those that no other local record is known to be."""
    taken = _ids_of(_owners(found, record, keys), record, keys)
    return [each for each in found if each.marketo_id not in taken]


def late_copies(found: Sequence[RemoteObject], record: SyncedRecord, keys: KeyFields) -> list[RemoteObject]:
    """Those that came here, by import for example, only after the record was sent: they may be what was sent."""
    if record.unknown_since is None:
        return []
    late = _ids_of(_owners(found, record, keys).filter(created_at__gt=record.unknown_since), record, keys)
    return [each for each in found if each.marketo_id in late]


def _owners(found: Sequence[RemoteObject], record: SyncedRecord, keys: KeyFields) -> SyncedQuerySet:
    """The other local records that are known to be one of them."""
    known = {f"{keys.id_column(record.KIND)}__in": [each.marketo_id for each in found]}
    return records_of_kind(record.KIND).filter(**known).exclude(pk=record.pk)


def _ids_of(owners: SyncedQuerySet, record: SyncedRecord, keys: KeyFields) -> set[MarketoId]:
    return set(owners.values_list(keys.id_column(record.KIND), flat=True))


def may_be_role(seen: RemoteContent, sent: Mapping[str, str]) -> bool:
    """Whether a role can be the one that was sent: same opportunity, same part, and perhaps the same person."""
    same_role = seen.values.get(OPPORTUNITY) == sent.get(OPPORTUNITY) and seen.values.get("Role", "") == sent.get(
        "Role", ""
    )
    person = seen.values.get(PERSON_ID)
    return same_role and (person is None or PERSON_ID not in sent or person == sent[PERSON_ID])


def agrees_with(found: RemoteObject, seen: RemoteContent, sent: Mapping[str, str]) -> bool:
    """Whether an object holds exactly what was sent. A person sent by key and read by id cannot be compared."""
    person = find_association(found, LinkTarget.LEAD)
    if not sent or (PERSON_KEY in sent and (person is None or person.key is None)):
        return False
    return all(seen.values.get(name, "") == text for name, text in sent.items())


def as_candidate(found: RemoteObject, seen: RemoteContent) -> dict[str, Any]:
    """An object as a conflict keeps it, with the costs that are not known here."""
    return candidate(found, seen.values | {f"Cost {cost.id}": format_cost(cost) for cost in seen.costs.new})
