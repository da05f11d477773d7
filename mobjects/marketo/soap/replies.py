"""Answers read by zeep, as outcomes and field descriptions. Nothing is guessed: what does not fit is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mobjects.marketo.contract import Batch, FieldInfo, Operation, Outcome, Record, Status

_SKIPPED_WORDS = {
    Operation.INSERT: "Marketo already has this object, so INSERT skipped it.",
    Operation.UPDATE: "Marketo does not have this object, so UPDATE skipped it.",
    Operation.UPSERT: "Marketo skipped this object without giving a reason.",
}


class DoesNotFit(Exception):
    """An answer cannot be matched to the records that were sent; the text says why in one sentence."""


def outcomes(batch: Batch, result: Any) -> list[Outcome]:
    """One outcome per record, matched by position: a row carries nothing else that every record has.

    Ids and keys that come back are used to check the match.

    Args:
        batch: what was sent.
        result: zeep's reading of mObjStatusList, ``None`` if that was empty.

    Raises:
        DoesNotFit: another number of rows, a status nobody documented, or a row that names another record.
    """
    rows = list(getattr(result, "mObjStatus", None) or [])
    if len(rows) != len(batch.records):
        raise DoesNotFit(f"Marketo gave {len(rows)} results for {len(batch.records)} records.")
    sent_keys = {_pair(record) for record in batch.records}
    matched = []
    for position, (record, row) in enumerate(zip(batch.records, rows, strict=True), start=1):
        _check_match(position, record, row, sent_keys)
        matched.append(_outcome(position, batch.operation, row))
    return matched


def _outcome(position: int, operation: Operation, row: Any) -> Outcome:
    text = _text(row.status)
    if text not in Status.__members__:
        raise DoesNotFit(f"Result {position} has the unknown status {text or '(none)'!r}.")
    status = Status[text]
    message = _text(row.error)
    if status is Status.SKIPPED and not message:
        message = _SKIPPED_WORDS[operation]
    return Outcome(status=status, marketo_id=_id(row), message=message)


def _check_match(position: int, record: Record, row: Any, sent_keys: set[tuple[str, str] | None]) -> None:
    answered_id = _id(row)
    if record.marketo_id is not None and answered_id is not None and answered_id != record.marketo_id:
        raise DoesNotFit(f"Result {position} is about ID {answered_id}, but record {position} has {record.marketo_id}.")
    echo = _echo(row)
    if echo is None or echo == _pair(record):
        return
    # A key that was not sent for this record but for no other either says nothing about the order.
    if record.external_key is not None or echo in sent_keys:
        raise DoesNotFit(f"Result {position} is about {echo[0]} {echo[1]!r}, which is not record {position}.")


def _id(row: Any) -> int | None:
    """Marketo writes "no id" as nil, as an empty element, as 0 or not at all, depending on its version."""
    return row.id if row.id and row.id > 0 else None


def _echo(row: Any) -> tuple[str, str] | None:
    key = row.externalKey
    if key is None or not (_text(key.name) and _text(key.value)):
        return None
    return _text(key.name), _text(key.value)


def _pair(record: Record) -> tuple[str, str] | None:
    key = record.external_key
    return (key.field.strip(), key.value.strip()) if key else None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def field_infos(metadata: Any) -> Sequence[FieldInfo]:
    """The fields in zeep's reading of describeMObject's metadata.

    Raises:
        DoesNotFit: it holds no fields.
    """
    fields = getattr(getattr(metadata, "fieldList", None), "field", None)
    if not fields:
        raise DoesNotFit("Marketo described no fields.")
    return [_field_info(field) for field in fields]


def _field_info(field: Any) -> FieldInfo:
    name = _text(field.name)
    return FieldInfo(
        name=name,
        label=_text(field.displayName) or name,
        type=_text(field.dataType),
        size=field.size,
        read_only=bool(field.isReadonly or field.isUpdateBlocked),
        custom=bool(field.isCustom),
    )
