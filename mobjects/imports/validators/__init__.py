"""What each kind of file means: which record a row is about, and which rules it has to keep.

No model instances and no query for each row: the rules of the models are applied to plain text, a chunk at a time.
A test compares them with the models' own, for random files.
"""

from mobjects.imports.validators.base import RowValidator
from mobjects.imports.validators.opportunities import OpportunityValidator
from mobjects.imports.validators.program_costs import CostValidator
from mobjects.imports.validators.program_tags import TagValidator
from mobjects.imports.validators.programs import ProgramValidator
from mobjects.imports.validators.roles import RoleValidator

KINDS: dict[str, type[RowValidator]] = {
    "programs": ProgramValidator,
    "program-costs": CostValidator,
    "program-tags": TagValidator,
    "opportunities": OpportunityValidator,
    "roles": RoleValidator,
}
"""By the names of kinds of files."""

__all__ = ["KINDS", "RowValidator"]
