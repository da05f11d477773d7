"""What exactly holds records back, and whether what did in some job would do so now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from mobjects.formatting import to_sentence
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.types import Operation
from mobjects.models import SyncedRecord, SyncResult
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import HeldBack, KeyFields, NothingToSend, build_payload
from mobjects.sync.content.unsendable import COST_DECIMALS, KEY_CHANGED
from mobjects.sync.send.selection import SyncSelection, classify_records
from mobjects.sync.send.tag_rules import explain_unknown_values
from mobjects.sync.transport_factory import key_fields, open_transport


def holds_still(record: SyncedRecord, result: SyncResult) -> bool:
    """Whether a record would be held back now for the reason that a result "Held back" gives.

    Args:
        record: as the database has it.
        result: of a job that sends, with its job.
    """
    asked = SyncSelection.from_json(result.job.selection)
    selection = replace(asked, kinds=(record.KIND,), ids=(record.pk,), of_job="", of_import=None)
    found = classify_records(record.KIND, selection, key_fields()).first()
    if found is None:
        return False
    if found.hold:
        return result.error in (to_sentence(found.hold), explain_holds([found], key_fields()).get(record.pk))
    return result.error == _content_problem(record, Operation(found.wire_operation), resend=selection.resend)


def explain_holds(held: Sequence[Any], keys: KeyFields) -> dict[int, str]:
    """What exactly is wrong with records that are held back for what they hold.

    Args:
        held: records of one kind with their ``hold`` and ``wire_operation``.
        keys: the key fields, with the ways of the API.

    Returns:
        Sentences by our id; records that are held back for another reason are left out.
    """
    exact = explain_unknown_values(held)
    operations = {each.pk: Operation(each.wire_operation) for each in held if each.hold in (KEY_CHANGED, COST_DECIMALS)}
    for record in load_records(held[0].KIND, list(operations)) if operations else ():
        built = build_payload(record, operations[record.pk], keys)
        if isinstance(built, HeldBack):
            exact[record.pk] = built.reason
    return exact


def _content_problem(record: SyncedRecord, operation: Operation, *, resend: bool) -> str:
    """Why the content itself cannot be sent; "" if it can, or if nobody can tell."""
    built = build_payload(load_records(record.KIND, [record.pk])[0], operation, key_fields(), resend=resend)
    if isinstance(built, HeldBack):
        return built.reason
    if isinstance(built, NothingToSend):
        return ""
    try:
        transport = open_transport()
    except ConfigError:
        return ""
    with closing(transport):
        problem = transport.problem(built.record, operation)
    return to_sentence(problem) if problem else ""
