"""Conditions as part of a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, Exists, Model, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat
from django.db.models.lookups import (
    Exact,
    GreaterThanOrEqual,
    IContains,
    IsNull,
    IStartsWith,
    LessThan,
    LessThanOrEqual,
    Regex,
)
from django.utils import timezone

from mobjects.filters.conditions import ME, Condition, split_job
from mobjects.filters.fields import UNCORRECTED, FieldType
from mobjects.filters.periods import days_of
from mobjects.marketo.value_text import format_datetime
from mobjects.models import Kind, ProgramTag, RecordEdit, SyncJob, SyncResult
from mobjects.models.synced_record import HAS_ERROR
from mobjects.selectors import is_uncorrected
from mobjects.sync.send.selection import SyncSelection, foreseen_records
from mobjects.sync.transport_factory import key_fields

_OF_EDITS = ("edited_at", "edited_by")
_BOOLEANS = {True: "true", False: "false"}


def apply_conditions(
    records: QuerySet[Any], conditions: Sequence[Condition], kind: Kind, username: str
) -> QuerySet[Any]:
    """The records that meet all conditions.

    Args:
        records: of one kind.
        kind: which.
        username: of the person who looks, for conditions that say "me".
    """
    of_edits = [each for each in conditions if each.field.name in _OF_EDITS]
    if of_edits:
        # One and the same edit has to meet all that is asked of edits.
        edits = RecordEdit.objects.filter(kind=kind.value, record_id=OuterRef("pk"))
        for condition in of_edits:
            edits = edits.filter(_edit_query(condition, username)) if condition.operator != "empty" else edits
        found: Any = Exists(edits.order_by())
        records = records.filter(~found if any(each.operator == "empty" for each in of_edits) else found)
    for condition in conditions:
        if condition.field.name not in _OF_EDITS:
            records = records.filter(_query(condition, kind))
    return records


def _query(condition: Condition, kind: Kind) -> Any:
    field = condition.field
    if field.type is FieldType.JOB:
        return _job_query(condition, kind)
    if field.name == "held":
        return _held_query(condition, kind)
    if field.part is not None:
        return _part_query(condition, field.part)
    if field.is_custom:
        return _custom_query(condition)
    return _field_query(condition, field.path)


def _job_query(condition: Condition, kind: Kind) -> Q:
    """What a job dealt with; or what it did not get accepted and nobody changed since, whatever the job was."""
    job, status, reason = split_job(condition.value)
    results = SyncResult.objects.filter(job=job, kind=kind.value)
    if status:
        results = results.filter(status=status)
    if reason:
        results = results.filter(reason_key=reason)
    if condition.field.name == UNCORRECTED:
        asked = SyncJob.objects.filter(pk=job).values_list("action", "selection__resend").first()
        results = results.filter(is_uncorrected(*asked, kinds=(kind,))) if asked else results.none()
    return Q(pk__in=results.order_by().values("record_id"))


def _held_query(condition: Condition, kind: Kind) -> Any:
    """What a sending of all that changed would hold back, by the rules of the sending itself."""
    held = foreseen_records(kind, SyncSelection(kinds=(kind,)), key_fields()).exclude(hold="").order_by().values("pk")
    is_held = condition.value if condition.operator == "is" else condition.operator == "filled"
    return Q(pk__in=held) if is_held else ~Q(pk__in=held)


def _part_query(condition: Condition, model: type[Model]) -> Any:
    """One of the record's parts meets the condition; "does not contain" and "empty" are of all of them."""
    parts = model._default_manager.filter(program=OuterRef("pk")).order_by()
    if model is ProgramTag:
        parts = parts.annotate(words=Concat("type", Value(": "), "value", output_field=TextField()))
    if condition.operator in ("empty", "filled"):
        return ~Exists(parts) if condition.operator == "empty" else Exists(parts)
    if condition.operator == "lacks":
        return ~Exists(parts.filter(words__icontains=condition.value))
    return Exists(parts.filter(_field_query(condition, condition.field.path)))


