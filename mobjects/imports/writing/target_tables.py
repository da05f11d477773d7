"""What each kind of file is written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection, models

from mobjects.marketo.types import Kind
from mobjects.models import (
    ImportRow,
    Opportunity,
    OpportunityPersonRole,
    Program,
    ProgramCost,
    ProgramTag,
    SyncedRecord,
)

TIMESTAMP_FIELDS = ("created_at", "modified_at")
"""Fields that keep when a record was written."""
MARKETO_ID_FIELDS = ("marketo_id", "marketo_guid", "marketo_cost_id")
"""Fields that keep an ID of Marketo's, which is not forgotten once it is known."""


@dataclass(frozen=True)
class ImportTarget:
    """What rows of one kind of file are written to.

    Args:
        model: of the records that the rows mean.
        owner: kind of the synced record that a row changes: of a cost its program.
        link: name of the field that leads to another record, which must exist; empty if there is none.
        parts: what other rows of the file are written to, where these ones set fields of the record that they belong
            to; ``None`` if rows mean the record itself.
        only: names of these fields.
    """

    model: type[models.Model]
    owner: Kind
    link: str = ""
    parts: ImportTarget | None = None
    only: tuple[str, ...] = ()

    @property
    def is_part(self) -> bool:
        """Whether the rows mean parts of a synced record rather than the record itself."""
        return not issubclass(self.model, SyncedRecord)

    @property
    def table_sql(self) -> str:
        """The table's name, quoted."""
        return quote_name(self.model._meta.db_table)

    @cached_property
    def file_fields(self) -> list[Any]:
        """The fields that a file may set."""
        own = SyncedRecord.SYNC_FIELDS - {"marketo_id", "marketo_guid"}
        fields: list[Any] = list(self.model._meta.concrete_fields)
        return [
            field
            for field in fields
            if not (field.primary_key or field.generated or field.name in own or field.attname in TIMESTAMP_FIELDS)
            and (self.parts is None or field.name in self.only)
        ]

    @cached_property
    def other_fields(self) -> list[Any]:
        """The fields that a file never sets."""
        fields: list[Any] = list(self.model._meta.concrete_fields)
        return [field for field in fields if not (field.primary_key or field.generated or field in self.file_fields)]

    @property
    def link_field(self) -> Any:
        """The field that leads to another record."""
        return self.model._meta.get_field(self.link)

    @property
    def parent_sql(self) -> str:
        """Table of the records that the link leads to, quoted."""
        return quote_name(self.link_field.related_model._meta.db_table)

    def column_sql(self, field: Any) -> str:
        """A field's column with its table, in SQL."""
        return f"{self.table_sql}.{quote_name(field.column)}"

    def modified_value(self, now: datetime) -> Any:
        """A moment as ``modified_at`` keeps it; only of synced records."""
        field: Any = self.model._meta.get_field("modified_at")
        return field.get_db_prep_save(now, connection)

    @property
    def owner_id_sql(self) -> str:
        """Our id of the synced record, in SQL."""
        return f"{self.table_sql}.{quote_name(self.link_field.column) if self.is_part else 'id'}"


TARGETS: dict[str, ImportTarget] = {
    "programs": ImportTarget(Program, Kind.PROGRAM),
    "program-costs": ImportTarget(ProgramCost, Kind.PROGRAM, "program"),
    "program-tags": ImportTarget(ProgramTag, Kind.PROGRAM, "program"),
    "opportunities": ImportTarget(Opportunity, Kind.OPPORTUNITY),
    "roles": ImportTarget(OpportunityPersonRole, Kind.ROLE, "opportunity"),
}
"""By the kinds of files."""
_CHANNELS = ImportTarget(Program, Kind.PROGRAM, parts=TARGETS["program-tags"], only=("channel",))


def targets_of_kind(kind: str) -> list[ImportTarget]:
    """What the rows of a kind of file are written to: first what most of them mean, then channels, if it has any."""
    return [TARGETS[kind], *(each for each in (_CHANNELS,) if each.parts is TARGETS[kind])]


def sets_channel(kind: str, row: ImportRow) -> bool:
    """Whether a row of a kind of file changes the channel of its program."""
    return kind == "program-tags" and "channel" in row.data


def quote_name(name: str) -> str:
    """A name of a table or column in SQL."""
    return connection.ops.quote_name(name)


def execute_sql(statement: str, *params: Any) -> int:
    """Execute a statement; how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
