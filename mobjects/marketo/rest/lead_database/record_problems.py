"""What Marketo's REST API does not take of opportunities and roles. Said in words before anything is sent.

Adobe's developer pages: an opportunity is found by ``externalOpportunityId`` or, to be updated, by GUID; its name
must not be null; a role is found by its opportunity's external id, its person and its name together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mobjects.marketo.errors import Rejected
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.field_catalogue import ObjectFields
from mobjects.marketo.rest.lead_database.record_inputs import find_link, goes_by_guid, opportunity_key
from mobjects.marketo.types import Kind, LinkTarget, MarketoId, Operation, OutgoingRecord
from mobjects.marketo.value_parsing import quote_value
from mobjects.marketo.value_text import to_text

_GUID = re.compile(r"[0-9a-z-]{1,36}")
_LARGEST_NUMBER = 2**31 - 1
_LINKS = {Kind.OPPORTUNITY: {LinkTarget.COMPANY}, Kind.ROLE: {LinkTarget.OPPORTUNITY, LinkTarget.LEAD}}


def find_problem(record: OutgoingRecord, operation: Operation) -> str:
    """Why a record may not be sent to any instance, without a full stop; "" if it may."""
    of_kind = _role_problem if record.kind is Kind.ROLE else _opportunity_problem
    return _shape_problem(record) or of_kind(record, operation)


def find_field_problem(record: OutgoingRecord, known: ObjectFields) -> str:
    """Which field of a record the instance does not have, without a full stop; "" if it has them all."""
    missing = known.find_missing(record.values)
    return "" if missing is None else known.explain_missing(missing)


def check_guids(kind: Kind, ids: Sequence[MarketoId]) -> list[str]:
    """Ids that are to be deleted, as GUIDs.

    Raises:
        Rejected: naming the first problem.
    """
    if not ids:
        raise Rejected("There is nothing to delete.")
    if len(ids) > paths.MAX_RECORDS:
        raise Rejected(f"Marketo deletes at most {paths.MAX_RECORDS} objects in a call; this one has {len(ids)}.")
    for number in ids:
        if why := guid_problem(number):
            raise Rejected(f"{why[:1].upper()}{why[1:]}; {paths.PLURALS[kind]} have GUIDs over REST.")
    return [str(number) for number in ids]


def guid_problem(number: MarketoId) -> str:
    """Why something is no GUID; "" if it may be one."""
    if isinstance(number, str) and _GUID.fullmatch(number):
        return ""
    return f"{quote_value(number)} is no Marketo GUID"


def _shape_problem(record: OutgoingRecord) -> str:
    if record.costs or record.tags:
        return "only programs have costs and tags"
    if record.marketo_id is not None and (why := guid_problem(record.marketo_id)):
        return why
    return _link_problem(record) if record.associations else ""


def _link_problem(record: OutgoingRecord) -> str:
    links = [association.link for association in record.associations]
    for association in record.associations:
        if association.link not in _LINKS[record.kind]:
            return f"it cannot be linked to a {association.link}"
        if association.id is not None and not 0 < association.id <= _LARGEST_NUMBER:
            return f"{association.link} ID {association.id} is not between 1 and {_LARGEST_NUMBER}"
    return "" if len(set(links)) == len(links) else "it is linked to the same kind of object twice"


def _opportunity_problem(record: OutgoingRecord, operation: Operation) -> str:
    if "Name" in record.values and record.values["Name"] in (None, ""):
        return "Marketo does not let the name of an opportunity be cleared; give it one"
    key = record.external_key
    if key is not None and key.field.casefold() != paths.OPPORTUNITY_KEY.casefold():
        return f"over REST Marketo finds opportunities by {paths.OPPORTUNITY_KEY}, not by “{key.field}”"
    company = find_link(record, LinkTarget.COMPANY) if record.associations else None
    if company and company.key and company.key.field.casefold() != paths.COMPANY_KEY.casefold():
        return f"over REST Marketo finds companies by {paths.COMPANY_KEY}, not by “{company.key.field}”"
    if not goes_by_guid(record, operation) and not opportunity_key(record).strip():
        return "over REST Marketo finds opportunities by their external ID, and this one has none"
    return ""


def _role_problem(record: OutgoingRecord, operation: Operation) -> str:
    if record.external_key is not None:
        return "only opportunities have an external key"
    if "Role" in record.values and not to_text(record.values["Role"]).strip():
        return "Marketo finds a role by its name, so that cannot be cleared; give it one"
    if goes_by_guid(record, operation):
        return ""
    link = find_link(record, LinkTarget.OPPORTUNITY)
    if link is not None and link.key is not None and link.key.field.casefold() != paths.OPPORTUNITY_KEY.casefold():
        return f"over REST Marketo finds opportunities by {paths.OPPORTUNITY_KEY}, not by “{link.key.field}”"
    if not opportunity_key(record).strip():
        return "over REST a role names its opportunity by external ID, and this opportunity has none"
    if find_link(record, LinkTarget.LEAD) is None:
        return "a role needs its opportunity and its person"
    if not to_text(record.values.get("Role")).strip():
        return "over REST Marketo finds a role by opportunity, person and role name, and this one has no role name"
    return ""
