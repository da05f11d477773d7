"""What differs with the REST API, as far as it is known without a call."""

from __future__ import annotations

from types import MappingProxyType

from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.transport_traits import IdKind, TransportTraits
from mobjects.marketo.types import Kind

REST_TRAITS = TransportTraits(
    id_kinds=MappingProxyType({Kind.OPPORTUNITY: IdKind.GUID, Kind.ROLE: IdKind.GUID}),
    opportunity_key=paths.OPPORTUNITY_KEY,
    needs_opportunity_key=True,
    company_key=paths.COMPANY_KEY,
    roles_name_opportunity_by_key=True,
    role_is_key=True,
    unset_is_false=True,
    has_cost_ids=False,
    whole_costs=True,
    removes_costs=True,
    removes_tags=True,
    tells_archived=False,
    listed=frozenset({Kind.PROGRAM}),
    tells_calls=True,
    # Read and written, or a tag set and looked at; one more for each further tag, and for costs beside tags.
    calls_to_a_batch=MappingProxyType({Kind.PROGRAM: 2}),
    named_to_a_query=paths.MAX_RECORDS,
    calls_a_day=50_000,
)
