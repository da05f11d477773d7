"""Files of programs, of their period costs (one line for each), and of their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.models import Program, ProgramCost, ProgramTag
from mobjects.resources.base import TransferResource
from mobjects.resources.columns import FileColumn, LinkColumn, MonthColumn, id_column, text_column

PROGRAM_ID = LinkColumn(
    MarketoAttribute("Program ID", "Program Marketo ID", DataType.REFERENCE),
    "program",
    required=True,
    source=("program__marketo_id",),
)


class ProgramResource(TransferResource):
    """Programs; their key is the Marketo ID."""

    KIND = "programs"
    NOUN = "program"
    key_names: ClassVar = ("Marketo ID",)

    class Meta:
        model = Program
        name = "Programs"

    def get_columns(self) -> Sequence[FileColumn]:
        return (
            id_column("Marketo ID", "marketo_id", required=True),
            text_column("Name", "name", required=True),
            text_column("Type", "type"),
            text_column("Workspace", "workspace"),
            text_column("Channel", "channel"),
        )


class ProgramTagResource(TransferResource):
    """Tags; their key is the program and the type, whose case does not matter."""

    KIND = "program-tags"
    NOUN = "tag"
    REVISION_LOOKUP = "program__revision"
    key_names: ClassVar = ("Program ID", "Type")

    class Meta:
        model = ProgramTag
        name = "Program tags"

    def get_columns(self) -> Sequence[FileColumn]:
        return (PROGRAM_ID, text_column("Type", "type", required=True), text_column("Value", "value", required=True))


class ProgramCostResource(TransferResource):
    """Period costs; their key is the program and Marketo's cost ID.

    Marketo does not tell the ID of a cost it adds, so most costs have none. A line without one that equals a
    cost of its program (month, amount, note) means that cost, each cost once; any other line is a new cost.
    """

    KIND = "program-costs"
    NOUN = "cost"
    REVISION_LOOKUP = "program__revision"
    key_names: ClassVar = ("Program ID", "Month", "Amount", "Note", "Cost ID")

    class Meta:
        model = ProgramCost
        name = "Program costs"

    def get_columns(self) -> Sequence[FileColumn]:
        return (
            PROGRAM_ID,
            MonthColumn(MarketoAttribute("Month", "Month", DataType.DATE), "month", True),
            FileColumn(MarketoAttribute("Amount", "Amount", DataType.CURRENCY), "amount", True),
            text_column("Note", "note", 2000),
            id_column("Cost ID", "marketo_cost_id"),
        )
