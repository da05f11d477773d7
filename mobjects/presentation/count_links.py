"""Counts as links, each to exactly the records that it counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mobjects.filters.conditions import WHERE
from mobjects.filters.fields import UNCORRECTED
from mobjects.models import RECORD_MODELS, Import, Kind, Program, SyncJob
from mobjects.presentation import job_text, vocabulary
from mobjects.presentation.import_text import (
    OUTCOME_WORDS,
    has_rows,
    outcome_count_text,
    undone_parts,
    undone_text,
    written_parts,
    written_text,
)
from mobjects.resources import RESOURCES


def job_outcome(job: SyncJob) -> SafeString | str:
    """What a job has come to so far: a link for each status to its records in the job."""
    address = reverse("admin:mobjects_syncjob_change", args=[job.pk])
    counted = [
        (f"{address}?status={status.value}#results", vocabulary.status_count_text(status, job.counts[status]))
        for status in vocabulary.STATUS_ORDER
        if job.counts.get(status)
    ]
    return _joined(counted, vocabulary.SEPARATOR) if counted else job_text.outcome_text(job)


def import_outcome(imported: Import) -> SafeString | str:
    """What a check found: a link for each outcome to its rows in the review; "" if there are none to look at."""
    address = reverse("mobjects:import-review", args=[imported.pk])
    counts = imported.counts if has_rows(imported) else {}
    counted = [
        (f"{address}?tab={outcome}", outcome_count_text(outcome, counts[outcome]))
        for outcome in OUTCOME_WORDS
        if counts.get(outcome)
    ]
    return _joined(counted, ", ") if counted else ""


def import_written(imported: Import) -> SafeString | str:
    """What an import wrote: created and changed as links to those of the records that still exist, what was left out as
    one to its rows.
    """
    model = RESOURCES[imported.kind]._meta.model
    models = {"created": model, "changed": model, "channels": Program}
    lists = {name: reverse(f"admin:mobjects_{model._meta.model_name}_changelist") for name, model in models.items()}
    rows = reverse("mobjects:import-review", args=[imported.pk])
    linked = [
        (f"{lists[name]}?import={imported.pk}-{name}" if name in lists else f"{rows}?left=1#rows", words)
        for name, words in written_parts(imported)
    ]
    return _joined(linked, ", ") if linked else written_text(imported)


def import_undone(imported: Import) -> SafeString | str:
    """What an undo did: a link for each outcome to its rows in the review."""
    address = reverse("mobjects:import-review", args=[imported.pk])
    linked = [(f"{address}?undone={name}#rows", words) for name, words in undone_parts(imported)]
    return _joined(linked, ", ") if linked else undone_text(imported)


def uncorrected_url(kind: str, job: UUID, status: str, reason: str) -> str:
    """Where the records are listed that a job did not get accepted for one reason and nobody changed since.

    Args:
        kind: of the records.
        status: of the job's results.
        reason: their reason's key.
    """
    asked = urlencode({WHERE: f"{UNCORRECTED}.is.{job}:{status}:{reason}"})
    return f"{reverse(f'admin:mobjects_{RECORD_MODELS[Kind(kind)]._meta.model_name}_changelist')}?{asked}"


def linked_count(number: int, address: str) -> SafeString | str:
    """A count in a sentence: a link to what it counts, or without an address as it is."""
    words = str(number_format(number, force_grouping=True))
    return format_html('<a href="{}">{}</a>', address, words) if address else words


def record_count_text(kind: str, count: int) -> str:
    """``412 opportunities``, in the language of the reader."""
    options: Any = RECORD_MODELS[Kind(kind)]._meta
    name = options.verbose_name if count == 1 else options.verbose_name_plural
    return _("%(count)s %(kind)s") % {"count": number_format(count, force_grouping=True), "kind": name}


def _joined(linked: Iterable[tuple[str, str]], separator: str) -> SafeString:
    links = [
        (format_html('<a class="underline whitespace-nowrap" href="{}">{}</a>', address, words),)
        for address, words in linked
    ]
    return format_html("<span>{}</span>", format_html_join(separator, "{}", links))
