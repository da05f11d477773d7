"""What can be asked about opportunities and roles, and how much the instance was called."""

from __future__ import annotations

from mobjects.sandbox.fields import OPPORTUNITY
from mobjects.sandbox.rest.identity import API_USER
from mobjects.sandbox.rest.limits import central_day, list_days
from mobjects.sandbox.rest.record_query import list_filters
from mobjects.sandbox.rest.rest_call import RestContext, Row, SandboxReply
from mobjects.sandbox.rest.rest_fields import GUID, KEYS, REST_FIELDS, RestField

_DESCRIBED_AT = "2026-01-05T09:00:00Z"


def describe_records(context: RestContext, kind: str) -> SandboxReply:
    """Fields, keys and searchable fields of opportunities or roles."""
    name = "opportunity" if kind == OPPORTUNITY else "opportunityRole"
    description: Row = {
        "name": name,
        "displayName": name,
        "createdAt": _DESCRIBED_AT,
        "updatedAt": _DESCRIBED_AT,
        "idField": GUID,
        "dedupeFields": list(KEYS[kind]),
        "searchableFields": [list(names) for names in list_filters(kind)],
        "fields": [_describe_field(field) for field in REST_FIELDS[kind].values()],
    }
    return SandboxReply([description], kind=kind)


def _describe_field(field: RestField) -> Row:
    described: Row = {"name": field.name, "displayName": field.label, "dataType": field.data_type}
    if field.length is not None:
        described["length"] = field.length
    return {**described, "updateable": field.updateable, "crmManaged": False}


def read_usage(context: RestContext, days: int) -> SandboxReply:
    """How many calls were made on each of the last days, by user; other integrations count today only."""
    today = central_day(context.store.clock.now())
    rows: list[Row] = []
    for day in list_days(today, days):
        others = context.instance.calls_of_others if day == today else 0
        ours = context.limits.calls_on(day)
        users = [{"userId": API_USER, "count": ours}]
        if others:
            users.append({"userId": "other.integration@sandbox.example.com", "count": others})
        rows.append({"date": day.isoformat(), "total": ours + others, "users": users})
    return SandboxReply(rows, kind="Usage")
