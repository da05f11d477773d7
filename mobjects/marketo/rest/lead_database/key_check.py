"""Seeing that a key which goes along with a GUID is the one that Marketo holds.

Marketo does not let key fields be changed, and nobody documents what it makes of one that is sent beside a GUID. So
it is never sent, and where content has one it is compared first: left out in silence, it would count as accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.batch_progress import BatchProgress
from mobjects.marketo.rest.lead_database.record_inputs import goes_by_guid, opportunity_key
from mobjects.marketo.rest.lead_database.record_outcomes import guid_text
from mobjects.marketo.rest.replies import Entry
from mobjects.marketo.types import Kind, Operation, OutgoingRecord
from mobjects.marketo.value_parsing import quote_value
from mobjects.marketo.value_text import to_text
from mobjects.marking import gettext_noop as _

Numbered = tuple[int, OutgoingRecord]
"""A record with its position in the batch."""


def refuse_changed_keys(
    calls: RestCalls, kind: Kind, operation: Operation, records: Sequence[Numbered], progress: BatchProgress
) -> list[Numbered]:
    """The records whose key is what Marketo holds, or that bring none; the others get their outcome.

    Raises:
        MarketoError: never ``OutcomeUnknown``.
    """
    asked = {
        str(record.marketo_id): (position, record)
        for position, record in records
        if goes_by_guid(record, operation) and _brings_key(record)
    }
    if not asked:
        return list(records)
    reply = calls.read(
        paths.sync_path(kind),
        {
            "filterType": paths.GUID,
            "filterValues": ",".join(asked),
            "fields": ",".join((paths.GUID, *paths.KEY_FIELDS[kind])),
        },
    )
    progress.exchanges.append(reply.exchange)
    refused = set()
    for row in reply.result:
        guid = guid_text(row.get(paths.GUID)) if isinstance(row, Mapping) else ""
        if guid not in asked:
            continue
        position, record = asked[guid]
        if why := _difference(row, record):
            progress.refuse_record(position, why)
            refused.add(position)
    return [(position, record) for position, record in records if position not in refused]


def _brings_key(record: OutgoingRecord) -> bool:
    if record.kind is Kind.ROLE:
        return bool(record.values.get("Role"))
    return paths.OPPORTUNITY_KEY in record.values or record.external_key is not None


def _difference(row: Entry, record: OutgoingRecord) -> str:
    """What is different about the key, in words; "" if nothing is."""
    ours = {paths.OPPORTUNITY_KEY: opportunity_key(record), paths.ROLE_NAME: to_text(record.values.get("Role"))}
    for name, text in ours.items():
        if name not in paths.KEY_FIELDS[record.kind]:
            continue
        there = str(row.get(name) or "")
        if text.strip().casefold() != there.strip().casefold():
            held = quote_value(there) if there else "none"
            return _("%(name)s is %(text)s, Marketo holds %(held)s and does not let it be changed") % {
                "name": name,
                "text": quote_value(text),
                "held": held,
            }
    return ""
