"""Answers as outcomes and field descriptions. Nothing is guessed: what does not fit is refused.

The statuses of a batch are read from their elements, as zeep's tolerant mode reads them: by local names, in any order,
unknown ones passed over. zeep itself takes seven times as long; a test holds both to the same outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lxml.etree import Element, _Element

from mobjects.marketo.types import (
    DescribeResponse,
    Exchange,
    FieldDescription,
    Operation,
    OutcomeStatus,
    OutgoingBatch,
    OutgoingRecord,
    RecordOutcome,
)
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


class InvalidResponse(Exception):
    """An answer is not one to what was sent or asked; the text says why in one sentence."""


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
    rows = [row for found in list(_named(result, "mObjStatusList"))[:1] for row in _named(found, "mObjStatus")]
    if len(rows) != len(records):
        raise InvalidResponse(
            _("Marketo gave %(count)s results for %(sent)s records.") % {"count": len(rows), "sent": len(records)}
        )
    sent_keys = {_pair(record) for record in records}
    matched = []
    for position, (record, element) in enumerate(zip(records, rows, strict=True), start=1):
        if not len(element):
            raise InvalidResponse(_("Result %(position)s is empty.") % {"position": position})
        row = _read_row(element)
        _check_match(position, record, row, sent_keys)
        status = _status(position, row, allowed)
        reason = row.error or (skipped if status is OutcomeStatus.SKIPPED else "")
        matched.append(RecordOutcome(status, id_of(row), reason))
    return matched


class _StatusRow(NamedTuple):
    """What one mObjStatus says; texts without the spaces around them, "" for none."""

    id: int | None
    status: str
    error: str
    echo: tuple[str, str]


def _named(parent: _Element, name: str) -> Iterator[_Element]:
    return (child for child in parent.iterchildren(Element) if _local_name(child) == name)


def _local_name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _read_row(element: _Element) -> _StatusRow:
    texts = _texts(element)
    key = next(_named(element, "externalKey"), None)
    pair = {} if key is None else _texts(key)
    echo = pair.get("name", ""), pair.get("value", "")
    return _StatusRow(_whole_number(texts.get("id", "")), texts.get("status", ""), texts.get("error", ""), echo)


def _texts(parent: _Element) -> dict[str, str]:
    """The texts of an element's children, by name; of several with one name the first."""
    texts: dict[str, str] = {}
    for child in parent.iterchildren(Element):
        texts.setdefault(_local_name(child), text_of(child.text))
    return texts


def _whole_number(text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None


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
    answered_id = id_of(row)
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


def id_of(row: Any) -> int | None:
    """The id of a row, an object or an association. Marketo writes "no id" as nil, empty, 0 or not at all."""
    return row.id if row.id and row.id > 0 else None


def _pair(record: OutgoingRecord) -> tuple[str, str] | None:
    key = record.external_key
    return (key.field.strip(), key.value.strip()) if key else None


def text_of(value: object) -> str:
    """A value without the spaces around it; ``""`` for none."""
    return "" if value is None else str(value).strip()


def parse_description(metadata: Any, exchange: Exchange) -> DescribeResponse:
    """The fields in zeep's reading of describeMObject's metadata.

    Raises:
        InvalidResponse: it holds no fields.
    """
    fields = getattr(getattr(metadata, "fieldList", None), "field", None)
    if not fields:
        raise InvalidResponse(_("Marketo described no fields."))
    return DescribeResponse([_field_info(field) for field in fields], exchange)


def _field_info(field: Any) -> FieldDescription:
    name = text_of(field.name)
    return FieldDescription(
        name=name,
        label=text_of(field.displayName) or name,
        type=text_of(field.dataType),
        size=field.size,
        read_only=bool(field.isReadonly or field.isUpdateBlocked),
        custom=bool(field.isCustom),
    )
