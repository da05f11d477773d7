"""What a sending would do, counted: records by operation or by the reason that holds them back, and what it would take
away in Marketo. All of it in one statement, which looks at each record once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import add
from types import MappingProxyType
from typing import Any

from django.db.models import Case, CharField, Count, Expression, IntegerField, Q, QuerySet, Sum, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan

from mobjects import clock
from mobjects.db.counting import read_bounded
from mobjects.marketo.attributes import STANDARD
from mobjects.marketo.types import Kind, Operation
from mobjects.models import RECORD_MODELS, CustomField
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.naming.key_conditions import has_changed_key
from mobjects.sync.send.preview.foreseen_effects import would_be_created, would_be_skipped
from mobjects.sync.send.selection import (
    WHOLE_SIZE,
    OperationChoice,
    SyncSelection,
    candidate_records,
    foreseen_records,
    ordered_kinds,
)

NO_BOUNDS: Mapping[Kind, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ForecastGroup:
    """How many records of one kind share an operation, or a reason to be held back.

    Args:
        kind: of the records.
        operation: ``None`` where they are held back.
        reason: why; "" where they are not.
        count: how many there are.
        new: so many of them would be created in Marketo, unless it finds one there by a key that is not known here.
        cleared: so many values would be cleared in Marketo: it accepted them last, and they are empty here now. Of
            attributes, standard and custom. Programs have none: their API clears nothing but notes.
        replaced: so many roles would be deleted in Marketo and made anew: their key was changed.
        skipped: so many of them Marketo would skip, because it has them, or does not have them.
    """

    kind: Kind
    operation: Operation | None
    reason: str
    count: int
    new: int = 0
    cleared: int = 0
    replaced: int = 0
    skipped: int = 0


def find_bounds(selection: SyncSelection, first: int) -> dict[Kind, int]:
    """For each kind of which more records are chosen than are to be looked at, the id where the others begin; one
    statement at most, which goes no further than that.

    Args:
        first: so many of each kind are to be looked at. Of a list of ids, so many ids.
    """
    kinds = ordered_kinds(selection)
    if selection.ids is not None:
        ids = sorted(selection.ids)
        return dict.fromkeys(kinds, ids[first]) if len(ids) > first else {}
    chosen = {kind.value: candidate_records(kind, selection).order_by("pk") for kind in kinds}
    found = read_bounded({}, {name: records.values("pk")[first:] for name, records in chosen.items()})
    return {Kind(name): pk for name, pk in found.items() if pk is not None}


def forecast_groups(
    selection: SyncSelection, keys: KeyFields, *, at: datetime | None = None, bounds: Mapping[Kind, int] = NO_BOUNDS
) -> list[ForecastGroup]:
    """What a job would do now, kind by kind; one statement, and one for the names of custom fields.

    Roles that wait only for an opportunity of the same selection are counted as sendable, unless that is held back.

    Args:
        selection: what would be sent.
        keys: names of the external key fields.
        at: the moment at which records are judged; now, by the database's clock, if none is given.
        bounds: from :func:`find_bounds`, where only the first records are to be counted.
    """
    if bounds and selection.ids is not None:
        selection = replace(selection, ids=[pk for pk in selection.ids if pk < max(bounds.values())])
    at = at or clock.now()
    custom = _custom_names() if any(STANDARD[kind] for kind in selection.kinds) else {}
    found: dict[tuple[Kind, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    # By itself an operation is only chosen where it does something.
    chosen = selection.operation is not OperationChoice.AUTO
    for part in selection.iter_parts(WHOLE_SIZE):
        counted = [
            _counted(kind, _before(found_first, bounds.get(kind)), custom.get(kind, ()), keys, chosen=chosen)
            for kind in ordered_kinds(selection)
            for found_first in [foreseen_records(kind, part, keys, at=at)]
        ]
        for kind, reason, operation, *counts in counted[0].union(*counted[1:], all=True) if counted else ():
            group = Kind(kind), reason, "" if reason else operation
            found[group] = list(map(add, found[group], (count or 0 for count in counts)))
    order = list(RECORD_MODELS)
    return [
        ForecastGroup(kind, Operation(operation) if operation else None, reason, *(counts[:2] if reason else counts))
        for (kind, reason, operation), counts in sorted(
            found.items(), key=lambda group: (order.index(group[0][0]), *group[0][1:])
        )
    ]


def _before(found: SyncedQuerySet, bound: int | None) -> SyncedQuerySet:
    return found if bound is None else found.filter(pk__lt=bound)


def _counted(
    kind: Kind, judged: SyncedQuerySet, custom: Iterable[str], keys: KeyFields, *, chosen: bool
) -> QuerySet[Any, Any]:
    cleared, none = list(_cleared(kind, custom, keys)), Value(0)
    skipped = would_be_skipped(kind, keys)
    goes = Q(synced_revision__gt=0) & ~skipped if chosen else Q(synced_revision__gt=0)
    counted: QuerySet[Any, Any] = (
        judged.order_by()
        .annotate(of_kind=Value(kind.value, CharField()))
        .values_list("of_kind", "hold", "wire_operation")
        .annotate(
            n=Count("pk"),
            new=Count("pk", filter=would_be_created(kind, keys)),
            # Of what is held back nothing is cleared; its sum is passed over.
            cleared=Sum(reduce(add, cleared), filter=goes) if cleared else none,
            replaced=Count("pk", filter=has_changed_key(keys)) if kind is Kind.ROLE else none,
            skipped=Count("pk", filter=skipped) if chosen else none,
        )
    )
    return counted


def filter_clearing(kind: Kind, judged: SyncedQuerySet, keys: KeyFields) -> SyncedQuerySet:
    """Those of some judged records of which :attr:`ForecastGroup.cleared` counts values."""
    cleared = list(_cleared(kind, _custom_names().get(kind, ()), keys))
    if not cleared:
        return judged.none()
    found: SyncedQuerySet = judged.alias(cleared=reduce(add, cleared)).filter(
        ~would_be_skipped(kind, keys), cleared__gt=0, synced_revision__gt=0, hold=""
    )
    return found


def _custom_names() -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for kind, name in CustomField.objects.order_by("pk").values_list("kind", "name"):
        names[kind].append(name)
    return names


def _cleared(kind: Kind, custom: Iterable[str], keys: KeyFields) -> Iterator[Case]:
    """For each attribute 1 where it would be cleared, else 0; accepted is what ``accepted_of`` says."""
    model = RECORD_MODELS[kind]
    for attribute in STANDARD[kind]:
        field: Any = model._meta.get_field(attribute.field_name)
        now = Q(**{f"{field.name}__isnull": True}) if field.null else Q(**{field.name: ""})
        yield _one_where(now, attribute.name)
    of_key = kind is Kind.OPPORTUNITY
    for name in (each for each in custom if STANDARD[kind] and not (of_key and each in keys.same)):
        value = Coalesce(KeyTextTransform(name, "custom_attributes"), Value(""), output_field=TextField())
        empty = Q(Exact(value, Value("")))
        if of_key and name in keys.others:
            empty &= Q(accepted__has_any_keys=[keys.opportunity, *keys.same])
        yield _one_where(empty, name)


def _one_where(empty: Q | Expression, name: str) -> Case:
    had: Expression = GreaterThan(KeyTextTransform(name, "accepted"), Value(""))
    return Case(When(Q(empty) & Q(had), then=Value(1)), default=Value(0), output_field=IntegerField())
