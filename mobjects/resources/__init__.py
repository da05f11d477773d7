"""Kinds of files: what their columns are, and how records become rows of them."""

from mobjects.resources.base import TransferResource
from mobjects.resources.opportunities import OpportunityResource
from mobjects.resources.programs import ProgramCostResource, ProgramResource, ProgramTagResource
from mobjects.resources.roles import OpportunityPersonRoleResource

RESOURCES: dict[str, type[TransferResource]] = {
    resource.KIND: resource
    for resource in (
        ProgramResource,
        ProgramCostResource,
        ProgramTagResource,
        OpportunityResource,
        OpportunityPersonRoleResource,
    )
}
"""The resource of each kind of file, by the name it has on the command line."""
