"""What the transports in memory have in common that call opportunities and roles by GUIDs."""

from __future__ import annotations

from mobjects.marketo.transport_traits import IdKind, TransportTraits
from mobjects.marketo.types import Exchange, ExternalKey, Kind, LinkTarget, RecordAssociation, RemoteObject

EXCHANGE = Exchange(request="asked", response="told", http_status=200)
KEY = "externalOpportunityId"
GUID_TRAITS = TransportTraits(
    id_kinds={Kind.OPPORTUNITY: IdKind.GUID, Kind.ROLE: IdKind.GUID},
    opportunity_key=KEY,
    needs_opportunity_key=True,
    roles_name_opportunity_by_key=True,
    role_is_key=True,
    named_to_a_query=3,
)


def guid(number: int) -> str:
    """A GUID that tells its number."""
    return f"dff23271-f996-47d7-984f-{number:012d}"


def deal(number: int, key: str, **values: str) -> RemoteObject:
    """An opportunity under an external ID; further values by name."""
    return RemoteObject(Kind.OPPORTUNITY, guid(number), {"Name": "Q1 2014", KEY: key, **values})


def part(
    number: int, key: str, person: int | ExternalKey = 19, name: str = "Influencer", **values: str
) -> RemoteObject:
    """A role of a person in the opportunity under an external ID; further values by name."""
    lead = person if isinstance(person, int) else None
    lead_key = None if isinstance(person, int) else person
    links = (
        RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(KEY, key)),
        RecordAssociation(LinkTarget.LEAD, id=lead, key=lead_key),
    )
    return RemoteObject(Kind.ROLE, guid(number), {"Role": name, **values}, links)
