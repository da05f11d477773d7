"""Texts out of JSON columns, numbers as texts, and rows as JSON, alike on every database."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, Func, JSONField, TextField


class JsonKeyText(Func):
    """The text under a name in a JSON column, for a name that is an expression."""

    template = "(%(expressions)s)"
    arg_joiner = " ->> "
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """A path; SQLite knows the operator only since 3.38."""
        template, joiner = "JSON_EXTRACT(%(expressions)s || '\"')", ", '$.\"' || "
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)


class CentsText(Func):
    """An amount as text, with two decimals."""

    template = "CAST(%(expressions)s AS text)"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """It keeps amounts as numbers, without the zeros at their end."""
        return self.as_sql(compiler, connection, template="PRINTF('%%%%.2f', %(expressions)s)", **extra)


class JsonRows(Aggregate):
    """Some columns of all rows, as a list of lists; ``None`` if there are no rows."""

    template = "JSONB_AGG(JSONB_BUILD_ARRAY(%(expressions)s))"
    output_field = JSONField()
    arity = None

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """It calls the same otherwise."""
        template = "JSON_GROUP_ARRAY(JSON_ARRAY(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **extra)
