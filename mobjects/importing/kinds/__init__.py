"""What each kind of file means: which record a row is about, and which rules it has to keep.

No model instances and no query for each row: the rules of the models are applied to plain text, a chunk at a time.
A test compares them with the models' own, for random files.
"""

from mobjects.importing.kinds.base import Kind
from mobjects.importing.kinds.costs import Costs
from mobjects.importing.kinds.opportunities import Opportunities
from mobjects.importing.kinds.programs import Programs
from mobjects.importing.kinds.roles import Roles
from mobjects.importing.kinds.tags import Tags

KINDS: dict[str, type[Kind]] = {
    "programs": Programs,
    "program-costs": Costs,
    "program-tags": Tags,
    "opportunities": Opportunities,
    "roles": Roles,
}
"""By the names of kinds of files."""

__all__ = ["KINDS", "Kind"]
