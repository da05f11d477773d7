"""What people ask of an import: upload, columns, fixes, check, commit, undo, discard; in the admin as on a terminal.

Each function looks at the state in the database and moves it in one conditional statement, so that of two people who
ask at the same moment one gets it. What takes long is done by a worker (:mod:`mobjects.imports.runner`); nothing here
reads a whole file but the upload itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects import clock
from mobjects.audit.events import current_token, record_event
from mobjects.imports import column_mapping, commit_gate, detection, file_storage, runner
from mobjects.imports.file_limits import limits_for
from mobjects.imports.formats.questions import clean_answers
from mobjects.imports.lifecycle import IMPORT_STATES, InvalidState
from mobjects.models import EventKind, Import, ImportState
from mobjects.spreadsheets.types import FileRefused, ReadOptions

_BUSY = {
    ImportState.CHECKING: _("The file is being checked."),
    ImportState.HELD: _("It waits for another person's approval."),
    ImportState.COMMITTING: _("The rows are being written."),
    ImportState.COMMITTED: _("The rows are written."),
    ImportState.UNDOING: _("The import is being undone."),
    ImportState.UNDONE: _("The import was undone."),
    ImportState.REFUSED: _("The file cannot be read."),
    ImportState.DISCARDED: _("The import was discarded."),
    ImportState.MAPPING: _("The columns are not decided yet."),
    ImportState.REVIEW: _("The import waits for review."),
}


# --- uploading ------------------------------------------------------------------------------


def start_import(
    kind: str,
    file: BinaryIO,
    name: str,
    *,
    user: User | None,
    username: str,
    source: str,
    pasted: bool = False,
    reading: ReadOptions | None = None,
    reason: str = "",
    check: bool = True,
    enqueue: bool = True,
    kinds: Collection[str] = (),
    keep: Callable[[Callable[[], Import]], Import] = lambda store: store(),
) -> Import:
    """Look at a file's head and keep it. If nothing about its columns is open, its check is asked for at once.

    Args:
        kind: of the file, a key of ``RESOURCES``; with ``kinds`` the one to begin with.
        file: seekable.
        name: of the file; its ending tells the format.
        user: who uploads it, if that is one of our users.
        username: kept in the history, also when the user is deleted.
        source: a value of ``ImportSource``.
        pasted: whether it is pasted text and not a file.
        reading: how to read it; what is empty in it is found out.
        reason: kept in the history.
        check: ``False`` if there is more to say about it first.
        enqueue: whether a worker is queued for the check; who runs it himself says ``False``.
        kinds: what the file may hold, if that is to be told by its headers.
        keep: calls what it is given, which stores the file, once that was looked at: a workbook takes seconds.

    Returns:
        The import: being checked, waiting for its columns, or refused if it cannot be read (``problem`` says why).

    Raises:
        FileRefused: the file is too large; nothing of it is kept.
    """
    limits = limits_for(source)
    if file.seek(0, io.SEEK_END) > limits.size:
        raise file_storage.file_too_large(limits.size)
    imported = Import(
        kind=kind, file_name=file_storage.short_name(name), user=user, source=source, pasted=pasted, reason=reason
    )
    imported.username, imported.by_token = username or (user.get_username() if user else ""), current_token()
    refused = ""
    try:
        check = detection.detect_import_file(imported, file, reading, kinds) and check
    except FileRefused as error:
        refused = str(error)
    file.seek(0)
    return keep(partial(_store, imported, file, refused, check=check, enqueue=enqueue))


def _store(imported: Import, file: BinaryIO, refused: str, *, check: bool, enqueue: bool) -> Import:
    with transaction.atomic():
        file_storage.store_file(imported, file)
        if refused:
            IMPORT_STATES.change(imported, ImportState.REFUSED, problem=refused)
        elif check and not column_problems(imported):
            request_check(imported, enqueue=enqueue)
    return imported


def same_file_imports(imported: Import) -> QuerySet[Import]:
    """Earlier imports of the same bytes as the same kind, the newest first; those that came to nothing left out."""
    same = Import.objects.filter(kind=imported.kind, sha256=imported.sha256, pk__lt=imported.pk)
    return same.exclude(state__in=(ImportState.REFUSED, ImportState.DISCARDED))


# --- columns and fixes ----------------------------------------------------------------------


def column_problems(imported: Import) -> list[str]:
    """What has to be decided about the columns before the file can be checked, as sentences."""
    return column_mapping.find_mapping_problems(imported.kind, imported.headers, imported.mapping, imported.constants)


def set_columns(
    imported: Import,
    chosen: Sequence[str | None],
    constants: Mapping[str, str],
    reading: ReadOptions | None = None,
    blank_clears: Collection[str] | None = None,
) -> list[str]:
    """Say what the columns mean, and perhaps how the file is to be read. The import waits for its check then.

    Args:
        imported: waits for its columns, for review, or was refused.
        chosen: for each header the name of our column, ``""`` to leave it out, ``None`` if that is still open.
        constants: name of our column to the text that all rows have there.
        reading: how to read the file, if that is to be changed. If its headers are others then, ``chosen`` is of no
            use, and what they probably mean is proposed.
        blank_clears: names of our columns whose blank cells clear the field; ``None`` leaves that as it is.

    Returns:
        What is still to be decided; see :func:`column_problems`.

    Raises:
        InvalidState: it is being worked on, or is over, or part of it is written.
        FileRefused: it cannot be read in that way; nothing was changed.
    """
    _allow(imported, {ImportState.MAPPING, ImportState.REVIEW, ImportState.REFUSED})
    before = ImportState(imported.state), list(imported.headers)
    if reading is not None and (
        reading != detection.get_read_options(imported) or imported.state == ImportState.REFUSED
    ):
        try:
            with file_storage.open_import_file(imported) as file:
                detection.detect_import_file(imported, file, reading)
        except FileRefused:
            imported.refresh_from_db()
            raise
    elif imported.state == ImportState.REFUSED:
        raise InvalidState(gettext("The file cannot be read. Say how to read it, or upload another one."))
    if imported.headers == before[1] and len(chosen) == len(imported.headers):
        imported.mapping, imported.constants = list(chosen), dict(constants)
        if blank_clears is not None:
            imported.blank_clears = [name for name in imported.mapping if name in blank_clears]
    _move(imported, {before[0]}, ImportState.MAPPING, names=detection.DETECTED_FIELDS, problem="")
    return column_problems(imported)


def set_kind(imported: Import, kind: str) -> list[str]:
    """Say that the file holds another kind of records: it stays, and what its columns probably mean is proposed anew.

    Args:
        imported: waits for its columns or for review.
        kind: a key of ``RESOURCES``.

    Returns:
        What is still to be decided; see :func:`column_problems`.

    Raises:
        InvalidState: it is being worked on, or is over, or part of it is written.
        FileRefused: it cannot be read any more; nothing was changed.
    """
    _allow(imported, {ImportState.MAPPING, ImportState.REVIEW})
    before = ImportState(imported.state)
    imported.kind, imported.correction_of = kind, None
    with file_storage.open_import_file(imported) as file:
        detection.detect_import_file(imported, file, detection.get_read_options(imported))
    with transaction.atomic():
        _move(imported, {before}, ImportState.MAPPING, names=("kind", *detection.DETECTED_FIELDS), problem="")
        imported.fixes.all().delete()
    return column_problems(imported)


class Correction(NamedTuple):
    """A value in the place of another, or of all cells that break a rule; see :class:`~mobjects.models.ImportFix`."""

    column: str
    value: str
    replacement: str
    number: int | None = None
    by_rule: bool = False


def correct_import(
    imported: Import,
    corrections: Iterable[Correction],
    *,
    removed: Collection[int] = (),
    formats: Mapping[str, str] | None = None,
    username: str = "",
) -> None:
    """Correct many things at once; heeded by the next check.

    Args:
        imported: waits for review or for its columns.
        corrections: the later one of two for the same cells counts.
        removed: ids of corrections that are taken back.
        formats: answers by question, of :data:`~mobjects.imports.formats.questions.QUESTIONS`; ``None`` to leave them.
        username: who says so.

    Raises:
        InvalidState: it is being worked on, or is over, or part of it is written.
    """
    with transaction.atomic():
        _outdate(imported, **({} if formats is None else {"formats": clean_answers(formats)}))
        _remove_corrections(imported, removed)
        for column, value, replacement, number, by_rule in corrections:
            imported.fixes.update_or_create(
                column=column,
                value=value,
                number=number,
                by_rule=by_rule,
                # A form can bring a NUL, which PostgreSQL refuses.
                defaults={"replacement": replacement.replace("\0", ""), "username": username},
            )


def _remove_corrections(imported: Import, removed: Collection[int]) -> None:
    """Take corrections back; which cells they were about stays, not what stood in them."""
    fixes = imported.fixes.filter(pk__in=removed)
    for column, number in list(fixes.values_list("column", "number")):
        record_event(EventKind.CORRECTION_REMOVED, on=imported, detail={"column": column, "row": number})
    fixes.delete()


def _outdate(imported: Import, **values: Any) -> None:
    """What the check found is no longer what the file means: it has to be checked again before it can be written."""
    _allow(imported, {ImportState.MAPPING, ImportState.REVIEW})
    _move(imported, {ImportState(imported.state)}, ImportState(imported.state), checked_at=None, **values)


# --- steps ----------------------------------------------------------------------------------


def request_check(imported: Import, *, enqueue: bool = True) -> None:
    """Have the whole file checked; its columns are remembered for the next file with the same headers.

    Args:
        imported: waits for its columns, or for review (to check again).
        enqueue: whether a worker is queued; who runs it himself says ``False``.

    Raises:
        InvalidState: columns are undecided, or it is being worked on, or is over, or part of it is written.
    """
    _allow(imported, {ImportState.MAPPING, ImportState.REVIEW})
    if open_questions := column_problems(imported):
        raise InvalidState(" ".join(open_questions))
    found = {"rows": 0, "counts": {}, "problems": 0, "checked_at": None}
    with transaction.atomic():
        _start_step(imported, {ImportState.MAPPING, ImportState.REVIEW}, ImportState.CHECKING, enqueue=enqueue, **found)
        column_mapping.save_mapping(imported)


def request_commit(
    imported: Import, mode: str, overwrite: bool, user: User | None, *, username: str = "", enqueue: bool = True
) -> None:
    """Have the rows written, or held if a rule says so. Of a commit that was broken off, the rest, as it was begun.

    Args:
        imported: waits for review.
        mode: a value of ``ImportMode``.
        overwrite: whether rows that conflict with changes made here are written too.
        user: who wants it, if that is one of our users.
        username: who else wants it.
        enqueue: whether a worker is queued.

    Raises:
        InvalidState: it was not checked, or not since its last fix; or all are wanted and some cannot be written; or
            it is being worked on, or is over.
    """
    imported.refresh_from_db()
    if imported.state != ImportState.REVIEW:
        raise InvalidState(_busy_message(imported))
    if imported.undone:
        raise InvalidState(gettext("Part of the import is undone already. Undo the rest."))
    if imported.checked_at is None:
        raise InvalidState(gettext("Values were changed since the check. Check the file again."))
    values: dict[str, Any] = {"committed_by": user.get_username() if user else username}
    if not imported.committed_to:
        commit_gate.refuse_mode(imported, mode, overwrite=overwrite)
        values |= {"mode": mode, "overwrite": overwrite}
        if commit_gate.hold_if_ruled(imported, user, username, **values):
            return
    _start_step(imported, {ImportState.REVIEW}, ImportState.COMMITTING, enqueue=enqueue, by=(user, username), **values)


def request_undo(imported: Import, user: User | None, *, username: str = "", enqueue: bool = True) -> None:
    """Have taken back what the import wrote, also what a commit wrote before it was broken off. A rule may hold that.

    Raises:
        InvalidState: nothing is written, or it is being worked on, or was undone, or its rows are not kept any more.
    """
    imported.refresh_from_db()
    if imported.state != ImportState.COMMITTED and not (imported.state == ImportState.REVIEW and imported.committed_to):
        raise InvalidState(_busy_message(imported))
    if imported.rows_removed_at is not None:
        raise InvalidState(gettext("What it wrote is not kept any more, so it cannot be undone."))
    if commit_gate.hold_if_ruled(imported, user, username, undoes=True):
        return
    before, name = {ImportState(imported.state)}, user.get_username() if user else username
    _start_step(imported, before, ImportState.UNDOING, enqueue=enqueue, by=(user, username), undone_by=name)


def discard_import(imported: Import) -> None:
    """Give an import up. A check that is under way stops after the rows it is at.

    Raises:
        InvalidState: its rows are being written, or are written, in part or all; or it is over.
    """
    allowed = {ImportState.MAPPING, ImportState.REVIEW, ImportState.REFUSED, ImportState.CHECKING}
    _allow(imported, allowed)
    with transaction.atomic():
        _move(imported, allowed, ImportState.DISCARDED)
        record_event(EventKind.DISCARDED, on=imported)
        imported.leases.all().delete()


# --- moving ---------------------------------------------------------------------------------


def _busy_message(imported: Import) -> str:
    return f"{_BUSY[ImportState(imported.state)]} " + gettext("Reload the page to see how it stands.")


def _allow(imported: Import, states: Collection[ImportState]) -> None:
    imported.refresh_from_db()
    if imported.state not in states:
        raise InvalidState(_busy_message(imported))
    if imported.committed_to:
        raise InvalidState(gettext("Part of the rows is written already. Write the others too, or undo the import."))


def _move(
    imported: Import,
    states: Collection[ImportState],
    to: ImportState,
    *,
    names: Collection[str] = (),
    **values: Any,
) -> None:
    """Change from one of ``states``, unless somebody else has just done so; attributes by ``names`` are saved too."""
    values |= {name: getattr(imported, name) for name in names}
    unchanged = Q(committed_to=imported.committed_to)
    if not IMPORT_STATES.change(imported, to, only_from=states, where=unchanged, **values):
        raise InvalidState(_busy_message(imported))


def _start_step(
    imported: Import, states: Collection[ImportState], to: ImportState, *, enqueue: bool, by: Any = None, **values: Any
) -> None:
    values |= commit_gate.STEP_BEGINS
    with transaction.atomic():
        _move(imported, states, to, step_at=clock.now(), **values)
        if by is not None:
            record_event(EventKind.ASKED, on=imported, user=by[0], username=by[1], detail={"what": to.value})
    if enqueue:
        transaction.on_commit(partial(runner.enqueue_import, imported.pk))
