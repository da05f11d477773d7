"""Looking for rows with any of many ids: the whole list is one parameter, however long it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import BigAutoField, Lookup


@BigAutoField.register_lookup
class AmongIds(Lookup):  # type: ignore[type-arg]  # not subscriptable when it runs
    """``pk__among=ids``: as ``pk__in``, without a placeholder for each id. A hundred thousand ids take Django seconds
    to write into a query, and SQLite refuses them; as one list they are read by the database in milliseconds.
    """

    lookup_name = "among"
    prepare_rhs = False

    def __init__(self, lhs: Any, rhs: Iterable[int]) -> None:
        super().__init__(lhs, [int(pk) for pk in rhs])

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """An array."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", [*params, self.rhs]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """A JSON list, read as a table."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(self.rhs)]  # noqa: S608
