"""What each object is made of: the fields describeMObject answers with.

Names, types and sizes of the standard fields: describeMObject of a live instance (2013)
and Adobe's describeMObject and syncMObjects pages. The two custom opportunity fields are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

OPPORTUNITY = "Opportunity"
ROLE = "OpportunityPersonRole"
PROGRAM = "Program"
LEAD = "Lead"
COMPANY = "Company"

SYNCABLE = (OPPORTUNITY, ROLE, PROGRAM)
LISTED = ("ActivityRecord", "LeadRecord", OPPORTUNITY, ROLE)

OPPORTUNITY_KEY = "ExternalOpportunityId"
PERSON_KEY = "ExternalPersonId"
COMPANY_KEY = "ExternalCompanyId"


@dataclass(frozen=True, slots=True)
class ObjectField:
    """One field of an object.

    Args:
        name: API name, case-sensitive.
        label: display name.
        data_type: string, integer, float, currency, boolean, date, datetime or reference.
        size: longest text in characters; ``None`` where Marketo gives none.
        custom: whether the instance added it; only custom fields serve as external keys.
        generated: whether Marketo alone sets it.
        refers_to: the object a reference points at.
    """

    name: str
    label: str
    data_type: str
    size: int | None = None
    custom: bool = False
    generated: bool = False
    refers_to: str = ""


def _text(name: str, label: str, size: int = 255, *, custom: bool = False) -> ObjectField:
    return ObjectField(name, label, "string", size, custom=custom)


_ID = ObjectField("Id", "Id", "integer", generated=True)

_OPPORTUNITY = (
    ObjectField("Amount", "Amount", "currency"),
    ObjectField("CloseDate", "Close Date", "date"),
    ObjectField("CompanyId", "Account", "reference", refers_to=COMPANY),
    _text("Description", "Description", 2000),
    ObjectField("ExpectedRevenue", "Expected Revenue", "currency"),
    ObjectField("ExternalCreatedDate", "SFDC Created Date", "datetime"),
    _text("Fiscal", "Fiscal"),
    ObjectField("FiscalQuarter", "Fiscal Quarter", "integer"),
    ObjectField("FiscalYear", "Fiscal Year", "integer"),
    _text("ForecastCategoryName", "Forecast Category Name"),
    _ID,
    ObjectField("IsClosed", "Is Closed", "boolean"),
    ObjectField("IsWon", "Is Won", "boolean"),
    ObjectField("LastActivityDate", "Last Activity Date", "date"),
    _text("LeadSource", "Lead Source"),
    _text("Name", "Name"),
    _text("NextStep", "Next Step"),
    ObjectField("Probability", "Probability", "integer"),
    ObjectField("Quantity", "Quantity", "float"),
    _text("Stage", "Stage"),
    _text("Type", "Type"),
    _text(OPPORTUNITY_KEY, "External Opportunity Id", custom=True),
    ObjectField("ContractMonths", "Contract Months", "integer", custom=True),
)

_ROLE = (
    ObjectField("ExternalCreatedDate", "SFDC Created Date", "datetime"),
    _ID,
    ObjectField("IsPrimary", "Is Primary", "boolean"),
    ObjectField("OpportunityId", "Opportunity Id", "reference", refers_to=OPPORTUNITY),
    ObjectField("PersonId", "Contact Id", "reference", refers_to=LEAD),
    _text("Role", "Role"),
)

_LEAD = (
    _ID,
    _text("Email", "Email Address"),
    _text("FirstName", "First Name"),
    _text("LastName", "Last Name"),
    _text(PERSON_KEY, "External Person Id", custom=True),
)

_ACTIVITY = (
    _ID,
    ObjectField("ActivityDateTime", "Activity Date Time", "dateTime"),
    _text("ActivityType", "Activity Type"),
)

FIELDS: dict[str, dict[str, ObjectField]] = {
    kind: {field.name: field for field in fields}
    for kind, fields in {
        OPPORTUNITY: _OPPORTUNITY,
        ROLE: _ROLE,
        "LeadRecord": _LEAD,
        "ActivityRecord": _ACTIVITY,
    }.items()
}


def is_custom_field(kind: str, name: str) -> bool:
    """Whether ``name`` is a custom field of ``kind``, which is what an external key has to be."""
    field = FIELDS.get(kind, {}).get(name)
    return field is not None and field.custom


SEARCHABLE: dict[str, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields.values() if field.custom or field.refers_to)
    for kind, fields in FIELDS.items()
}
"""The fields by which REST finds objects of a kind: custom fields and references."""
