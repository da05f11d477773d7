"""The standard attributes of opportunities and person roles.

Source: describeMObject of a live instance (2013) and Adobe's syncMObjects page;
both list the same names. ``label`` is Marketo's display name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mobjects.marketo.types import DataType, Kind
from mobjects.marking import gettext_noop as _


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
    MarketoAttribute("Name", _("Name"), DataType.STRING, 255),
    MarketoAttribute("Description", _("Description"), DataType.STRING, 2000),
    MarketoAttribute("Type", _("Type"), DataType.STRING, 255),
    MarketoAttribute("Stage", _("Stage"), DataType.STRING, 255),
    MarketoAttribute("Amount", _("Amount"), DataType.CURRENCY),
    MarketoAttribute("ExpectedRevenue", _("Expected Revenue"), DataType.CURRENCY),
    MarketoAttribute("Probability", _("Probability"), DataType.INTEGER),
    MarketoAttribute("Quantity", _("Quantity"), DataType.FLOAT),
    MarketoAttribute("CloseDate", _("Close Date"), DataType.DATE),
    MarketoAttribute("IsClosed", _("Is Closed"), DataType.BOOLEAN),
    MarketoAttribute("IsWon", _("Is Won"), DataType.BOOLEAN),
    MarketoAttribute("Fiscal", _("Fiscal"), DataType.STRING, 255),
    MarketoAttribute("FiscalQuarter", _("Fiscal Quarter"), DataType.INTEGER),
    MarketoAttribute("FiscalYear", _("Fiscal Year"), DataType.INTEGER),
    MarketoAttribute("ForecastCategoryName", _("Forecast Category Name"), DataType.STRING, 255),
    MarketoAttribute("LeadSource", _("Lead Source"), DataType.STRING, 255),
    MarketoAttribute("NextStep", _("Next Step"), DataType.STRING, 255),
    MarketoAttribute("ExternalCreatedDate", _("SFDC Created Date"), DataType.DATETIME),
    MarketoAttribute("LastActivityDate", _("Last Activity Date"), DataType.DATE),
)

ROLE = (
    MarketoAttribute("Role", _("Role"), DataType.STRING, 255),
    MarketoAttribute("IsPrimary", _("Is Primary"), DataType.BOOLEAN),
    MarketoAttribute("ExternalCreatedDate", _("SFDC Created Date"), DataType.DATETIME),
)

STANDARD: dict[Kind, tuple[MarketoAttribute, ...]] = {
    Kind.PROGRAM: (),
    Kind.OPPORTUNITY: OPPORTUNITY,
    Kind.ROLE: ROLE,
}

COMPANY_ID, COMPANY_KEY = _("Company ID"), _("Company key")
PERSON_ID, PERSON_KEY = _("Person ID"), _("Person key")
OPPORTUNITY_LINK = _("Opportunity")
EXTERNAL_ID, MARKETO_ID, MARKETO_GUID = _("External ID"), _("Marketo ID"), _("Marketo GUID")
CHANNEL = _("Channel")
COST_ID_WORDS = "Marketo cost ID "
OUR_NUMBER_PREFIX = "our no. "
"""How a role's content names its opportunity: by our own id."""

OTHER_NAMES = {
    "marketo_id": MARKETO_ID,
    "marketo_guid": MARKETO_GUID,
    "external_id": EXTERNAL_ID,
    "channel": CHANNEL,
    "name": _("Name"),
    "type": _("Type"),
    "workspace": _("Workspace"),
    "opportunity": OPPORTUNITY_LINK,
    "person_id": PERSON_ID,
    "person_key": PERSON_KEY,
    "company_id": COMPANY_ID,
    "company_key": COMPANY_KEY,
}


def entry_name(kind: Kind, field: str) -> str:
    """The name under which a model's field stands among the values of a record; of a custom attribute its own name."""
    names = {attribute.field_name: attribute.name for attribute in STANDARD[kind]}
    return names.get(field) or OTHER_NAMES.get(field, field)
