"""Which opportunity or role a record means: by GUID or by the dedupe fields."""

from __future__ import annotations

from mobjects.sandbox.fields import COMPANY, LEAD, OPPORTUNITY, OPPORTUNITY_KEY, ROLE
from mobjects.sandbox.fields import COMPANY_KEY as STORED_COMPANY_KEY
from mobjects.sandbox.rest.rest_call import RecordRefused, Row
from mobjects.sandbox.rest.rest_fields import (
    COMPANY_KEY,
    GUID,
    KEY,
    KEYS,
    LEAD_ID,
    REST_FIELDS,
    RestField,
    invalid_value,
    read_value,
    show_moment,
    show_value,
)
from mobjects.sandbox.state import SandboxStore, StoredObject


def key_of(kind: str, record: Row) -> tuple[str, ...]:
    """The dedupe fields of a record as texts.

    Raises:
        RecordRefused: 1002, one of them is missing or empty; 1003, a wrong value.
    """
    parts = []
    for name in KEYS[kind]:
        text = read_value(REST_FIELDS[kind][name], record.get(name))
        if not text:
            raise RecordRefused("1002", f"Missing value for required parameter '{name}'")
        parts.append(text)
    return tuple(parts)


def guid_of(record: Row) -> str:
    """The ``marketoGUID`` of a record, in lower case without blanks.

    Raises:
        RecordRefused: 1002, it is missing; 1003, it is no text.
    """
    guid = record.get(GUID)
    if guid in (None, ""):
        raise RecordRefused("1002", f"Missing value for required parameter '{GUID}'")
    if not isinstance(guid, str):
        raise invalid_value(GUID, guid)
    return guid.strip().lower()


def find_by_key(store: SandboxStore, kind: str, key: tuple[str, ...]) -> StoredObject | None:
    """The object with these dedupe fields.

    Raises:
        RecordRefused: 1007, there are several.
    """
    found = list_by_key(store, kind, key)
    if len(found) > 1:
        raise RecordRefused("1007", "Multiple records match lookup criteria")
    return found[0] if found else None


def list_by_key(store: SandboxStore, kind: str, key: tuple[str, ...]) -> list[StoredObject]:
    """All objects with these dedupe fields; SOAP lets there be several."""
    opportunities = store.find_ids(OPPORTUNITY, OPPORTUNITY_KEY, key[0])
    if kind == OPPORTUNITY:
        return [store.opportunities[id_] for id_ in opportunities]
    ids = {id_ for opportunity in opportunities for id_ in store.find_ids(ROLE, "OpportunityId", str(opportunity))}
    roles = [store.roles[id_] for id_ in sorted(ids)]
    return [role for role in roles if (role.values["PersonId"], role.values.get("Role", "")) == key[1:]]


def resolve_company(store: SandboxStore, key: str) -> str:
    """The id of the company with this ``externalCompanyId``.

    Raises:
        RecordRefused: 1013, there is none.
    """
    found = store.newest_by_key(COMPANY, (STORED_COMPANY_KEY, key))
    if found is None:
        raise RecordRefused("1013", f"Object not found: {COMPANY_KEY} '{key}'")
    return str(found)


def resolve_role_links(store: SandboxStore, key: tuple[str, ...]) -> dict[str, str]:
    """What a new role is kept with: its opportunity, its person, its name.

    Raises:
        RecordRefused: 1013 without the opportunity, 1007 with several of it, 1004 without the lead.
    """
    opportunity = find_by_key(store, OPPORTUNITY, key[:1])
    if opportunity is None:
        raise RecordRefused("1013", "Object not found")
    if not store.exists(LEAD, int(key[1])):
        raise RecordRefused("1004", "Lead not found")
    return {"OpportunityId": str(opportunity.id), "PersonId": key[1], "Role": key[2]}


def show_field(store: SandboxStore, stored: StoredObject, field: RestField) -> object:
    """What a field of an object is worth over REST; ``None`` where it has no value."""
    if field.stored is not None:
        return show_value(field, stored.values.get(field.stored.name, ""))
    if field.name == GUID:
        # Adobe's own sample of a query shows a blank at the end.
        return f"{stored.guid} "
    if field.name == KEY:
        owner: StoredObject | None = stored
        if stored.type == ROLE:
            owner = store.opportunities.get(int(stored.values["OpportunityId"]))
        return owner.values.get(OPPORTUNITY_KEY) if owner else None
    if field.name == LEAD_ID:
        return int(stored.values["PersonId"])
    if field.name == COMPANY_KEY:
        company = store.companies.get(int(stored.values.get("CompanyId", "0")))
        return company.values.get(STORED_COMPANY_KEY) if company else None
    return _show_time(stored, field.name)


def _show_time(stored: StoredObject, name: str) -> str | None:
    moment = {"createdAt": stored.created_at, "updatedAt": stored.updated_at}.get(name)
    return show_moment(moment) if moment else None
