"""What a row of an import changed, under the names and in the texts that edits are kept in."""

from __future__ import annotations

from collections.abc import Iterable

from mobjects.marketo.attributes import OUR_NUMBER_PREFIX, entry_name
from mobjects.marketo.types import Kind
from mobjects.models import ImportChange, ImportRow, ProgramTag
from mobjects.models.program import COST_PREFIX, TAG_PREFIX

ValueChange = tuple[str, str, str]
"""The name of a value, what it was, what it became; "" is empty, or not there."""

COSTS, TAGS = "program-costs", "program-tags"
CUSTOM = "custom_attributes"
_COST_FIELDS = {"month": "month", "amount": "amount", "note": "note", "marketo_cost_id": "Marketo cost ID"}
_LINKS = {"program_id": "", "opportunity_id": "opportunity"}
"""Columns of links; that of a part to its program is no value."""


def rows_of_changes(changes: Iterable[ImportChange]) -> dict[tuple[int, int], ImportRow]:
    """The rows of files that some changes came from, by import and number; one query."""
    wanted = [(change.imported_id, change.number) for change in changes]
    return {row.pk: row for row in ImportRow.objects.filter(pk__in=wanted)} if wanted else {}


def tag_types(changes: Iterable[ImportChange]) -> dict[int, str]:
    """The types of the tags that some changes are about, by our id; at most one query."""
    ids = [change.record_id for change in changes if change.imported.kind == TAGS and change.record_id is not None]
    return dict(ProgramTag.objects.filter(pk__in=ids).values_list("pk", "type")) if ids else {}


def import_values(change: ImportChange, row: ImportRow, types: dict[int, str]) -> list[ValueChange]:
    """The values that a row of an import changed.

    Of a cost that was there already each field stands for itself, because the row does not hold the others.

    Args:
        change: with its import.
        row: of the same import and number.
        types: of tags that are still here, by our id.
    """
    if change.record_id is not None and change.imported.kind == COSTS:
        return _cost_values(change, row)
    if change.record_id is not None and change.imported.kind == TAGS:
        type_ = row.data.get("type") or types.get(change.record_id, row.label)
        return [
            (f"{TAG_PREFIX}{type_}", row.old.get("value") or "", row.data.get("value") or row.old.get("value") or "")
        ]
    values: list[ValueChange] = []
    for name, new in row.data.items():
        old = row.old.get(name)
        if name == CUSTOM:
            names = sorted({*(old or {}), *(new or {})})
            values += [(each, (old or {}).get(each) or "", (new or {}).get(each) or "") for each in names]
        elif field := _LINKS.get(name, name):
            prefix = OUR_NUMBER_PREFIX if name in _LINKS else ""
            before, after = (f"{prefix}{text}" if text else "" for text in (old, new))
            values.append((entry_name(Kind(change.owner_kind), field), before, after))
    return [(name, before, after) for name, before, after in values if before != after]


def _cost_values(change: ImportChange, row: ImportRow) -> list[ValueChange]:
    name = f"{COST_PREFIX}{change.record_id}"
    if change.created:
        text = " ".join(str(row.data[field]) for field in ("month", "amount", "note") if row.data.get(field))
        return [(name, "", text)]
    fields = [(label, row.old.get(field) or "", row.data.get(field) or "") for field, label in _COST_FIELDS.items()]
    return [(f"{name} {label}", old, new) for label, old, new in fields if old != new]
