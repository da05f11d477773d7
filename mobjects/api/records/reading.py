"""Records as the API gives them, one by one and as narrowed lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone
from pydantic import Field

from mobjects.api.paging import Id, PageQuery
from mobjects.api.problems import FieldProblem, Problem
from mobjects.api.records.kinds import CUSTOM, RecordKind, id_fields
from mobjects.api.versions import build_etag
from mobjects.filters.conditions import MOST, Condition, FilterRefused, read_condition
from mobjects.filters.fields import fields_of, seen_fields
from mobjects.filters.queries import apply_conditions
from mobjects.kept_text import translate_kept
from mobjects.marketo.value_text import to_text
from mobjects.models import ImportChange, Kind, RecordState
from mobjects.views.sync.planned_records import matches_search

ROW_RIGHTS = {"costs": "mobjects.view_programcost", "tags": "mobjects.view_programtag"}
"""What it takes to see the rows of a program, as on its page."""


class RecordQuery(PageQuery):
    """How a list of records is narrowed."""

    state: Annotated[RecordState | None, Field(description="Only in this state.")] = None
    unsent: Annotated[bool, Field(description="Only what Marketo has not accepted yet.")] = False
    search: Annotated[str, Field(max_length=200, description="Part of a name or key, or a Marketo ID or GUID.")] = ""
    marketo_id: Annotated[Id | None, Field(description="Only the one with this Marketo ID.")] = None
    external_id: Annotated[str, Field(max_length=255, description="Opportunities: only the one with this key.")] = ""
    opportunity: Annotated[Id | None, Field(description="Roles: only those of this opportunity, by our id.")] = None
    of_import: Annotated[Id | None, Field(description="Only what this import changed.")] = None
    where: Annotated[
        list[Annotated[str, Field(max_length=400)]],
        Field(max_length=MOST, description="Conditions as lists have them in their addresses: amount.from.1000."),
    ] = []  # noqa: RUF012  # pydantic copies it
    modified_since: Annotated[datetime | None, Field(description="Only what was modified then or later.")] = None


def find_records(kind: RecordKind, query: RecordQuery, user: User | AnonymousUser) -> QuerySet[Any]:
    """The records that a query asks for.

    Args:
        kind: which.
        query: how the list is narrowed.
        user: who asks: conditions say "me", and name nothing that they may not see.

    Raises:
        Problem: a condition makes no sense.
    """
    found = apply_conditions(list_records(kind), _read_conditions(kind, query, user), kind.kind, user.get_username())
    if query.state:
        found = found.filter(state=query.state)
    if query.unsent:
        found = found.dirty()  # type: ignore[attr-defined]
    if query.marketo_id:
        found = found.filter(marketo_id=query.marketo_id)
    if since := query.modified_since:
        found = found.filter(modified_at__gte=_in_utc(since))
    return _narrow_further(kind, found, query)


def _in_utc(moment: datetime) -> datetime:
    """A moment in UTC: PostgreSQL refuses offsets that Python has, such as -17:19. At the ends of time, the end."""
    try:
        return (moment if moment.tzinfo else timezone.make_aware(moment)).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


def _read_conditions(kind: RecordKind, query: RecordQuery, user: User | AnonymousUser) -> list[Condition]:
    fields, read = seen_fields(fields_of(kind.kind), user) if query.where else {}, []
    for text in query.where:
        try:
            read.append(read_condition(text, fields))
        except FilterRefused as error:
            raise Problem(422, str(error), [FieldProblem("where", str(error), text)]) from error
    return read


def _narrow_further(kind: RecordKind, found: QuerySet[Any], query: RecordQuery) -> QuerySet[Any]:
    if search := query.search.replace("\0", "").strip():
        found = found.filter(matches_search(kind.kind, search))
    if query.external_id and kind.kind is Kind.OPPORTUNITY:
        found = found.filter(external_id=query.external_id.replace("\0", ""))
    if query.opportunity and kind.kind is Kind.ROLE:
        found = found.filter(opportunity=query.opportunity)
    if query.of_import:
        changes = ImportChange.objects.filter(imported=query.of_import, owner_kind=kind.kind.value)
        found = found.filter(Exists(changes.filter(owner_id=OuterRef("pk"))))
    return found


def list_records(kind: RecordKind) -> QuerySet[Any]:
    """All records of a kind, with what is shown of them."""
    found = kind.model._default_manager.all()
    if kind.kind is Kind.PROGRAM:
        return found.prefetch_related("costs", "tags")
    return found.select_related("opportunity") if kind.kind is Kind.ROLE else found


def find_record(kind: RecordKind, pk: int) -> Any:
    """One record. Raises Http404 where it is not there."""
    record = list_records(kind).filter(pk=pk).first()
    if record is None:
        raise Http404
    return record


def show_record(kind: RecordKind, record: Any, user: User | AnonymousUser) -> dict[str, Any]:
    """A record as it is given to a user: costs and tags only where the user may see such rows."""
    content = show_content(kind, record)
    unseen = [name for name, right in ROW_RIGHTS.items() if name in content and not user.has_perm(right)]
    return {
        **content,
        **dict.fromkeys(unseen),
        "id": record.pk,
        "label": str(record),
        "state": record.state,
        "last_status": record.last_status,
        "last_error": translate_kept(record.last_error),
        "last_synced_at": record.last_synced_at,
        "revision": record.revision,
        "created_at": record.created_at,
        "modified_at": record.modified_at,
        "etag": build_etag(content),
    }


def show_content(kind: RecordKind, record: Any) -> dict[str, Any]:
    """What of a record can be changed, and Marketo's ids."""
    shown = {name: _value(record, name) for name in (*kind.field_names, *id_fields(kind.model))}
    if kind.kind is Kind.PROGRAM:
        shown["costs"] = [
            {
                "id": cost.pk,
                "month": f"{cost.month:%Y-%m}",
                "amount": to_text(cost.amount),
                "note": cost.note,
                "marketo_cost_id": cost.marketo_cost_id,
            }
            for cost in record.costs.all()
        ]
        shown["tags"] = [{"id": tag.pk, "type": tag.type, "value": tag.value} for tag in record.tags.all()]
    else:
        shown["custom"] = {name: str(value) for name, value in getattr(record, CUSTOM).items()}
    return shown


def _value(record: Any, name: str) -> Any:
    field = record._meta.get_field(name)
    value = getattr(record, field.attname)
    return to_text(value) if field.get_internal_type() == "DecimalField" and value is not None else value
