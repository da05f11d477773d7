"""What a kind of file says about itself, and how its records become rows, on top of django-import-export.

What import-export is kept for: a resource names the columns of a model, an admin page finds its resources, and the
permissions are its permissions. Its importing and its exporting, which hold a whole file in memory, are replaced by
:mod:`mobjects.imports` and :meth:`TransferResource.iter_rows`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

from django.db import connection, models, transaction
from import_export.fields import Field
from import_export.resources import ModelResource

from mobjects.marketo.types import AttributeValue
from mobjects.resources.columns import FileColumn, revision_column

CHUNK = 2000
"""Rows that are fetched from the database at once."""


class TransferResource(ModelResource):
    """Base of our resources; a subclass gives the columns.

    ``key_names`` are the columns that say which record a row means. ``REVISION_LOOKUP`` leads to the revision of the
    synced record.
    """

    KIND: ClassVar[str]
    NOUN: ClassVar[str]
    REVISION_LOOKUP: ClassVar[str] = "revision"
    key_names: ClassVar[tuple[str, ...]]

    class Meta:
        fields = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns: Sequence[FileColumn] = self.get_columns()
        # What import-export believes the columns to be.
        self.fields = {column.name: Field(column.field, column.name) for column in self.columns}

    def get_columns(self) -> Sequence[FileColumn]:
        """The columns that a file may set, in the order of an export."""
        raise NotImplementedError

    def prepare_columns(self, columns: Sequence[FileColumn]) -> Sequence[FileColumn]:
        """The columns with what they need to know of the database before the first row is exported."""
        return columns

    def export_columns(self, chosen: Collection[str] | None = None) -> list[FileColumn]:
        """The columns of an export, in its order; the last one is the revision.

        Args:
            chosen: names of the wanted ones; the key columns come along anyway. ``None`` means all.
        """
        every = [*self.columns, revision_column(self.REVISION_LOOKUP)]
        if chosen is None:
            return every
        wanted = {*chosen, *self.key_names}
        return [column for column in every if column.name in wanted]

    def iter_rows(
        self, queryset: models.QuerySet[Any], columns: Sequence[FileColumn]
    ) -> Iterator[list[AttributeValue]]:
        """The records as rows of typed values, read from the database while they are used.

        Args:
            queryset: in the order of the file. PostgreSQL keeps its result (a cursor on the server, in a transaction,
                so that PgBouncer gives it no other connection meanwhile), SQLite gives one row after the other; here
                there are never more than a chunk of them.
            columns: of :meth:`export_columns`.
        """
        columns = self.prepare_columns(columns)
        # With the id, so that two equal rows stay two where the database is asked for distinct ones.
        lookups = list(dict.fromkeys(["pk", *(lookup for column in columns for lookup in column.lookups)]))
        readers = [column.build_reader([lookups.index(lookup) for lookup in column.lookups]) for column in columns]
        # On SQLite a transaction would keep all others from writing.
        with nullcontext() if connection.vendor == "sqlite" else transaction.atomic():
            for raw in queryset.values_list(*lookups).iterator(chunk_size=CHUNK):
                yield [read(raw) for read in readers]
