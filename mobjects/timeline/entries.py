"""What stands in the history of a record: one entry, and how entries are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mobjects.models import Approval, Conflict, EditSource, Import, SyncResult
from mobjects.timeline.import_values import ValueChange

VALUES_SHOWN = 200
"""So many values at most stand in one entry; what was saved together with them is in the next."""


class EntryKind(TextChoices):
    """What an entry is about; the history can be narrowed to one."""

    EDIT = "edit", _("Edits")
    IMPORT = "import", _("Imports")
    SEND = "send", _("Sends")
    READ = "read", _("Pulls and look-ups")
    DECISION = "decision", _("Decisions")
    DELETION = "deletion", _("Deletions")
    UNDO = "undo", _("Undo")
    APPROVAL = "approval", _("Approvals")


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """What the history is narrowed to; "" is no narrowing.

    Args:
        what: one of :class:`EntryKind`.
        person: a user's name.
        field: name of a value, or one of :data:`mobjects.timeline.fields.PREFIXES`.
    """

    what: str = ""
    person: str = ""
    field: str = ""

    def wants(self, *kinds: EntryKind) -> bool:
        """Whether any of these kinds is to be shown."""
        return not self.what or self.what in kinds


@dataclass(slots=True)
class TimelineEntry:
    """One thing that happened to a record.

    Args:
        at: when.
        kind: what it is.
        title: the same in words.
        position: where it stands in its stream; what comes after it is older.
        person: who did it; "" if nobody is known.
        changes: names with the values before and after.
        source: of an edit, where it came from.
        reference: of an edit, the id of what it came with.
        imported: of an import or its undo.
        row: of these, the number of the row; 0 if it was several.
        note: a further sentence.
        result: of something that was sent or read.
        conflict: of a decision.
        approval: of what was held for one.
        removed_at: when its values were removed, because their period was over.
        since: when that period had begun.
        restores: what :mod:`mobjects.timeline.restoring` calls it; "" if there is nothing to bring back.
    """

    at: datetime
    kind: EntryKind
    title: str
    position: str
    person: str = ""
    changes: Sequence[ValueChange] = field(default_factory=list)
    source: EditSource | None = None
    reference: str = ""
    imported: Import | None = None
    row: int = 0
    note: str = ""
    result: SyncResult | None = None
    conflict: Conflict | None = None
    approval: Approval | None = None
    removed_at: datetime | None = None
    since: datetime | None = None
    restores: str = ""


def merge_changes(changes: Sequence[ValueChange]) -> list[ValueChange]:
    """What several changes, oldest first, come to; a value that is back where it was is left out."""
    merged: dict[str, tuple[str, str]] = {}
    for name, old, new in changes:
        merged[name] = (merged[name][0] if name in merged else old, new)
    return [(name, old, new) for name, (old, new) in merged.items() if old != new]
