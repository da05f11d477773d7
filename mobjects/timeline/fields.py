"""Narrowing what was kept to one field, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from mobjects.marketo import attributes
from mobjects.marketo.types import Kind
from mobjects.models.program import COST_PREFIX, TAG_PREFIX
from mobjects.timeline.import_values import COSTS, CUSTOM, TAGS

PREFIXES = (COST_PREFIX, TAG_PREFIX)
"""Fields that stand for all values whose names begin so."""

_COLUMNS = {
    Kind.PROGRAM: ("channel", "name", "type", "workspace", "marketo_id"),
    Kind.OPPORTUNITY: ("external_id", "company_id", "company_key", "marketo_id", "marketo_guid"),
    Kind.ROLE: ("opportunity", "person_id", "person_key", "marketo_id", "marketo_guid"),
}


def field_choices(kind: Kind, custom: Iterable[str]) -> list[tuple[str, str]]:
    """The fields by which the history of a kind can be narrowed, as (name of the value, words).

    Args:
        custom: names of the kind's custom fields.
    """
    standard = [(item.name, _(item.label)) for item in attributes.STANDARD[kind]]
    columns = [(name, _(name)) for name in (attributes.entry_name(kind, column) for column in _COLUMNS[kind])]
    if kind is Kind.PROGRAM:
        return [*columns, (COST_PREFIX, _("Period costs")), (TAG_PREFIX, _("Tags"))]
    return [*standard, *columns, *((name, name) for name in custom)]


class ListNamesField(Func):
    """Whether a column with a list of ``[name, …]`` has one with this name, or, of a prefix, one that begins so."""

    output_field = BooleanField()

    def __init__(self, column: str, field: str) -> None:
        super().__init__(column, Value(field, output_field=TextField()))
        self.compared = "starts with" if field in PREFIXES else "=="

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        (column, params), (value, given) = (compiler.compile(each) for each in self.get_source_expressions())
        # Strict, because the other mode looks into each entry: a field would be found by its values, too.
        path = f"'strict $[*] ? (@[0] {self.compared} $name)'"
        return f"jsonb_path_exists({column}, {path}, jsonb_build_object('name', {value}::text))", [*params, *given]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        (column, params), (value, given) = (compiler.compile(each) for each in self.get_source_expressions())
        name = "json_extract(entry.value, '$[0]')"
        if self.compared == "==":
            condition, given = f"{name} = {value}", [*given]
        else:
            condition, given = f"substr({name}, 1, length({value})) = {value}", [*given, *given]
        return f"EXISTS (SELECT 1 FROM json_each({column}) entry WHERE {condition})", [*params, *given]  # noqa: S608


def row_names_field(kind: Kind, field: str) -> Q:
    """The condition that a row of an import, joined with its import, changed a field."""
    if field in PREFIXES:
        return Q(imported__kind=COSTS if field == COST_PREFIX else TAGS) & ~Q(data__has_key="channel")
    names = {attributes.entry_name(kind, column): column for column in _COLUMNS[kind]}
    names |= {item.name: item.field_name for item in attributes.STANDARD[kind]}
    if field not in names:
        old, new = (KeyTextTransform(field, KeyTextTransform(CUSTOM, column)) for column in ("old", "data"))
        return Q(_Differs(old, new))
    column = "opportunity_id" if names[field] == "opportunity" else names[field]
    # Rows of costs and tags have columns of the same names; but some set the channel.
    parts = Q() if column == "channel" else ~Q(imported__kind__in=(COSTS, TAGS))
    return Q(data__has_key=column) & parts


class _Differs(Func):
    """Whether two values differ, where NULL is a value."""

    output_field = BooleanField()
    template = "%(expressions)s"
    arg_joiner = " IS DISTINCT FROM "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, arg_joiner=" IS NOT ", **context)
