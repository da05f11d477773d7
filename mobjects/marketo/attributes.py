"""The standard attributes of opportunities and person roles.

Source: describeMObject of a live instance (2013) and Adobe's syncMObjects page;
both list the same names. ``label`` is Marketo's display name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mobjects.marketo.types import DataType, Kind


@dataclass(frozen=True, slots=True)
class MarketoAttribute:
    """One attribute: API name, display name, type, and for text its longest length."""

    name: str
    label: str
    type: DataType
    size: int | None = None

    @property
    def field_name(self) -> str:
        """Our model field's name: ``CloseDate`` is kept in ``close_date``."""
        return _field(self.name)


@cache
def _field(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


OPPORTUNITY = (
    MarketoAttribute("Name", "Name", DataType.STRING, 255),
    MarketoAttribute("Description", "Description", DataType.STRING, 2000),
    MarketoAttribute("Type", "Type", DataType.STRING, 255),
    MarketoAttribute("Stage", "Stage", DataType.STRING, 255),
    MarketoAttribute("Amount", "Amount", DataType.CURRENCY),
    MarketoAttribute("ExpectedRevenue", "Expected Revenue", DataType.CURRENCY),
    MarketoAttribute("Probability", "Probability", DataType.INTEGER),
    MarketoAttribute("Quantity", "Quantity", DataType.FLOAT),
    MarketoAttribute("CloseDate", "Close Date", DataType.DATE),
    MarketoAttribute("IsClosed", "Is Closed", DataType.BOOLEAN),
    MarketoAttribute("IsWon", "Is Won", DataType.BOOLEAN),
    MarketoAttribute("Fiscal", "Fiscal", DataType.STRING, 255),
    MarketoAttribute("FiscalQuarter", "Fiscal Quarter", DataType.INTEGER),
    MarketoAttribute("FiscalYear", "Fiscal Year", DataType.INTEGER),
    MarketoAttribute("ForecastCategoryName", "Forecast Category Name", DataType.STRING, 255),
    MarketoAttribute("LeadSource", "Lead Source", DataType.STRING, 255),
    MarketoAttribute("NextStep", "Next Step", DataType.STRING, 255),
    MarketoAttribute("ExternalCreatedDate", "SFDC Created Date", DataType.DATETIME),
    MarketoAttribute("LastActivityDate", "Last Activity Date", DataType.DATE),
)

ROLE = (
    MarketoAttribute("Role", "Role", DataType.STRING, 255),
    MarketoAttribute("IsPrimary", "Is Primary", DataType.BOOLEAN),
    MarketoAttribute("ExternalCreatedDate", "SFDC Created Date", DataType.DATETIME),
)

STANDARD: dict[Kind, tuple[MarketoAttribute, ...]] = {
    Kind.PROGRAM: (),
    Kind.OPPORTUNITY: OPPORTUNITY,
    Kind.ROLE: ROLE,
}

COMPANY_ID, COMPANY_KEY = "Company ID", "Company key"
PERSON_ID, PERSON_KEY = "Person ID", "Person key"
OPPORTUNITY_LINK = "Opportunity"
EXTERNAL_ID, MARKETO_ID, MARKETO_GUID = "External ID", "Marketo ID", "Marketo GUID"
CHANNEL = "Channel"
COST_ID_WORDS = "Marketo cost ID "
OUR_NUMBER_PREFIX = "our no. "
"""How a role's content names its opportunity: by our own id."""

_OTHER_NAMES = {
    "marketo_id": MARKETO_ID,
    "marketo_guid": MARKETO_GUID,
    "external_id": EXTERNAL_ID,
    "channel": CHANNEL,
    "name": "Name",
    "type": "Type",
    "workspace": "Workspace",
    "opportunity": OPPORTUNITY_LINK,
    "person_id": PERSON_ID,
    "person_key": PERSON_KEY,
    "company_id": COMPANY_ID,
    "company_key": COMPANY_KEY,
}


def entry_name(kind: Kind, field: str) -> str:
    """The name under which a model's field stands among the values of a record; of a custom attribute its own name."""
    names = {attribute.field_name: attribute.name for attribute in STANDARD[kind]}
    return names.get(field) or _OTHER_NAMES.get(field, field)