def _edit_query(condition: Condition, username: str) -> Q:
    if condition.field.type is FieldType.PERSON:
        return Q(username=username if condition.value == ME else condition.value)
    return Q() if condition.operator == "filled" else _field_query(condition, condition.field.path)


def _field_query(condition: Condition, path: str) -> Q:
    """A condition on a column."""
    value, is_text = condition.value, condition.field.type in (FieldType.TEXT, FieldType.CHOICE)
    if condition.operator in ("empty", "filled"):
        empty = Q(**{f"{path}__isnull": True})
        if is_text:
            empty |= Q(**{path: ""})
        return empty if condition.operator == "empty" else ~empty
    if condition.field.type in (FieldType.DAY, FieldType.MOMENT):
        return _day_query(condition, path)
    query = Q(**{f"{path}{_LOOKUPS[condition.operator]}": value})
    if condition.operator == "lacks":
        return ~query | Q(**{f"{path}__isnull": True})
    if path == "last_error":
        query &= HAS_ERROR  # It fits no other; said as in the index, the few that failed are looked at, not all.
    return query


_LOOKUPS: Mapping[str, str] = {
    "contains": "__icontains",
    "lacks": "__icontains",
    "starts": "__istartswith",
    "is": "",
    "from": "__gte",
    "to": "__lte",
}


def _days(condition: Condition) -> tuple[date | None, date | None]:
    """The first day, and the first one behind the last."""
    if condition.operator == "within":
        return days_of(condition.text)
    after: date = condition.value + timedelta(days=1)
    return {"is": (condition.value, after), "from": (condition.value, None), "to": (None, after)}[condition.operator]


def _day_query(condition: Condition, path: str) -> Q:
    since, until = _days(condition)
    begin: Callable[[date], date | datetime] = _midnight if condition.field.type is FieldType.MOMENT else _itself
    query = Q()
    if since:
        query &= Q(**{f"{path}__gte": begin(since)})
    if until:
        query &= Q(**{f"{path}__lt": begin(until)})
    return query


def _midnight(day: date) -> datetime:
    """When a day begins for the person who looks."""
    return timezone.make_aware(datetime.combine(day, time()))


def _midnight_text(day: date) -> str:
    """The same as texts of moments are kept."""
    return format_datetime(_midnight(day).astimezone(UTC))


def _itself(day: date) -> date:
    return day


def _custom_query(condition: Condition) -> Any:
    """A condition on a custom attribute: a text in the record's JSON, days as ISO, moments in UTC, answers as true and
    false.
    """
    text: Any = KeyTextTransform(condition.field.path, "custom_attributes")
    value = _BOOLEANS[condition.value] if isinstance(condition.value, bool) else condition.value
    empty = Q(IsNull(text, True)) | Q(Exact(text, ""))
    if condition.operator in ("empty", "filled"):
        return empty if condition.operator == "empty" else ~empty
    if condition.field.type in (FieldType.DAY, FieldType.MOMENT):
        begin = _midnight_text if condition.field.type is FieldType.MOMENT else date.isoformat
        since, until = _days(condition)
        query = Q() if since is None else Q(GreaterThanOrEqual(text, begin(since)))
        if until is not None:
            query &= Q(LessThan(text, begin(until)))
        return query & ~empty
    if condition.field.type is FieldType.NUMBER:
        # What is no number, or too long a one for a column, is not compared; the cast of it would fail.
        number = Cast(Case(When(Regex(text, _NUMBER), then=text)), DecimalField(max_digits=60, decimal_places=20))
        compare = {"is": Exact, "from": GreaterThanOrEqual, "to": LessThanOrEqual}[condition.operator]
        return Q(compare(number, Decimal(value)))
    if condition.operator == "lacks":
        return Q(IsNull(text, True)) | ~Q(IContains(text, value))
    return Q({"contains": IContains, "starts": IStartsWith, "is": Exact}[condition.operator](text, value))


_NUMBER = r"^[-+]?[0-9]{1,25}([.][0-9]{1,25})?([eE][-+]?[0-9])?$"
