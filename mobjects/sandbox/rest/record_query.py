"""Reading opportunities, roles, companies and leads by exact values, page by page; there is no list of all.

Sources: Adobe's pages on querying the lead database. A field without value is left out of an opportunity or role,
and is null in a lead. Without hits ``result`` is an empty list.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from mobjects.sandbox.fields import COMPANY, FIELDS, LEAD, OPPORTUNITY, PERSON_KEY, ROLE
from mobjects.sandbox.fields import COMPANY_KEY as STORED_COMPANY_KEY
from mobjects.sandbox.rest.record_keys import key_of, list_by_key, show_field
from mobjects.sandbox.rest.record_sync import BY_ID, BY_KEY, MAX_RECORDS
from mobjects.sandbox.rest.rest_call import FORM_TYPE, RecordRefused, RestContext, RestError, Row, SandboxReply
from mobjects.sandbox.rest.rest_fields import (
    COMPANY_KEY,
    CREATED,
    GUID,
    KEY,
    KEYS,
    LEAD_ID,
    REST_FIELDS,
    SALES_PERSON_KEY,
    UPDATED,
)
from mobjects.sandbox.state import SandboxStore, StoredObject, StoredParty

_CREATED_AT = "2026-01-05T09:00:00Z"
_PARTY_FIELDS = {
    LEAD: {
        "id": "",
        "email": "Email",
        "firstName": "FirstName",
        "lastName": "LastName",
        "externalPersonId": PERSON_KEY,
        CREATED: "",
        UPDATED: "",
    },
    COMPANY: {"id": "", COMPANY_KEY: STORED_COMPANY_KEY, "company": "", CREATED: "", UPDATED: ""},
}
_PARTY_FILTERS = {
    LEAD: ("id", "email", "externalPersonId"),
    COMPANY: ("id", COMPANY_KEY, "company"),
}
_PARTY_DEFAULTS = {LEAD: ("id", UPDATED, "lastName", "email", CREATED, "firstName"), COMPANY: ("id", COMPANY_KEY)}

Found = TypeVar("Found")

Asked = dict[str, object]
"""filterType, filterValues, fields, batchSize, nextPageToken and ``input``, wherever they were sent."""


def list_filters(kind: str) -> list[tuple[str, ...]]:
    """The fields by which opportunities or roles are found, each with those that go along with it."""
    if kind == ROLE:
        return [KEYS[ROLE], (GUID,), (LEAD_ID,), (KEY,)]
    custom = [
        (field.name,)
        for field in REST_FIELDS[OPPORTUNITY].values()
        if field.custom and field.data_type in ("string", "integer")
    ]
    return [(KEY,), (GUID,), (COMPANY_KEY,), (SALES_PERSON_KEY,), *custom]


def query_records(context: RestContext, kind: str) -> SandboxReply:
    """Opportunities or roles by key, by GUID or by another searchable field.

    Raises:
        RestError: 1003 for missing or senseless parameters, 1006 for unknown fields, 1011 for a field that cannot be
            searched.
    """
    asked = _read_asked(context)
    names = _field_names(asked, REST_FIELDS[kind], (GUID, *KEYS[kind], CREATED, UPDATED))
    found: dict[int, StoredObject] = {}
    for stored in _find_records(context.store, kind, asked):
        found[stored.id] = stored
    fields = [REST_FIELDS[kind][name] for name in names]

    def show(stored: StoredObject) -> Row:
        values = {field.name: show_field(context.store, stored, field) for field in fields}
        return {name: value for name, value in values.items() if value is not None}

    return _build_page(list(found.values()), asked, show, kind, with_seq=True)


def query_parties(context: RestContext, kind: str) -> SandboxReply:
    """Companies or leads by id, key, name or mail address.

    Raises:
        RestError: as :func:`query_records`.
    """
    asked = _read_asked(context)
    names = _field_names(asked, _PARTY_FIELDS[kind], _PARTY_DEFAULTS[kind])
    filter_type = {BY_ID: "id", BY_KEY: COMPANY_KEY}.get(str(asked["filterType"]), str(asked["filterType"]))
    if filter_type not in _PARTY_FILTERS[kind]:
        raise RestError("1003", f"Invalid filterType '{filter_type}'")
    parties: dict[int, StoredParty] = {}
    for value in _filter_values(asked):
        for party in _find_parties(context.store, kind, filter_type, value):
            parties[party.id] = party

    def show(party: StoredParty) -> Row:
        return {name: _party_value(party, name, _PARTY_FIELDS[kind][name]) for name in names}

    return _build_page(list(parties.values()), asked, show, kind, with_seq=kind == COMPANY)


def _party_value(party: StoredParty, name: str, stored: str) -> object:
    computed: dict[str, object] = {
        "id": party.id,
        "company": party.name,
        CREATED: _CREATED_AT,
        UPDATED: _CREATED_AT,
    }
    return computed[name] if name in computed else party.values.get(stored)


def _find_parties(store: SandboxStore, kind: str, name: str, value: str) -> list[StoredParty]:
    if name == "id":
        party = store.parties[kind].get(int(value) if value.isdecimal() else 0)
        return [party] if party else []
    if name == "company":
        return [party for party in store.parties[kind].values() if party.name == value]
    ids = store.find_ids(kind, _PARTY_FIELDS[kind][name], value)
    return [store.parties[kind][id_] for id_ in ids]


def _read_asked(context: RestContext) -> Asked:
    """The parameters from the query, a form body, or the JSON body of a compound query."""
    request = context.request
    if request.sent_method == "POST" and request.media_type != FORM_TYPE:
        asked: Asked = {**request.query_fields, **request.document}
    else:
        asked = dict(request.form)
    if not asked.get("filterType"):
        raise RestError("1003", "filterType not specified")
    return asked


def _field_names(asked: Asked, known: object, default: Sequence[str]) -> list[str]:
    given = asked.get("fields")
    names = given if isinstance(given, list) else [part.strip() for part in str(given or "").split(",")]
    wanted = [str(name) for name in names if name]
    for name in wanted:
        if name not in known:  # type: ignore[operator]  # a mapping by name, whatever its values
            raise RestError("1006", f"Field '{name}' not found")
    return wanted or list(default)


def _filter_values(asked: Asked) -> list[str]:
    given = asked.get("filterValues")
    values = [str(each) for each in given] if isinstance(given, list) else str(given or "").split(",")
    values = [value.strip() for value in values if value.strip()]
    if not values:
        raise RestError("1003", "filterValues not specified")
    if len(values) > MAX_RECORDS:
        raise RestError("1003", f"At most {MAX_RECORDS} filterValues are allowed, got {len(values)}")
    return values


def _find_records(store: SandboxStore, kind: str, asked: Asked) -> list[StoredObject]:
    filter_type = str(asked["filterType"])
    if "input" in asked:
        return _find_by_input(store, kind, filter_type, asked["input"])
    if filter_type == BY_KEY and kind == ROLE:
        raise RestError("1003", "A compound key needs a JSON body with input")
    name = {BY_ID: GUID, BY_KEY: KEY}.get(filter_type, filter_type)
    if (name,) not in list_filters(kind):
        raise RestError("1011", f"Field '{name}' is not supported as filterType")
    return [stored for value in _filter_values(asked) for stored in _find_by_value(store, kind, name, value)]


def _find_by_value(store: SandboxStore, kind: str, name: str, value: str) -> list[StoredObject]:
    if name == GUID:
        stored = store.find_by_guid(kind, value)
        return [stored] if stored else []
    ids: list[int] = []
    if name == KEY and kind == ROLE:
        for opportunity in list_by_key(store, OPPORTUNITY, (value,)):
            ids += store.find_ids(ROLE, "OpportunityId", str(opportunity.id))
    elif name == LEAD_ID:
        ids = store.find_ids(ROLE, "PersonId", value)
    elif name == COMPANY_KEY:
        for company in store.find_ids(COMPANY, STORED_COMPANY_KEY, value):
            ids += store.find_ids(OPPORTUNITY, "CompanyId", str(company))
    elif name != SALES_PERSON_KEY:
        stored_name = next(known for known in FIELDS[OPPORTUNITY] if known.lower() == name.lower())
        ids = store.find_ids(OPPORTUNITY, stored_name, value)
    return [store.objects[kind][id_] for id_ in ids]


def _find_by_input(store: SandboxStore, kind: str, filter_type: str, given: object) -> list[StoredObject]:
    if filter_type != BY_KEY or not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise RestError("1003", f"input goes with filterType '{BY_KEY}' and is a list of objects")
    if not 0 < len(given) <= MAX_RECORDS:
        raise RestError("1003", f"1 to {MAX_RECORDS} objects are allowed in input, got {len(given)}")
    try:
        return [stored for record in given for stored in list_by_key(store, kind, key_of(kind, record))]
    except RecordRefused as refused:
        raise RestError(refused.code, refused.message) from refused


def _build_page(
    found: Sequence[Found], asked: Asked, show: Callable[[Found], Row], kind: str, *, with_seq: bool
) -> SandboxReply:
    size = str(asked.get("batchSize") or MAX_RECORDS)
    if not size.isdecimal() or not 0 < int(size) <= MAX_RECORDS:
        raise RestError("1003", f"batchSize must be 1 to {MAX_RECORDS}, got '{size}'")
    mark = _filter_mark(asked)
    start = _read_position(asked, mark)
    shown = [show(each) for each in found[start : start + int(size)]]
    rows = [{"seq": seq, **row} for seq, row in enumerate(shown)] if with_seq else shown
    extra: dict[str, object] = {}
    if start + int(size) < len(found):
        extra = {"nextPageToken": _write_position(start + int(size), mark), "moreResult": True}
    return SandboxReply(rows, extra, count=len(rows), kind=kind)


def _filter_mark(asked: Asked) -> str:
    """What a page is tied to: another query cannot go on with its token."""
    meant = [asked.get(name) for name in ("filterType", "filterValues", "input")]
    return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:16]


def _write_position(start: int, mark: str) -> str:
    return base64.b32encode(f"{start}/{mark}".encode()).decode()


def _read_position(asked: Asked, mark: str) -> int:
    token = asked.get("nextPageToken")
    if not token:
        return 0
    try:
        start, _, sent = base64.b32decode(str(token)).decode().partition("/")
        if sent == mark:
            return int(start)
    except ValueError:
        pass
    raise RestError("1003", "Invalid nextPageToken")
