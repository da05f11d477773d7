"""Addresses and names of the lead database. Source: Adobe's developer pages on opportunities and roles."""

from __future__ import annotations

from mobjects.marketo.types import Kind
from mobjects.marking import gettext_noop as _

OPPORTUNITY_KEY = "externalOpportunityId"
COMPANY_KEY = "externalCompanyId"
GUID, LEAD_ID, ROLE_NAME = "marketoGUID", "leadId", "role"
CREATED_AT, UPDATED_AT = "createdAt", "updatedAt"

KEY_FIELDS = {Kind.OPPORTUNITY: (OPPORTUNITY_KEY,), Kind.ROLE: (OPPORTUNITY_KEY, LEAD_ID, ROLE_NAME)}
"""What Marketo finds an object of a kind by; none of it can be changed afterwards."""

LEADS = "/rest/v1/leads.json"
COMPANIES = "/rest/v1/companies.json"
_ROOTS = {Kind.OPPORTUNITY: "/rest/v1/opportunities", Kind.ROLE: "/rest/v1/opportunities/roles"}

MAX_RECORDS = 300
"""As many records a call takes, and as many values a query names."""

KINDS = frozenset(_ROOTS)
PLURALS = {Kind.PROGRAM: "programs", Kind.OPPORTUNITY: "opportunities", Kind.ROLE: _("person roles")}


def sync_path(kind: Kind) -> str:
    """Where objects of a kind are written, and with GET are queried."""
    return f"{_ROOTS[kind]}.json"


def describe_path(kind: Kind) -> str:
    """Where Marketo tells the fields of a kind."""
    return f"{_ROOTS[kind]}/describe.json"


def delete_path(kind: Kind) -> str:
    """Where objects of a kind are deleted."""
    return f"{_ROOTS[kind]}/delete.json"
