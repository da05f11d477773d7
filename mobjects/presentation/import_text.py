"""Imports in words: sentences, counts, speeds, steps and badges. Reads rows that are loaded already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils import timezone
from django.utils.safestring import SafeString

from mobjects.formatting import format_count
from mobjects.models import Import, ImportRowOutcome, ImportState
from mobjects.presentation.badges import render_badge
from mobjects.presentation.job_text import format_duration

TONES: dict[str, str] = {
    ImportState.MAPPING: "warning",
    ImportState.CHECKING: "info",
    ImportState.REVIEW: "warning",
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
OUTCOME_WORDS: dict[str, str] = {
    ImportRowOutcome.NEW: "new",
    ImportRowOutcome.CHANGED: "changed",
    ImportRowOutcome.UNCHANGED: "unchanged",
    ImportRowOutcome.ERROR: "with errors",
    ImportRowOutcome.CONFLICT: "with conflicts",
}
STEPS = ("Upload", "Columns", "Check", "Review", "Write", "Result")
_AT: dict[str, int] = {
    ImportState.REFUSED: 0,
    ImportState.MAPPING: 1,
    ImportState.CHECKING: 2,
    ImportState.REVIEW: 3,
    ImportState.COMMITTING: 4,
    ImportState.COMMITTED: 5,
    ImportState.UNDOING: 5,
    ImportState.UNDONE: 5,
}
_PAGES = ("", "import-columns", "", "import-review", "", "")
_TO_COME = "to come"


@dataclass(frozen=True, slots=True)
class WizardStep:
    """One step of an import; ``view`` names its page, if it has one to go to now."""

    name: str
    words: str
    view: str

    @property
    def current(self) -> bool:
        """Whether the import is at this step."""
        return self.words not in ("done", _TO_COME)


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
    waiting = {ImportState.REFUSED: "refused here", ImportState.DISCARDED: "discarded here"}
    now = waiting.get(ImportState(imported.state), "now")
    return [
        WizardStep(name, "done" if number < at else _TO_COME if number > at else now, page if number <= at else "")
        for number, (name, page) in enumerate(zip(STEPS, _PAGES, strict=True))
    ]


def _at(imported: Import) -> int:
    if imported.state == ImportState.DISCARDED:
        return 3 if imported.counts else 1
    return _AT[imported.state]


def has_rows(imported: Import) -> bool:
    """Whether there are rows of a finished check to look at."""
    return bool(imported.counts) and imported.state not in (
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


def outcomes_text(counts: Mapping[str, int]) -> str:
    """Rows per outcome, such as ``312 new, 88 changed, 5 with errors``."""
    said = [f"{counts[outcome]:,} {OUTCOME_WORDS[outcome]}" for outcome in OUTCOME_WORDS if counts.get(outcome)]
    return ", ".join(said) or "no rows"


def describe_import(imported: Import, *, worker_alive: bool | None = None) -> str:
    """Where an import stands, as a sentence or two.

    Args:
        worker_alive: whether any worker runs; ``None`` if that is not known.
    """
    said = _SENTENCES[imported.state](imported)
    if imported.is_working and worker_alive is False:
        said += " No worker is running; it goes on once one is started."
    return said


def _working(verb: str, imported: Import) -> str:
    far = import_progress(imported)
    if far is None:
        return f"Waits for a worker to {verb} it."
    of = f" of {far.total:,}" if far.total is not None else ""
    noun = "records" if imported.state == ImportState.UNDOING else "rows"
    parts = [f"{far.done:,}{of} {noun} so far"]
    if far.rate >= 1:
        parts.append(f"{far.rate:,.0f} {noun} a second")
    if far.left is not None:
        parts.append(f"about {format_duration(max(far.left, 1))} left")
    return f"{imported.get_state_display()}: {', '.join(parts)}."


def _reviewing(imported: Import) -> str:
    if imported.committed_to:
        return f"Writing was broken off after row {imported.committed_to:,}: {written_text(imported)} so far."
    rows = format_count(imported.rows, "row")
    said = f"Checked {rows}: {outcomes_text(imported.counts)}."
    return " ".join(part for part in (said, blanks_text(imported.blanks), "Nothing has been written yet.") if part)


def blanks_text(blanks: Mapping[str, int]) -> str:
    """What blank cells would do, as a sentence; "" if they meet no value."""
    said = []
    if cleared := blanks.get(ImportRowOutcome.CHANGED):
        said.append(f"clear {format_count(cleared, 'value')}")
    if contested := blanks.get(ImportRowOutcome.CONFLICT):
        said.append(f"would clear {format_count(contested, 'value')} in rows with conflicts")
    if kept := blanks.get("kept"):
        said.append(
            f"leave {format_count(kept, 'value')} as it is" if kept == 1 else f"leave {kept:,} values as they are"
        )
    return f"Blank cells {' and '.join(said)}." if said else ""


def _committed(imported: Import) -> str:
    wrong = imported.counts.get(ImportRowOutcome.ERROR, 0)
    contested = 0 if imported.overwrite else imported.counts.get(ImportRowOutcome.CONFLICT, 0)
    parts = [f"{format_count(wrong, 'row')} with errors"] if wrong else []
    parts += [f"{format_count(contested, 'row')} in conflict"] if contested else []
    return f"Written: {written_text(imported)}." + (f" Not written: {', '.join(parts)}." if parts else "")


def written_text(imported: Import) -> str:
    """What the commit did, such as ``312 created, 88 changed, 2 left out``."""
    said = ", ".join(words for _, words in written_parts(imported))
    return said or "nothing, since every row equals what is here"


def written_parts(imported: Import) -> list[tuple[str, str]]:
    """What the commit did, as name and words: ``("created", "312 created")``.

    Channels that rows of tags set are no changed tags, and have a part of their own.
    """
    counts: dict[str, int] = dict(imported.written)
    channels = counts.get("channels", 0)
    counts["changed"] = counts.get("changed", 0) - channels
    words = {"created": "created", "changed": "changed", "channels": "channels set"}
    words |= {"left": "left out", "left_out": "left out"}
    if channels == 1:
        words["channels"] = "channel set"
    return [(name, f"{counts[name]:,} {said}") for name, said in words.items() if counts.get(name)]


def undone_text(imported: Import) -> str:
    """What the undo did, such as ``85 restored, 312 removed, 3 left alone``."""
    return ", ".join(words for _, words in undone_parts(imported)) or "nothing"


def undone_parts(imported: Import) -> list[tuple[str, str]]:
    """What the undo did, as name and words: ``("restored", "85 restored")``."""
    words = {"restored": "restored", "removed": "removed", "left": "left alone"}
    return [(name, f"{imported.undone[name]:,} {said}") for name, said in words.items() if imported.undone.get(name)]


_SENTENCES: dict[str, Callable[[Import], str]] = {
    ImportState.MAPPING: lambda imported: "Waits for a person to say what each column of the file means.",
    ImportState.CHECKING: lambda imported: _working("check", imported),
    ImportState.REVIEW: _reviewing,
    ImportState.COMMITTING: lambda imported: _working("write", imported),
    ImportState.COMMITTED: _committed,
    ImportState.UNDOING: lambda imported: _working("undo", imported),
    ImportState.UNDONE: lambda imported: f"Undone: {undone_text(imported)}.",
    ImportState.REFUSED: lambda imported: f"Refused: {imported.problem or 'no reason is known.'}",
    ImportState.DISCARDED: lambda imported: "Discarded: nothing of it was written.",
}
