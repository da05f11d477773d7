"""Imports in words: sentences, counts, speeds, steps and badges. Reads rows that are loaded already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mobjects.kept_text import translate_kept
from mobjects.models import Import, ImportRowOutcome, ImportState
from mobjects.presentation.badges import render_badge
from mobjects.presentation.vocabulary import format_duration, join_each

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

TONES: dict[str, str] = {
    ImportState.MAPPING: "warning",
    ImportState.CHECKING: "info",
    ImportState.REVIEW: "warning",
    ImportState.HELD: "warning",
    ImportState.COMMITTING: "info",
    ImportState.COMMITTED: "success",
    ImportState.UNDOING: "info",
    ImportState.UNDONE: "neutral",
    ImportState.REFUSED: "danger",
    ImportState.DISCARDED: "neutral",
}
TABS = (
    ImportRowOutcome.ERROR,
    ImportRowOutcome.CONFLICT,
    ImportRowOutcome.NEW,
    ImportRowOutcome.CHANGED,
    ImportRowOutcome.UNCHANGED,
)
"""What needs a person first."""
OUTCOME_WORDS: dict[str, StrOrPromise] = {
    ImportRowOutcome.NEW: gettext_lazy("new"),
    ImportRowOutcome.CHANGED: gettext_lazy("changed"),
    ImportRowOutcome.UNCHANGED: gettext_lazy("unchanged"),
    ImportRowOutcome.ERROR: gettext_lazy("with errors"),
    ImportRowOutcome.CONFLICT: gettext_lazy("with conflicts"),
}
STEPS = (
    gettext_lazy("Upload"),
    gettext_lazy("Columns"),
    gettext_lazy("Check"),
    gettext_lazy("Review"),
    gettext_lazy("Write"),
    gettext_lazy("Result"),
)
_AT: dict[str, int] = {
    ImportState.REFUSED: 0,
    ImportState.MAPPING: 1,
    ImportState.CHECKING: 2,
    ImportState.REVIEW: 3,
    ImportState.HELD: 4,
    ImportState.COMMITTING: 4,
    ImportState.COMMITTED: 5,
    ImportState.UNDOING: 5,
    ImportState.UNDONE: 5,
}
_PAGES = ("", "import-columns", "", "import-review", "", "")


@dataclass(frozen=True, slots=True)
class WizardStep:
    """One step of an import; ``view`` names its page, if it has one to go to now. The import is at the current one."""

    name: str
    words: str
    view: str
    current: bool


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far a working import has come. ``total`` is ``None`` if it is not known."""

    done: int
    total: int | None
    rate: float
    left: float | None


def import_state_badge(imported: Import) -> SafeString:
    """The state, in words."""
    return render_badge(imported.get_state_display(), TONES[imported.state])


def wizard_steps(imported: Import) -> list[WizardStep]:
    """All steps in order, and which of them is the current one."""
    at = _at(imported)
    waiting = {ImportState.REFUSED: _("refused here"), ImportState.DISCARDED: _("discarded here")}
    now = waiting.get(ImportState(imported.state), _("now"))
    return [
        WizardStep(
            str(name),
            _("done") if number < at else _("to come") if number > at else now,
            page if number <= at else "",
            number == at,
        )
        for number, (name, page) in enumerate(zip(STEPS, _PAGES, strict=True))
    ]


def _at(imported: Import) -> int:
    if imported.state == ImportState.DISCARDED:
        return 3 if imported.counts else 1
    if imported.state == ImportState.HELD and imported.committed_to:
        return _AT[ImportState.UNDOING]
    return _AT[imported.state]


def has_rows(imported: Import) -> bool:
    """Whether there are rows of a finished check to look at."""
    kept = bool(imported.counts) and imported.rows_removed_at is None
    return kept and imported.state not in (
        ImportState.CHECKING,
        ImportState.MAPPING,
        ImportState.REFUSED,
    )


