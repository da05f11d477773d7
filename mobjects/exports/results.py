"""Results and jobs as files: exactly what a list shows, with all its rows, in the list's order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from mobjects.exports.formats import ExportFormat
from mobjects.exports.service import CountedRows, DownloadUser, log_download
from mobjects.kept_text import translate_kept
from mobjects.models import DownloadContent, SyncJob, SyncResult
from mobjects.spreadsheets.types import Cell
from mobjects.spreadsheets.xlsx_writer import MAX_CELL_CHARACTERS

_LONGEST = MAX_CELL_CHARACTERS // 7  # A character can become seven in a workbook.


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column of such a file.

    Args:
        name: its header.
        read: makes its cell of a row.
        is_text: whether cells are text, which is neutralised in files where it looks like a formula.
    """

    name: str
    read: Callable[[Any], Cell]
    is_text: bool = True


def result_columns(
    title_of: Callable[[SyncJob], str], name_of: Callable[[str], str], kinds: Collection[str]
) -> list[ReportColumn]:
    """The columns of a file of results, in the reader's language.

    Args:
        title_of: what a job is called.
        name_of: what a field is called.
        kinds: whose values the reader may see.
    """
    return [
        ReportColumn(_("Job"), lambda result: title_of(result.job)),
        ReportColumn(_("Job number"), lambda result: str(result.job_id)),
        ReportColumn(_("Record"), lambda result: result.shown_label),
        ReportColumn(_("Kind"), lambda result: str(result.get_kind_display())),
        ReportColumn(_("Own ID"), lambda result: result.record_id, is_text=False),
        ReportColumn(_("Marketo ID"), lambda result: result.marketo_id, is_text=False),
        ReportColumn(_("Marketo GUID"), lambda result: result.marketo_guid),
        ReportColumn(_("Status"), lambda result: str(result.get_status_display())),
        ReportColumn(_("Reason"), lambda result: cut_text(translate_kept(result.error))),
        ReportColumn(_("Changes"), lambda result: cut_text(changes_text(result, name_of, kinds))),
        ReportColumn(_("Batch"), lambda result: result.batch.sequence if result.batch else None, is_text=False),
        ReportColumn(_("Revision"), lambda result: result.revision, is_text=False),
        ReportColumn(_("Time"), lambda result: utc_of(result.created_at), is_text=False),
    ]


def job_columns(
    title_of: Callable[[SyncJob], str], outcome_of: Callable[[SyncJob], str], operation_of: Callable[[SyncJob], str]
) -> list[ReportColumn]:
    """The columns of a file of jobs, in the reader's language.

    Args:
        title_of: what a job is called.
        outcome_of: what it has come to, in words.
        operation_of: by which operation it sends; "" where it sends nothing.
    """
    return [
        ReportColumn(_("Job"), title_of),
        ReportColumn(_("Job number"), lambda job: str(job.pk)),
        ReportColumn(_("State"), lambda job: str(job.get_state_display())),
        ReportColumn(_("Action"), lambda job: str(job.get_action_display())),
        ReportColumn(_("Kind"), lambda job: str(job.get_kind_display())),
        ReportColumn(_("Operation"), operation_of),
        ReportColumn(_("By"), lambda job: job.username),
        ReportColumn(_("Reason"), lambda job: cut_text(job.reason)),
        ReportColumn(_("Records"), lambda job: max(job.planned, job.result_count), is_text=False),
        ReportColumn(_("Outcome"), outcome_of),
        ReportColumn(_("Asked for"), lambda job: utc_of(job.created_at), is_text=False),
        ReportColumn(_("Started"), lambda job: utc_of(job.started_at), is_text=False),
        ReportColumn(_("Finished"), lambda job: utc_of(job.finished_at), is_text=False),
    ]


def write_report(
    columns: Sequence[ReportColumn],
    rows: Iterable[Any],
    file_format: ExportFormat,
    taker: DownloadUser,
    filters: str,
) -> Generator[bytes, None, None]:
    """Write down that history is taken out, and give the file.

    Args:
        columns: of the file.
        rows: in its order; read as the file is sent.
        file_format: what to write.
        taker: who gets it.
        filters: what the list was narrowed to, in words.
    """
    counted = CountedRows(rows)
    cells = ([column.read(row) for column in columns] for row in counted)
    names = [column.name for column in columns]
    return log_download(
        DownloadContent.HISTORY,
        file_format.iter_pieces(columns, cells),
        counted,
        taker,
        extension=file_format.extension,
        columns=names,
        filters=filters,
    )


def changes_text(result: SyncResult, name_of: Callable[[str], str], kinds: Collection[str]) -> str:
    """What a result sent, a field on a line; once the values are not kept any more, that they are not.

    Args:
        name_of: what a field is called.
        kinds: whose values the reader may see.
    """
    if result.kind not in kinds:
        return _("Not shown: you may not see records of this kind, or not all that belongs to them.")
    if not result.diff and result.job.values_removed_at:
        return _("The values are not kept any more.")
    return "\n".join(f"{name_of(name)}: {before or '-'} → {sent or '-'}" for name, before, sent in result.diff)


def cut_text(text: str) -> str:
    """A text that a cell of every format holds; what is longer ends with an ellipsis."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def utc_of(at: datetime | None) -> datetime | None:
    """A moment in UTC, as all files write it."""
    return at.astimezone(UTC) if at else None
