"""What a sending would take away in Marketo: values that it accepted last and that are empty here now, and objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, Expression, IntegerField, Q, Sum, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan

from mobjects.marketo.attributes import STANDARD
from mobjects.marketo.types import Kind
from mobjects.models import RECORD_MODELS, CustomField
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.naming.key_conditions import has_changed_key
from mobjects.sync.send.selection import WHOLE_SIZE, SyncSelection, classify_records, ordered_kinds


def count_clearings(selection: SyncSelection, keys: KeyFields) -> int:
    """How many values would be cleared in Marketo if a selection were sent now; one query for a kind and part.

    Values of attributes are counted, standard and custom. Programs have none: their API clears nothing but notes.
    """
    total = 0
    for kind in (kind for kind in ordered_kinds(selection) if STANDARD[kind]):
        empty = {f"cleared_{number}": Sum(case) for number, case in enumerate(_cleared(kind))}
        for part in selection.iter_parts(WHOLE_SIZE):
            sendable = classify_records(kind, part, keys).filter(hold="", synced_revision__gt=0).order_by()
            total += sum(filter(None, sendable.aggregate(**empty).values()))
    return total


def count_replacements(selection: SyncSelection, keys: KeyFields) -> int:
    """How many roles would be deleted in Marketo and made anew if a selection were sent now: their key was changed."""
    if Kind.ROLE not in selection.kinds or not keys.traits.role_is_key:
        return 0
    return sum(
        classify_records(Kind.ROLE, part, keys).filter(has_changed_key(keys), hold="").count()
        for part in selection.iter_parts(WHOLE_SIZE)
    )


def _cleared(kind: Kind) -> Iterator[Case]:
    """For each attribute 1 where it would be cleared, else 0."""
    model = RECORD_MODELS[kind]
    for attribute in STANDARD[kind]:
        field: Any = model._meta.get_field(attribute.field_name)
        now = Q(**{f"{field.name}__isnull": True}) if field.null else Q(**{field.name: ""})
        yield _one_where(now, attribute.name)
    for name in CustomField.objects.filter(kind=kind.value).values_list("name", flat=True):
        value = Coalesce(KeyTextTransform(name, "custom_attributes"), Value(""), output_field=TextField())
        yield _one_where(Exact(value, Value("")), name)


def _one_where(empty: Q | Expression, name: str) -> Case:
    had: Expression = GreaterThan(KeyTextTransform(name, "accepted"), Value(""))
    return Case(When(Q(empty) & Q(had), then=Value(1)), default=Value(0), output_field=IntegerField())
