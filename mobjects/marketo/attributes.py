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
class Attribute:
    """One attribute: API name, display name, type, and for text its longest length."""

    name: str
    label: str
    type: DataType
    size: int | None = None

    @property
    def field(self) -> str:
        """Our model field's name: ``CloseDate`` is kept in ``close_date``."""
        return _field(self.name)


@cache
def _field(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


OPPORTUNITY = (
    Attribute("Name", "Name", DataType.STRING, 255),
    Attribute("Description", "Description", DataType.STRING, 2000),
    Attribute("Type", "Type", DataType.STRING, 255),
    Attribute("Stage", "Stage", DataType.STRING, 255),
    Attribute("Amount", "Amount", DataType.CURRENCY),
    Attribute("ExpectedRevenue", "Expected Revenue", DataType.CURRENCY),
    Attribute("Probability", "Probability", DataType.INTEGER),
    Attribute("Quantity", "Quantity", DataType.FLOAT),
    Attribute("CloseDate", "Close Date", DataType.DATE),
    Attribute("IsClosed", "Is Closed", DataType.BOOLEAN),
    Attribute("IsWon", "Is Won", DataType.BOOLEAN),
    Attribute("Fiscal", "Fiscal", DataType.STRING, 255),
    Attribute("FiscalQuarter", "Fiscal Quarter", DataType.INTEGER),
    Attribute("FiscalYear", "Fiscal Year", DataType.INTEGER),
    Attribute("ForecastCategoryName", "Forecast Category Name", DataType.STRING, 255),
    Attribute("LeadSource", "Lead Source", DataType.STRING, 255),
    Attribute("NextStep", "Next Step", DataType.STRING, 255),
    Attribute("ExternalCreatedDate", "SFDC Created Date", DataType.DATETIME),
    Attribute("LastActivityDate", "Last Activity Date", DataType.DATE),
)

ROLE = (
    Attribute("Role", "Role", DataType.STRING, 255),
    Attribute("IsPrimary", "Is Primary", DataType.BOOLEAN),
    Attribute("ExternalCreatedDate", "SFDC Created Date", DataType.DATETIME),
)

STANDARD: dict[Kind, tuple[Attribute, ...]] = {
    Kind.PROGRAM: (),
    Kind.OPPORTUNITY: OPPORTUNITY,
    Kind.ROLE: ROLE,
}
