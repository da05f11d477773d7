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
from mobjects.marking import gettext_noop as _

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
        raise Rejected(_("There is nothing to delete."))
    if len(ids) > paths.MAX_RECORDS:
        raise Rejected(
            _("Marketo deletes at most %(max_records)s objects in a call; this one has %(ids)s.")
            % {"max_records": paths.MAX_RECORDS, "ids": len(ids)}
        )
    for number in ids:
        if guid_problem(number):
            raise Rejected(
                _("%(value)s is no Marketo GUID; %(plural)s have GUIDs over REST.")
                % {"value": quote_value(number), "plural": paths.PLURALS[kind]}
            )
    return [str(number) for number in ids]


def guid_problem(number: MarketoId) -> str:
    """Why something is no GUID; "" if it may be one."""
    if isinstance(number, str) and _GUID.fullmatch(number):
        return ""
    return _("%(number)s is no Marketo GUID") % {"number": quote_value(number)}


def _shape_problem(record: OutgoingRecord) -> str:
    if record.costs or record.tags:
        return _("only programs have costs and tags")
    if record.marketo_id is not None and (why := guid_problem(record.marketo_id)):
        return why
    return _link_problem(record) if record.associations else ""


def _link_problem(record: OutgoingRecord) -> str:
    links = [association.link for association in record.associations]
    for association in record.associations:
        if association.link not in _LINKS[record.kind]:
            return _("it cannot be linked to a %(link)s") % {"link": association.link}
        if association.id is not None and not 0 < association.id <= _LARGEST_NUMBER:
            return _("%(link)s ID %(id)s is not between 1 and %(largest_number)s") % {
                "link": association.link,
                "id": association.id,
                "largest_number": _LARGEST_NUMBER,
            }
    return "" if len(set(links)) == len(links) else _("it is linked to the same kind of object twice")


def _opportunity_problem(record: OutgoingRecord, operation: Operation) -> str:
    if "Name" in record.values and record.values["Name"] in (None, ""):
        return _("Marketo does not let the name of an opportunity be cleared; give it one")
    key = record.external_key
    if key is not None and key.field.casefold() != paths.OPPORTUNITY_KEY.casefold():
        return _("over REST Marketo finds opportunities by %(opportunity_key)s, not by “%(field)s”") % {
            "opportunity_key": paths.OPPORTUNITY_KEY,
            "field": key.field,
        }
    company = find_link(record, LinkTarget.COMPANY) if record.associations else None
    if company and company.key and company.key.field.casefold() != paths.COMPANY_KEY.casefold():
        return _("over REST Marketo finds companies by %(company_key)s, not by “%(field)s”") % {
            "company_key": paths.COMPANY_KEY,
            "field": company.key.field,
        }
    if not goes_by_guid(record, operation) and not opportunity_key(record).strip():
        return _("over REST Marketo finds opportunities by their external ID, and this one has none")
    return ""


def _role_problem(record: OutgoingRecord, operation: Operation) -> str:
    if record.external_key is not None:
        return _("only opportunities have an external key")
    if "Role" in record.values and not to_text(record.values["Role"]).strip():
        return _("Marketo finds a role by its name, so that cannot be cleared; give it one")
    if goes_by_guid(record, operation):
        return ""
    link = find_link(record, LinkTarget.OPPORTUNITY)
    if link is not None and link.key is not None and link.key.field.casefold() != paths.OPPORTUNITY_KEY.casefold():
        return _("over REST Marketo finds opportunities by %(opportunity_key)s, not by “%(field)s”") % {
            "opportunity_key": paths.OPPORTUNITY_KEY,
            "field": link.key.field,
        }
    if not opportunity_key(record).strip():
        return _("over REST a role names its opportunity by external ID, and this opportunity has none")
    if find_link(record, LinkTarget.LEAD) is None:
        return _("a role needs its opportunity and its person")
    if not to_text(record.values.get("Role")).strip():
        return _("over REST Marketo finds a role by opportunity, person and role name, and this one has no role name")
    return ""
