"""What each kind of file means: which record a row is about, and which rules it has to keep.

No model instances and no query for each row: the rules of the models are applied to plain text, a chunk at a time.
A test compares them with the models' own, for random files.
"""

from mobjects.imports.validators.base import Kind
from mobjects.imports.validators.opportunities import Opportunities
from mobjects.imports.validators.program_costs import Costs
from mobjects.imports.validators.program_tags import Tags
from mobjects.imports.validators.programs import Programs
from mobjects.imports.validators.roles import Roles

KINDS: dict[str, type[Kind]] = {
    "programs": Programs,
    "program-costs": Costs,
    "program-tags": Tags,
    "opportunities": Opportunities,
    "roles": Roles,
}
"""By the names of kinds of files."""

__all__ = ["KINDS", "Kind"]
