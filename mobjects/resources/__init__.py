"""CSV and XLSX files of records: what their columns mean, and how they are imported and exported."""

from mobjects.resources.base import TransferResource
from mobjects.resources.formats import FORMATS, CsvFormat, TableFormat, XlsxFormat, format_of, read
from mobjects.resources.opportunities import OpportunityResource
from mobjects.resources.programs import ProgramCostResource, ProgramResource, ProgramTagResource
from mobjects.resources.results import ChangedRow, Problem, Summary, summarise
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

__all__ = [
    "FORMATS",
    "RESOURCES",
    "ChangedRow",
    "CsvFormat",
    "OpportunityPersonRoleResource",
    "OpportunityResource",
    "Problem",
    "ProgramCostResource",
    "ProgramResource",
    "ProgramTagResource",
    "Summary",
    "TableFormat",
    "TransferResource",
    "XlsxFormat",
    "format_of",
    "read",
    "summarise",
]