def import_progress(imported: Import) -> ImportProgress | None:
    """How far the step has come that goes on now; ``None`` if none does, or none has begun."""
    if not imported.is_working or imported.begun_at is None:
        return None
    done, total = _done(imported)
    seconds = ((imported.reported_at or timezone.now()) - imported.begun_at).total_seconds()
    rate = done / seconds if seconds >= 0.5 else 0.0
    left = (total - done) / rate if total is not None and rate and total > done else None
    return ImportProgress(done, total, rate, left)


def _done(imported: Import) -> tuple[int, int | None]:
    if imported.state == ImportState.CHECKING:
        return imported.rows, None
    if imported.state == ImportState.COMMITTING:
        # Blank rows count in the numbers of rows, so this is an estimate at the most.
        return min(max(imported.committed_to - 1, 0), imported.rows), imported.rows
    return sum(imported.undone.values()), imported.written.get("created", 0) + imported.written.get("changed", 0)


def outcome_count_text(outcome: str, count: int) -> str:
    """``312 new``."""
    return _("%(count)s %(status)s") % {"count": f"{count:,}", "status": OUTCOME_WORDS[outcome]}


def outcomes_text(counts: Mapping[str, int]) -> str:
    """Rows per outcome, such as ``312 new, 88 changed, 5 with errors``."""
    said = [outcome_count_text(outcome, counts[outcome]) for outcome in OUTCOME_WORDS if counts.get(outcome)]
    return ", ".join(said) or _("no rows")


def rows_text(count: int) -> str:
    """``1 row``, ``1,234 rows``."""
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}"}


def values_text(count: int) -> str:
    """``1 value``, ``1,234 values``."""
    return ngettext("%(count)s value", "%(count)s values", count) % {"count": f"{count:,}"}


def describe_import(imported: Import, *, worker_alive: bool | None = None) -> str:
    """Where an import stands, as a sentence or two.

    Args:
        worker_alive: whether any worker runs; ``None`` if that is not known.
    """
    said = _SENTENCES[imported.state](imported)
    if imported.is_working and worker_alive is False:
        said += " " + _("No worker is running; it goes on once one is started.")
    return said


def _working(imported: Import) -> str:
    far = import_progress(imported)
    if far is None:
        return str(_WAITS[imported.state])
    parts = [_far_words(far, undoing=imported.state == ImportState.UNDOING)]
    if far.rate >= 1:
        rate = {"count": f"{far.rate:,.0f}"}
        if imported.state == ImportState.UNDOING:
            parts.append(_("%(count)s records a second") % rate)
        else:
            parts.append(_("%(count)s rows a second") % rate)
    if far.left is not None:
        parts.append(_("about %(time)s left") % {"time": format_duration(max(far.left, 1))})
    return _("%(state)s: %(progress)s.") % {"state": imported.get_state_display(), "progress": ", ".join(parts)}


def _far_words(far: ImportProgress, *, undoing: bool) -> str:
    said = {"done": f"{far.done:,}", "count": f"{far.total or 0:,}"}
    if far.total is None:
        return (_("%(done)s records so far") if undoing else _("%(done)s rows so far")) % said
    return (_("%(done)s of %(count)s records so far") if undoing else _("%(done)s of %(count)s rows so far")) % said


def _reviewing(imported: Import) -> str:
    if imported.committed_to:
        return _("Writing was broken off after row %(number)s: %(outcome)s so far.") % {
            "number": f"{imported.committed_to:,}",
            "outcome": written_text(imported),
        }
    checked = {"rows": rows_text(imported.rows), "outcome": outcomes_text(imported.counts)}
    said = _("Checked %(rows)s: %(outcome)s.") % checked
    return " ".join(part for part in (said, blanks_text(imported.blanks), _("Nothing has been written yet.")) if part)


