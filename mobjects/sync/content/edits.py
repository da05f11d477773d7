"""What people changed about records: their values before and after, as the database has them, written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.marketo.value_text import to_text
from mobjects.models import (
    EditSource,
    ImportChange,
    ImportRow,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    RecordEdit,
    SyncedRecord,
)
from mobjects.models.program import CHANNEL_TAG
from mobjects.sync.content import payload
from mobjects.sync.content.loading import load_records

MARKETO_ID, MARKETO_GUID, EXTERNAL_ID = "Marketo ID", "Marketo GUID", "External ID"

_PARTS: dict[str, Any] = {"program-costs": ProgramCost, "program-tags": ProgramTag}

_ENTRIES = {
    "marketo_id": MARKETO_ID,
    "marketo_guid": MARKETO_GUID,
    "external_id": EXTERNAL_ID,
    "channel": CHANNEL_TAG,
    "name": "Name",
    "type": "Type",
    "workspace": "Workspace",
    "opportunity": payload.OPPORTUNITY,
    "person_id": payload.PERSON_ID,
    "person_key": payload.PERSON_KEY,
    "company_id": payload.COMPANY_ID,
    "company_key": payload.COMPANY_KEY,
}


class EditRecorder:
    """Looks at records before and after they are changed. To be used in the transaction that changes them.

    Args:
        kind: of all the records.
        ids: our own ids of those that may be changed; locked by the caller.
    """

    def __init__(self, kind: Kind, ids: Iterable[int]) -> None:
        self._kind, self._ids = kind, set(ids)
        self._before = _values(kind, sorted(self._ids))

    def write(self, source: EditSource, user: Any, added: Iterable[int] = ()) -> list[RecordEdit]:
        """Write down what changed since; a record that is the same leaves nothing.

        Args:
            source: where it was changed.
            user: who changed it; None if nobody is known.
            added: ids of records that came since.

        Returns:
            What was written, one for each record.
        """
        ids = sorted(self._ids.union(added))
        after = _values(self._kind, ids)
        edits = []
        for pk in ids:
            label, old = self._before.get(pk, ("", {}))
            label, new = after.get(pk, (label, {}))
            if changes := _changes(old, new):
                edits.append(
                    RecordEdit(
                        kind=self._kind.value,
                        record_id=pk,
                        label=label[:255],
                        changes=changes,
                        source=source,
                        user=user,
                        username=user.get_username() if user else "",
                    )
                )
        return RecordEdit.objects.bulk_create(edits, batch_size=500)


def entry_name(kind: Kind, field: str) -> str:
    """The name under which a model's field stands among the values of a record; of a custom attribute its own name."""
    names = {attribute.field_name: attribute.name for attribute in attributes.STANDARD[kind]}
    return names.get(field) or _ENTRIES.get(field, field)


def import_entries(kind: Kind, change: ImportChange, row: ImportRow) -> set[str]:
    """The names of the values that a row of an import changed."""
    if change.record_id is None:
        return {CHANNEL_TAG}
    if change.imported.kind in _PARTS:
        part = _PARTS[change.imported.kind].objects.filter(pk=change.record_id).first()
        return {part.content_key} if part is not None else set()
    names = {entry_name(kind, name.removesuffix("_id") if name == "opportunity_id" else name) for name in row.data}
    return names | set(row.data.get("custom_attributes") or ()) | set(row.old.get("custom_attributes") or ())


def _values(kind: Kind, ids: Sequence[int]) -> dict[int, tuple[str, dict[str, str]]]:
    return {record.pk: (str(record), _content(record)) for record in load_records(kind, ids)}


def _content(record: SyncedRecord) -> dict[str, str]:
    """All that a person may change of a record, as name to text; empty values are left out."""
    values = payload.record_content(record, payload.KeyFields())
    if isinstance(record, Program):
        values |= {name: getattr(record, field) for field, name in _ENTRIES.items() if field in _REFERENCE}
        values |= {
            cost.content_key: f"{cost.content_text} (Marketo cost ID {cost.marketo_cost_id})"
            for cost in record.costs.all()
            if cost.marketo_cost_id
        }
    elif isinstance(record, Opportunity):
        values[EXTERNAL_ID] = record.external_id or ""
    elif isinstance(record, OpportunityPersonRole):
        values[payload.OPPORTUNITY] = f"{record.opportunity} ({values[payload.OPPORTUNITY]})"
    values[MARKETO_ID] = to_text(record.marketo_id)
    values[MARKETO_GUID] = getattr(record, "marketo_guid", None) or ""
    return {name: text for name, text in values.items() if text}


_REFERENCE = ("name", "type", "workspace")


def _changes(old: dict[str, str], new: dict[str, str]) -> list[list[str]]:
    names = dict.fromkeys((*old, *new))
    return [[name, old.get(name, ""), new.get(name, "")] for name in names if old.get(name, "") != new.get(name, "")]
