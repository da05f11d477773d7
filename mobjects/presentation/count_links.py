"""Counts as links, each to exactly the records that it counts."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from mobjects.models import Import, Program, SyncJob
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


def _joined(linked: Iterable[tuple[str, str]], separator: str) -> SafeString:
    links = [
        (format_html('<a class="underline whitespace-nowrap" href="{}">{}</a>', address, words),)
        for address, words in linked
    ]
    return format_html("<span>{}</span>", format_html_join(separator, "{}", links))
