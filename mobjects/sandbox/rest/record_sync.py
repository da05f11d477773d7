"""Writing and deleting opportunities and roles: each record by itself, in order, answered with its ``seq``.

Sources: Adobe's pages on opportunities, opportunity roles and the lead database; codes from its error codes page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mobjects.sandbox.fields import OPPORTUNITY, OPPORTUNITY_KEY
from mobjects.sandbox.rest.record_keys import find_by_key, guid_of, key_of, resolve_company, resolve_role_links
from mobjects.sandbox.rest.rest_call import RecordRefused, RestContext, RestError, Row, SandboxReply
from mobjects.sandbox.rest.rest_fields import (
    COMPANY_KEY,
    GUID,
    KEY,
    KEYS,
    REST_FIELDS,
    SALES_PERSON_KEY,
    RestField,
    invalid_value,
    read_value,
)
from mobjects.sandbox.state import SandboxStore, StoredObject

MAX_RECORDS = 300
CREATE_ONLY, UPDATE_ONLY, UPSERT = "createOnly", "updateOnly", "createOrUpdate"
BY_KEY, BY_ID = "dedupeFields", "idField"

_CRM_OWNS = RecordRefused("1018", "CRM Enabled: opportunities are synchronized natively")

WriteRecord = Callable[[Row], Row]


def sync_records(context: RestContext, kind: str) -> SandboxReply:
    """Create or update up to 300 records.

    Raises:
        RestError: 1003 for an action, a key or a list that makes no sense, 718 for an unknown sales person.
    """
    document = context.request.document
    action = _one_of(document, "action", UPSERT, (CREATE_ONLY, UPDATE_ONLY, UPSERT))
    by = _one_of(document, "dedupeBy", BY_KEY, (BY_KEY, BY_ID))
    if by == BY_ID and action != UPDATE_ONLY:
        raise RestError("1003", f"dedupeBy '{BY_ID}' is not valid with action '{action}'")
    records = _read_input(document)
    for record in records:
        # Listed among the errors of the whole call; this instance has no sales persons.
        if kind == OPPORTUNITY and record.get(SALES_PERSON_KEY):
            raise RestError("718", f"externalSalesPersonId '{record[SALES_PERSON_KEY]}' not found")
    write = partial(_sync_record, context.store, kind, action, by)
    return _each_record(context, kind, records, by, write, action)


def delete_records(context: RestContext, kind: str) -> SandboxReply:
    """Delete up to 300 records. Roles of a deleted opportunity stay, as orphans.

    Raises:
        RestError: 1003 for a key or a list that makes no sense.
    """
    document = context.request.document
    by = _one_of(document, "deleteBy", BY_KEY, (BY_KEY, BY_ID))
    write = partial(_delete_record, context.store, kind, by)
    return _each_record(context, kind, _read_input(document), by, write, "delete")


def _one_of(document: Row, name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = document.get(name, default)
    if value not in allowed:
        raise RestError("1003", f"Invalid value for field '{name}' and value '{value}'")
    return str(value)


def _read_input(document: Row) -> list[Row]:
    records = document.get("input")
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise RestError("1003", "input must be a list of objects")
    if len(records) > MAX_RECORDS:
        raise RestError("1003", f"At most {MAX_RECORDS} records are allowed in one call, got {len(records)}")
    return records


def _each_record(
    context: RestContext, kind: str, records: list[Row], by: str, write: WriteRecord, action: str
) -> SandboxReply:
    rows: list[Row] = []
    seen: set[tuple[str, ...]] = set()
    for index, record in enumerate(records):
        try:
            forced = context.forced.get(index)
            if forced is not None and not forced.applies:
                raise RecordRefused(forced.code, forced.message)
            if context.instance.native_crm_sync:
                raise _CRM_OWNS
            _refuse_twice(kind, by, record, seen)
            row = write(record)
            if forced is not None:
                row["status"] = forced.status
        except RecordRefused as refused:
            row = {"status": "skipped", "reasons": [{"code": refused.code, "message": refused.message}]}
        rows.append({"seq": index, **row})
    statuses = [row["status"] for row in rows]
    return SandboxReply(rows, statuses=statuses, count=len(records), kind=kind, action=action)


def _refuse_twice(kind: str, by: str, record: Row, seen: set[tuple[str, ...]]) -> None:
    key = (guid_of(record),) if by == BY_ID else key_of(kind, record)
    if key in seen:
        raise RecordRefused("1036", "Duplicate object found in input")
    seen.add(key)


def _sync_record(store: SandboxStore, kind: str, action: str, by: str, record: Row) -> Row:
    if by == BY_ID:
        found = store.find_by_guid(kind, guid_of(record))
    elif GUID in record:
        raise RecordRefused("1003", f"Invalid data: '{GUID}' needs dedupeBy '{BY_ID}'")
    else:
        found = find_by_key(store, kind, key_of(kind, record))
    if found is not None and action == CREATE_ONLY:
        raise RecordRefused("1017", "Object already exists")
    if found is None and action == UPDATE_ONLY:
        raise RecordRefused("1013", "Object not found")
    values = _new_values(store, kind, record, found)
    if found is None:
        return {"status": "created", GUID: store.create_object(kind, values).guid}
    store.replace_values(found, values)
    return {"status": "updated", GUID: found.guid}


def _new_values(store: SandboxStore, kind: str, record: Row, found: StoredObject | None) -> dict[str, str]:
    values = dict(found.values) if found else {}
    for name, value in record.items():
        field = REST_FIELDS[kind].get(name)
        if field is None:
            raise RecordRefused("1006", f"Field '{name}' not found")
        if name == GUID:
            continue
        if name in KEYS[kind]:
            _refuse_key_change(field, value, kind, record, found)
        elif not field.updateable:
            raise RecordRefused("1003", f"Field '{name}' cannot be updated")
        else:
            _set_value(store, values, field, value)
    if found is None:
        key = key_of(kind, record)
        values |= {OPPORTUNITY_KEY: key[0]} if kind == OPPORTUNITY else resolve_role_links(store, key)
    return values


def _refuse_key_change(field: RestField, value: object, kind: str, record: Row, found: StoredObject | None) -> None:
    """A key that is sent beside the GUID may repeat what is there, and nothing else."""
    if found is None or GUID not in record:
        return
    text = read_value(field, value)
    kept = {KEY: found.values.get(OPPORTUNITY_KEY, "")} if kind == OPPORTUNITY else {}
    if text != kept.get(field.name):
        raise RecordRefused("1003", f"Field '{field.name}' cannot be updated")


def _set_value(store: SandboxStore, values: dict[str, str], field: RestField, value: object) -> None:
    if field.name == "name" and value in (None, ""):
        raise invalid_value("name", "null")
    text = read_value(field, value)
    if field.name == COMPANY_KEY:
        values["CompanyId"] = resolve_company(store, text) if text else ""
    elif field.stored is not None:
        values[field.stored.name] = text


def _delete_record(store: SandboxStore, kind: str, by: str, record: Row) -> Row:
    if by == BY_ID:
        found = store.find_by_guid(kind, guid_of(record))
    else:
        found = find_by_key(store, kind, key_of(kind, record))
    if found is None:
        raise RecordRefused("1013", "Object not found")
    store.delete_object(kind, found.id)
    return {"status": "deleted", GUID: found.guid}
