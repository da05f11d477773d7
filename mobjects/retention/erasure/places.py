"""All places where a person may lie: columns of every table, uploaded files, sessions, and what the queue remembers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_rq
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Length

from mobjects import clock
from mobjects.audit.door import history_opened
from mobjects.db.edit_context import edit
from mobjects.imports.detection import get_read_options
from mobjects.imports.file_limits import limits_for
from mobjects.imports.file_storage import open_import_file
from mobjects.imports.lifecycle import InvalidState
from mobjects.imports.service import discard_import
from mobjects.marketo.reason_masking import reason_key
from mobjects.models import (
    RECORD_MODELS,
    EditSource,
    Erasure,
    Import,
    ImportPart,
    OpportunityPersonRole,
    Purge,
    RecordEdit,
)
from mobjects.queue_redis import QUEUE
from mobjects.retention.erasure.person import PersonName, names_person
from mobjects.retention.periods import session_model
from mobjects.spreadsheets.reader import cell_text, iter_rows

PAGE = 1000
"""Rows that one statement looks through, and one transaction changes at most."""
FIRST = (*RECORD_MODELS.values(),)
LAST = (RecordEdit,)
"""What triggers write while the others are changed."""
UNTOUCHED = (Erasure, Purge, ImportPart)
OTHERS = (LogEntry, AccessAttempt, AccessFailureLog, AccessLog, SocialAccount)
"""Of other packages: what the admin changed, names that were tried at the sign-in, what a sign-in service says."""
KEPT = ("uid",)
"""By this a user of the site signs in through a service; users are no persons of Marketo."""
_SPECIAL = ("person_id", "person_key")


def searched_models() -> list[Any]:
    """Every model of ours and some of others: records first, since what is done with them writes into others."""
    ours = [model for model in apps.get_app_config("mobjects").get_models() if model not in UNTOUCHED]
    between = [model for model in (*ours, *OTHERS) if model not in FIRST and model not in LAST]
    return [*FIRST, *between, *LAST]


def text_fields(model: Any) -> list[Any]:
    """The columns of a model in which any text may stand."""
    kinds = (models.CharField, models.TextField, models.JSONField)
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, kinds)
        and not (field.primary_key or field.generated or field.choices)
        and field.name not in KEPT
    ]


def iter_changes(model: Any, person: PersonName) -> Iterator[dict[Any, dict[str, Any]]]:
    """The rows of a model that name a person, page by page: key of a row to its changed columns."""
    fields = text_fields(model)
    extra = list(_SPECIAL[:1]) if model is OpportunityPersonRole else []
    found = Q(person_id=person.number) if extra and person.number is not None else Q(pk__in=[])
    casts: dict[str, Any] = {f"_text_{field.name}": Cast(field.name, models.TextField()) for field in fields}
    for name in casts:
        for spelling in (*person.spellings, *_stored(person)):
            found |= Q(**{f"{name}__contains": spelling})
    if person.number is None:  # A text that is as long as it may be may end inside of the key.
        full = [field for field in fields if isinstance(field, models.CharField) and field.max_length]
        casts |= {f"_length_{field.name}": Length(field.name) for field in full}
        for field in full:
            found |= Q(**{f"_length_{field.name}": field.max_length})
    rows = model._default_manager.order_by("pk")
    names = [*(field.name for field in fields), *extra]
    last = list(rows.values_list("pk", flat=True)[:PAGE])
    before = None
    while last:
        part = rows.filter(pk__lte=last[-1]) if before is None else rows.filter(pk__gt=before, pk__lte=last[-1])
        named = part.annotate(**casts).filter(found).values_list("pk", *names)
        changes = {pk: _changed(model, dict(zip(names, values, strict=True)), person) for pk, *values in named}
        yield {pk: values for pk, values in changes.items() if values}
        before = last[-1]
        last = list(rows.filter(pk__gt=before).values_list("pk", flat=True)[:PAGE])


def _stored(person: PersonName) -> list[str]:
    """Spellings within JSON that stands in a text of JSON: each mark before another is doubled."""
    return [each.replace("\\", "\\\\") for each in person.spellings if "\\" in each]


def _changed(model: Any, row: dict[str, Any], person: PersonName) -> dict[str, Any]:
    changed = {}
    for name, value in row.items():
        field = model._meta.get_field(name)
        stem, point, ending = value.rpartition(".") if name == "file_name" else (value, "", "")
        new = person.replace_in_value(stem, name if names_person(name) else "")
        new = f"{new}{point}{ending}" if point else new
        if isinstance(new, str) and isinstance(field, models.CharField) and field.max_length:
            full = len(value) == field.max_length and new == value and person.number is None
            new = (person.replace_cut(new) if full else new)[: field.max_length]
        if new != value:
            changed[name] = new
    if model is OpportunityPersonRole and changed.get("person_id"):
        changed |= {"person_id": None, "person_key": person.mark}
    if "error" in changed and any(field.name == "reason_key" for field in model._meta.concrete_fields):
        changed["reason_key"] = reason_key(changed["error"])
    return changed


def write_changes(model: Any, changes: dict[Any, dict[str, Any]], username: str, erasure: int) -> int:
    """Write the changed columns of some rows; those of records as edits of their own sort."""
    if model is AccessAttempt:  # Two names would become the same mark, which may be there once. Its count is lost.
        return int(model._default_manager.filter(pk__in=changes).delete()[0])
    with history_opened(f"erasure {erasure}"), edit(EditSource.ERASURE, username=username, reference=erasure):
        for pk, values in changes.items():
            model._default_manager.filter(pk=pk).update(**values)
            if model is OpportunityPersonRole and "person_key" in values:
                # Marketo is not to get the mark; what else was unsent stays held back.
                model._default_manager.filter(pk=pk).update(synced_revision=models.F("revision"))
    return len(changes)


# --- files, sessions, queue -----------------------------------------------------------------


def imports_with_person(person: PersonName) -> Iterator[Import]:
    """The imports whose file names a person, or cannot be looked through."""
    for imported in Import.objects.filter(file_removed_at__isnull=True).order_by("pk").iterator(chunk_size=100):
        if ImportPart.objects.filter(imported=imported).exists() and _file_names(imported, person):
            yield imported


def _file_names(imported: Import, person: PersonName) -> bool:
    try:
        with open_import_file(imported) as file:
            rows = iter_rows(file, get_read_options(imported), limits_for(imported.source))
            return any(_cell_names(cell_text(cell), person) for row in rows for cell in row.cells)
    except Exception:  # noqa: BLE001 -- whatever is wrong with it, nobody can say that the person is not in it
        return True


def _cell_names(text: str, person: PersonName) -> bool:
    return text.strip() == person.value or person.replace_in_text(text) != text


def remove_file(imported: Import, erasure: int) -> None:
    """Remove the file of an import; one that is not written yet is discarded, as it would bring the person back."""
    try:
        discard_import(imported)
    except InvalidState:
        pass  # It is over, or partly written.
    with history_opened(f"erasure {erasure}"):
        ImportPart.objects.filter(imported=imported).delete()
        Import.objects.filter(pk=imported.pk).update(file_removed_at=clock.now(), samples=[])


def sessions_with_person(person: PersonName) -> list[str]:
    """The sessions in which a person is named; whoever has one signs in again."""
    found = session_model()._default_manager.order_by("pk").iterator(chunk_size=PAGE)
    return [row.pk for row in found if person.replace_in_text(repr(row.get_decoded())) != repr(row.get_decoded())]


def queued_with_person(person: PersonName) -> list[Any]:
    """What the queue remembers of work that failed, where the error names a person.

    Raises:
        RedisError: the queue cannot be reached.
    """
    queue = django_rq.get_queue(QUEUE)
    jobs = [queue.fetch_job(name) for name in queue.failed_job_registry.get_job_ids(cleanup=False)]
    return [job for job in jobs if job is not None and _names_in_error(job, person)]


def _names_in_error(job: Any, person: PersonName) -> bool:
    result = job.latest_result()
    text = (result.exc_string if result else "") or ""
    return any(spelling in text for spelling in person.spellings)
