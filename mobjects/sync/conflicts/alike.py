"""Conflicts that are alike: the same fields in dispute, or the same values in them as well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, QuerySet

from mobjects.models import Conflict, ConflictReason
from mobjects.sync.content.merge import conflicting_fields

DisputedField = tuple[str, str, str, str]
"""A content entry's name, what Marketo last accepted, what is here, what Marketo holds."""

SHOWN_GROUPS = 100
"""Of so many groups the largest are shown; the rest stays in the list of single conflicts."""

FILLED_AT_ONCE = 2000
"""Conflicts of a release that wrote no keys, filled in when somebody looks."""


@dataclass(frozen=True, slots=True)
class ConflictGroup:
    """Open conflicts that can be decided as one.

    Args:
        kind: Marketo's name of the kind.
        fields_key, values_key: what they have in common; ``values_key`` is "" where only the fields are the same.
        count: how many.
        fields: those in dispute; with values of the newest of them.
        alike: groups within this one whose values are the same, too.
    """

    kind: str
    fields_key: str
    values_key: str
    count: int
    fields: Sequence[DisputedField]
    alike: Sequence[ConflictGroup] = ()

    @property
    def names(self) -> list[str]:
        """The names of the fields in dispute."""
        return [name for name, *_ in self.fields]


def open_conflicts() -> QuerySet[Conflict]:
    """Those that changed on both sides and wait for a person."""
    return Conflict.objects.filter(decided_at__isnull=True, reason=ConflictReason.BOTH_CHANGED)


def compare_sides(base: Mapping[str, str], here: Mapping[str, str], there: Mapping[str, str]) -> list[DisputedField]:
    """The fields that changed on both sides, to different values."""
    names = conflicting_fields(base, here, there)
    return [(name, base.get(name, ""), here.get(name, ""), there.get(name, "")) for name in names]


def disputed_fields(conflict: Conflict) -> list[DisputedField]:
    """The fields a person has to decide about, of a record that changed on both sides; none once values are gone."""
    if conflict.values_removed_at is not None:
        return []
    return compare_sides(conflict.base, conflict.here, conflict.candidates[0]["values"])


def keys_of_fields(fields: Sequence[DisputedField]) -> dict[str, str]:
    """What a conflict has in common with others, as columns."""
    ordered = sorted(fields)
    return {
        "fields_key": _digest([name for name, *_ in ordered]),
        "values_key": _digest([(name, here, there) for name, _, here, there in ordered]),
    }


def digest_fields(fields: Sequence[DisputedField]) -> str:
    """Stands for what was shown of a conflict."""
    return _digest(fields)


def fill_missing_keys() -> None:
    """Set the keys of conflicts that a release before wrote, a bounded number of them."""
    found = list(open_conflicts().filter(fields_key="")[:FILLED_AT_ONCE])
    for conflict in found:
        for name, key in keys_of_fields(disputed_fields(conflict)).items():
            setattr(conflict, name, key)
    Conflict.objects.bulk_update(found, ["fields_key", "values_key"], batch_size=500)


def list_groups() -> list[ConflictGroup]:
    """Groups of two and more, the largest first."""
    shown = _counted("kind", "fields_key")
    keys = [row["fields_key"] for row in shown]
    within = _counted("kind", "fields_key", "values_key", of=open_conflicts().filter(fields_key__in=keys))
    newest = Conflict.objects.in_bulk([row["newest"] for row in (*shown, *within)])
    alike = [_group(row, newest) for row in within]
    return [
        _group(
            row, newest, [each for each in alike if (each.kind, each.fields_key) == (row["kind"], row["fields_key"])]
        )
        for row in shown
    ]


def conflicts_of_group(kind: str, fields_key: str, values_key: str = "") -> QuerySet[Conflict]:
    """The open conflicts of one group, in the order in which they were found."""
    found = open_conflicts().filter(kind=kind, fields_key=fields_key)
    return (found.filter(values_key=values_key) if values_key else found).order_by("pk")


def _counted(*names: str, of: QuerySet[Conflict] | None = None) -> list[dict[str, Any]]:
    rows = (open_conflicts() if of is None else of).exclude(fields_key="").order_by().values(*names)
    return list(
        rows.annotate(count=Count("pk"), newest=Max("pk")).filter(count__gt=1).order_by("-count", *names)[:SHOWN_GROUPS]
    )


def _group(row: dict[str, Any], newest: dict[int, Conflict], alike: Sequence[ConflictGroup] = ()) -> ConflictGroup:
    fields = sorted(disputed_fields(newest[row["newest"]])) if row["newest"] in newest else []
    return ConflictGroup(row["kind"], row["fields_key"], row.get("values_key", ""), row["count"], fields, alike)


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:32]
