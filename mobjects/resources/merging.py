"""Records that have two keys: the Marketo ID, and one of our own."""

from __future__ import annotations

from typing import TypeVar

from mobjects.models import SyncedRecord
from mobjects.resources.results import RowInput

RecordT = TypeVar("RecordT", bound=SyncedRecord)


def merge(row: RowInput, by_id: RecordT | None, by_key: RecordT | None, key: str) -> RecordT | None:
    """Decide which record a row means when both keys were looked up.

    Args:
        row: gets a problem if the keys contradict each other.
        by_id: the record with the row's Marketo ID.
        by_key: the record with the row's own key.
        key: what the own key is called.
    """
    marketo_id = row.values.get("Marketo ID")
    if by_id and by_key and by_id.pk != by_key.pk:
        row.problem("Marketo ID", f"the Marketo ID is “{by_id}”, but the {key} is “{by_key}”; correct one of them.")
    elif by_key and by_key.marketo_id and marketo_id not in (None, by_key.marketo_id):
        row.problem(
            "Marketo ID", f"“{by_key}” has the Marketo ID {by_key.marketo_id} already, which cannot be changed."
        )
    return by_id or by_key
