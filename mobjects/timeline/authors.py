"""Who changed a value of a record last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from mobjects.bulk_edits.service import UNDO
from mobjects.formatting import format_moment
from mobjects.marketo.types import Kind
from mobjects.models import ApiToken, EditSource, ImportChange, RecordEdit, UndoOutcome
from mobjects.models.program import COST_PREFIX
from mobjects.timeline.import_values import import_values, rows_of_changes, tag_types

LOOKED_BACK = 20
"""So many of the newest changes of each sort are looked at to tell who made the last one."""


def last_author(kind: Kind, record_id: int, entry: str) -> str:
    """Who changed a value of a record last, and when, in words; "" if that is not known.

    Args:
        entry: the value's name, as :func:`mobjects.marketo.attributes.entry_name` gives it.
    """
    edits = RecordEdit.objects.filter(kind=kind.value, record_id=record_id).order_by("-pk")[:LOOKED_BACK]
    found = [(edit.created_at, _editor(edit)) for edit in edits if any(name == entry for name, *_ in edit.changes)]
    found += _importers(kind, record_id, entry)
    named = [(at, who) for at, who in found if who]
    if not named or max(found)[0] > max(named)[0]:
        return ""
    at, who = max(named)
    return f"{who}, {format_moment(at)}"


def _editor(edit: RecordEdit) -> str:
    if edit.source == EditSource.PULL:
        return _("a pull of %(name)s") % {"name": edit.username or _("a schedule")}
    return edit.username


def _importers(kind: Kind, record_id: int, entry: str) -> list[tuple[datetime, str]]:
    changes = ImportChange.objects.filter(owner_kind=kind.value, owner_id=record_id).select_related("imported")
    newest = list(changes.order_by("-pk")[:LOOKED_BACK])
    rows, types = rows_of_changes(newest), tag_types(newest)
    found = []
    for change in newest:
        row, imported = rows.get((change.imported_id, change.number)), change.imported
        names = {name for name, *_ in import_values(change, row, types)} if row is not None else set()
        if not any(_is_of(name, entry) for name in names):
            continue
        said = {"file": imported.file_name, "name": imported.committed_by}
        found.append((imported.committed_at or imported.created_at, _("the import of %(file)s by %(name)s") % said))
        if change.undone == UndoOutcome.RESTORED and imported.undone_at:
            said["name"] = imported.undone_by
            found.append((imported.undone_at, _("the undo of the import of %(file)s by %(name)s") % said))
    return found


def _is_of(name: str, entry: str) -> bool:
    """Whether a value is an entry, or a field of a cost that is one."""
    return name == entry or (entry.startswith(COST_PREFIX) and name.startswith(f"{entry} "))


def name_tokens(edits: Iterable[RecordEdit]) -> dict[str, str]:
    """How edits that came through the API are called, by what they refer to: the number of a token."""
    numbers = {edit.reference for edit in edits if edit.source == EditSource.API and edit.reference.isdecimal()}
    if not numbers:
        return {}
    found = ApiToken.objects.filter(pk__in=numbers)
    return {str(token.pk): _("API, token “%(token)s”") % {"token": token} for token in found}


def describe_source(source: EditSource, reference: str, tokens: Mapping[str, str]) -> str:
    """What an edit is, in words.

    Args:
        reference: of what it came with.
        tokens: the words for edits by the API, by the references of their tokens.
    """
    if source is EditSource.API:
        return tokens.get(reference, str(source.label))
    if source is EditSource.BULK and reference:
        number = reference.removesuffix(UNDO)
        words = _("Bulk edit %(number)s") if number == reference else _("Undo of bulk edit %(number)s")
        return words % {"number": number}
    return str(source.label)
