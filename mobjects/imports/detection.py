"""The head of a file: how it is read, and what its columns probably mean."""

from __future__ import annotations

from collections.abc import Collection
from typing import BinaryIO

from django.utils.translation import gettext_noop as _

from mobjects.imports import column_mapping
from mobjects.imports.file_limits import limits_for
from mobjects.models import Import
from mobjects.models.imports import FILE_KINDS
from mobjects.spreadsheets import reader as tables
from mobjects.spreadsheets.types import DetectedFile, FileRefused, ReadOptions

DETECTED_FIELDS = (
    *("format", "encoding", "delimiter", "sheet", "header_row", "sheets", "notes"),
    *("headers", "samples", "mapping", "constants", "blank_clears", "correction_of", "formats"),
)
"""What :func:`detect_import_file` finds out."""


def detect_import_file(
    imported: Import, file: BinaryIO, reading: ReadOptions | None, kinds: Collection[str] = ()
) -> bool:
    """Set what the head of a file tells, and what its columns probably mean.

    Args:
        imported: with the kind that is said, or that stands for it until it is.
        file: seekable.
        reading: what a person decided about reading it.
        kinds: those that the file may be, if nobody said its kind.

    Returns:
        Whether it is known what the file holds.

    Raises:
        FileRefused: it cannot be read in that way; only what ``reading`` says is set.
    """
    try:
        is_name = column_mapping.known_names().__contains__
        head = tables.detect_file(
            file,
            imported.file_name,
            limits_for(imported.source),
            reading,
            lambda text: is_name(column_mapping.normalise_header(text)),
        )
    except FileRefused:
        if reading is not None:
            _set_read_options(imported, reading)
        raise
    _set_read_options(imported, head.options)
    imported.sheets, imported.notes = list(head.sheets), list(head.notes)
    imported.headers, imported.samples = list(head.headers), [list(values) for values in head.samples]
    is_known = _find_kind(imported, kinds)
    _propose(imported, head)
    return is_known


def _find_kind(imported: Import, kinds: Collection[str]) -> bool:
    """Guess what the file holds if nobody said so; and say where the headers look like another kind."""
    guessed = column_mapping.guess_kind(imported.headers)
    name = dict(FILE_KINDS).get(guessed, "").lower()
    if guessed and guessed in kinds:
        imported.kind = guessed
        imported.notes.append(_("Its headers say that the file holds %(name)s.") % {"name": name})
        return True
    if guessed not in ("", imported.kind):
        imported.notes.append(
            _("The headers look like those of %(name)s. If that is what the file holds, say so.") % {"name": name}
        )
    elif kinds:
        imported.notes.append(_("Its headers do not tell what the file holds: say so."))
    return not kinds


def _set_read_options(imported: Import, reading: ReadOptions) -> None:
    imported.format, imported.encoding = reading.format, reading.encoding
    imported.delimiter, imported.sheet, imported.header_row = reading.delimiter, reading.sheet, reading.header


def get_read_options(imported: Import) -> ReadOptions:
    """How the file of an import is read."""
    return ReadOptions(imported.format, imported.encoding, imported.delimiter, imported.sheet, imported.header_row)


def _propose(imported: Import, head: DetectedFile) -> None:
    headers = list(head.headers)
    saved = column_mapping.find_saved_mapping(imported.kind, headers)
    imported.constants = dict(saved.constants) if saved else {}
    imported.blank_clears = list(saved.blank_clears) if saved else []
    proposed = column_mapping.propose_mapping(imported.kind, headers)
    corrected = column_mapping.find_corrected_import(headers, imported.kind)
    if corrected is not None:
        imported.correction_of = corrected
        before = dict(zip(corrected.headers, corrected.mapping, strict=True))
        proposed = [
            before.get(header, name) if header else name for header, name in zip(headers, proposed, strict=True)
        ]
        imported.constants, imported.blank_clears = dict(corrected.constants), list(corrected.blank_clears)
        imported.formats = dict(corrected.formats)
    imported.mapping = proposed