def blanks_text(blanks: Mapping[str, int]) -> str:
    """What blank cells would do, as a sentence; "" if they meet no value."""
    said = []
    if cleared := blanks.get(ImportRowOutcome.CHANGED):
        said.append(_("clear %(values)s") % {"values": values_text(cleared)})
    if contested := blanks.get(ImportRowOutcome.CONFLICT):
        said.append(_("would clear %(values)s in rows with conflicts") % {"values": values_text(contested)})
    if kept := blanks.get("kept"):
        words = ngettext("leave %(count)s value as it is", "leave %(count)s values as they are", kept)
        said.append(words % {"count": f"{kept:,}"})
    return _("Blank cells %(effects)s.") % {"effects": join_each(said)} if said else ""


def _committed(imported: Import) -> str:
    wrong = imported.counts.get(ImportRowOutcome.ERROR, 0)
    contested = 0 if imported.overwrite else imported.counts.get(ImportRowOutcome.CONFLICT, 0)
    parts = [_("%(rows)s with errors") % {"rows": rows_text(wrong)}] if wrong else []
    parts += [_("%(rows)s in conflict") % {"rows": rows_text(contested)}] if contested else []
    said = _("Written: %(outcome)s.") % {"outcome": written_text(imported)}
    return said + (" " + _("Not written: %(rows)s.") % {"rows": ", ".join(parts)} if parts else "")


def written_text(imported: Import) -> str:
    """What the commit did, such as ``312 created, 88 changed, 2 left out``."""
    said = ", ".join(words for _name, words in written_parts(imported))
    return said or _("nothing, since every row equals what is here")


def written_parts(imported: Import) -> list[tuple[str, str]]:
    """What the commit did, as name and words: ``("created", "312 created")``.

    Channels that rows of tags set are no changed tags, and have a part of their own.
    """
    counts: dict[str, int] = dict(imported.written)
    channels = counts.get("channels", 0)
    counts["changed"] = counts.get("changed", 0) - channels
    words = {
        "created": _("%(count)s created"),
        "changed": _("%(count)s changed"),
        "channels": ngettext("%(count)s channel set", "%(count)s channels set", channels),
        "left": _("%(count)s left out"),
        "left_out": _("%(count)s left out"),
    }
    return _counted_parts(words, counts)


def undone_text(imported: Import) -> str:
    """What the undo did, such as ``85 restored, 312 removed, 3 left alone``."""
    return ", ".join(words for _name, words in undone_parts(imported)) or _("nothing")


def undone_parts(imported: Import) -> list[tuple[str, str]]:
    """What the undo did, as name and words: ``("restored", "85 restored")``."""
    words = {
        "restored": _("%(count)s restored"),
        "removed": _("%(count)s removed"),
        "left": _("%(count)s left alone"),
    }
    return _counted_parts(words, imported.undone)


def _counted_parts(words: Mapping[str, str], counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, said % {"count": f"{counts[name]:,}"}) for name, said in words.items() if counts.get(name)]


def _refused(imported: Import) -> str:
    return _("Refused: %(reason)s") % {"reason": translate_kept(imported.problem) or _("no reason is known.")}


def _held(imported: Import) -> str:
    if imported.committed_to:
        return _("Nothing is put back before another person approves it.")
    return _("Nothing is written before another person approves it.")


_WAITS: dict[str, StrOrPromise] = {
    ImportState.CHECKING: gettext_lazy("Waits for a worker to check it."),
    ImportState.COMMITTING: gettext_lazy("Waits for a worker to write it."),
    ImportState.UNDOING: gettext_lazy("Waits for a worker to undo it."),
}
_SENTENCES: dict[str, Callable[[Import], str]] = {
    ImportState.MAPPING: lambda imported: _("Waits for a person to say what each column of the file means."),
    ImportState.CHECKING: _working,
    ImportState.REVIEW: _reviewing,
    ImportState.HELD: _held,
    ImportState.COMMITTING: _working,
    ImportState.COMMITTED: _committed,
    ImportState.UNDOING: _working,
    ImportState.UNDONE: lambda imported: _("Undone: %(outcome)s.") % {"outcome": undone_text(imported)},
    ImportState.REFUSED: _refused,
    ImportState.DISCARDED: lambda imported: _("Discarded: nothing of it was written."),
}
