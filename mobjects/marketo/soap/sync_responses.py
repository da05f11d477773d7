"""Answers as outcomes. Nothing is guessed: what does not fit is refused.

The statuses of a batch are read from their elements, as zeep's tolerant mode reads them: by local names, in any order,
unknown ones passed over. zeep itself takes seven times as long; a test holds both to the same outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lxml.etree import _Element

from mobjects.marketo.soap.elements import InvalidResponse, Parts, id_of, items_of, pairs_of, parts_of, text_of
from mobjects.marketo.types import Operation, OutcomeStatus, OutgoingBatch, OutgoingRecord, RecordOutcome
from mobjects.marking import gettext_noop as _

_SKIPPED_WORDS = {
    Operation.INSERT: _("Marketo already has this object, so INSERT skipped it."),
    Operation.UPDATE: _("Marketo does not have this object, so UPDATE skipped it."),
    Operation.UPSERT: _("Marketo skipped this object without giving a reason."),
}
_SENT = frozenset(
    {OutcomeStatus.CREATED, OutcomeStatus.UPDATED, OutcomeStatus.UNCHANGED, OutcomeStatus.SKIPPED, OutcomeStatus.FAILED}
)
_DELETED = frozenset({OutcomeStatus.DELETED, OutcomeStatus.UNCHANGED, OutcomeStatus.FAILED})


def parse_outcomes(batch: OutgoingBatch, result: _Element) -> list[RecordOutcome]:
    """One outcome per record of a batch, matched by position: a row carries nothing else that every record has.

    Ids and keys that come back are used to check the match.

    Args:
        batch: what was sent.
        result: the answer's result, with its mObjStatusList.

    Raises:
        InvalidResponse: another number of rows, a status that does not belong there, or a row that names another
        record.
    """
    return _matched(batch.records, result, _SENT, _SKIPPED_WORDS[batch.operation])


def parse_deletions(records: Sequence[OutgoingRecord], result: _Element) -> list[RecordOutcome]:
    """One outcome per record that was to be deleted. Arguments and errors as for :func:`parse_outcomes`."""
    return _matched(records, result, _DELETED, "")


def _matched(
    records: Sequence[OutgoingRecord], result: _Element, allowed: frozenset[OutcomeStatus], skipped: str
) -> list[RecordOutcome]:
    rows = [parts_of(row) for row in items_of(parts_of(result), "mObjStatusList", "mObjStatus")]
    if len(rows) != len(records):
        raise InvalidResponse(
            _("Marketo gave %(count)s results for %(sent)s records.") % {"count": len(rows), "sent": len(records)}
        )
    sent_keys = {_pair(record) for record in records}
    matched = []
    for position, (record, parts) in enumerate(zip(records, rows, strict=True), start=1):
        if not parts:
            raise InvalidResponse(_("Result %(position)s is empty.") % {"position": position})
        row = _read_row(parts)
        _check_match(position, record, row, sent_keys)
        status = _status(position, row, allowed)
        reason = row.error or (skipped if status is OutcomeStatus.SKIPPED else "")
        matched.append(RecordOutcome(status, row.id, reason))
    return matched


class _StatusRow(NamedTuple):
    """What one mObjStatus says; texts without the spaces around them, "" for none."""

    id: int | None
    status: str
    error: str
    echo: tuple[str, str]


def _read_row(parts: Parts) -> _StatusRow:
    name, value = next(pairs_of(parts.get("externalKey", [])[:1]), ("", ""))
    # Whatever stands in a reason is part of it.
    errors = ["".join(map(str, each.itertext())).strip() for each in parts.get("error", [])[:1]]
    return _StatusRow(id_of(parts), text_of(parts, "status"), "".join(errors), (name, value.strip()))


def _status(position: int, row: _StatusRow, allowed: frozenset[OutcomeStatus]) -> OutcomeStatus:
    if row.status not in allowed:
        raise InvalidResponse(
            _("Result %(position)s has the unknown status %(text)s.")
            % {"position": position, "text": f"{row.status or '(none)'!r}"}
        )
    return OutcomeStatus[row.status]


def _check_match(
    position: int, record: OutgoingRecord, row: _StatusRow, sent_keys: set[tuple[str, str] | None]
) -> None:
    answered_id = row.id
    if record.marketo_id is not None and answered_id is not None and answered_id != record.marketo_id:
        raise InvalidResponse(
            _("Result %(position)s is about ID %(answered_id)s, but record %(position)s has %(marketo_id)s.")
            % {"position": position, "answered_id": answered_id, "marketo_id": record.marketo_id}
        )
    echo = row.echo
    if not all(echo) or echo == _pair(record):
        return
    # A key that was not sent for this record but for no other either says nothing about the order.
    if record.external_key is not None or echo in sent_keys:
        raise InvalidResponse(
            _("Result %(position)s is about %(name)s %(value)s, which is not record %(position)s.")
            % {"position": position, "name": echo[0], "value": f"{echo[1]!r}"}
        )


def _pair(record: OutgoingRecord) -> tuple[str, str] | None:
    key = record.external_key
    return (key.field.strip(), key.value.strip()) if key else None
