"""The fault matrix in docs/: from what tests observed to lines of a table, and back to the lines of the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from tests.files import ROOT

DOCUMENT = ROOT / "docs" / "fault-matrix.md"
COMMAND = "make fault-matrix"

_HEAD = """# What happens when a call to Marketo goes wrong

Two records are sent in one call, and the local test Marketo spoils that call (only that one) in a certain way. The
tests in `tests/flow/test_faults.py` (over SOAP, through the real queue) and `tests/flow/test_rest_faults.py` (over
REST) do so for faults and kinds of sending, over real HTTP, and write down what they see. What one update of a program
goes through over REST, call by call, is the work of `tests/flow/test_program_calls.py`. This page is made from that by
`make fault-matrix`; the tests fail if it no longer says what they saw. In every case they also make sure that

- every local change is in Marketo, or still marked as changed or as "outcome unknown",
- Marketo holds no object, cost or role twice,
- the history has a batch for every call, a result for every record, and counts that agree.

Edits, sendings, faults and killed processes in any order (`tests/flow/test_machine.py`) and workers that are killed
at random (`tests/flow/test_kill.py`) are tried over both APIs. What does not look at the wire is shown over one:
Redis that loses its data over REST, because the token lies there; a worker that is asked to end, the web, the
database's connections and a reboot over SOAP (`tests/flow/test_survival.py`, which takes `--transport rest` in
`bench/survival.py`). `tests/flow/test_worker_process.py` calls no Marketo at all.

How to read the tables:

- **Sending**: over SOAP "every" stands for all seven: INSERT, UPSERT by key and UPDATE of opportunities, INSERT and
  UPDATE of roles, UPDATE of programs with a new cost and tag, and with an edited cost (its ID is known) and tag.
- **At first**: the state of the job, and in brackets of its records, right after the spoilt call.
- **By itself**: what the job does later without anybody's help. *Looked up* means that it asks Marketo what became of a
  sending that was not answered, before anything that could make a double is sent again. *Sent again* counts calls.
- **In the end**: the same states when the job is over.
- **For a person**: what is left to do. "Sync again" is enough where nothing else is said; after "reset the connection"
  too.
- "; applied" in a fault: Marketo did carry out the call, we just were not told so. What is said of it is the same.

The waiting itself is in [retries.md](retries.md).
"""

_TABLE = """
## Fault by fault, over SOAP

| Fault | Sending | At first | By itself | In the end | For a person |
|---|---|---|---|---|---|
"""
_LOOK_UPS = """
## When the look-up goes wrong too

An opportunity without a key was inserted, the connection was cut after Marketo had applied that, and then the look-up
is spoilt as well. The tests see to it that it is never inserted a second time.

| Fault | In the end | Calls that sent it | Look-ups |
|---|---|---|---|
"""
_WORDS = """
## What the history says of the call

| Fault | Words |
|---|---|
"""
_REST_TABLE = """
## Fault by fault, over REST

A program is a batch of its own here, and takes several calls: the first one that writes is spoilt. A role with another
key is deleted and made anew, with two calls; the first is spoilt. Each fault meets some of the sendings: one of each
sort where several would fare alike, and only what is answered with a row for each record where rows are spoilt.

| Fault | Sending | At first | By itself | In the end | For a person |
|---|---|---|---|---|---|
"""
_REST_LOOK_UPS = """
## When the look-up goes wrong too, over REST

As above; the look-up asks for the opportunities by their keys.

| Fault | In the end | Calls that sent it | Look-ups |
|---|---|---|---|
"""
_REST_WORDS = """
## What the history says of the call, over REST

| Fault | Words |
|---|---|
"""
_PROGRAM_CALLS = """
## Each call of a program's update in turn, over REST

Marketo adds the costs that it is sent, so one that is sent twice is spent twice; and a list of tags takes away those
that it lacks. Each of these updates is sent again and again, and each of its calls in turn is spoilt. Right after the
spoilt call somebody in Marketo enters a cost of their own. A cell says what the job then does by itself. In each of
these runs it ends as "Finished (Synced)"; Marketo holds every cost once, theirs included, and every tag, those that are
not known here included; and a second job sends nothing.

A cost that somebody enters between our last look and a list that replaces another one is lost: Marketo offers no way
to see it. It takes an edit within the same second; a list is sent only where a cost was changed or removed here.

| Update | Call | No answer in time | Cut before | Cut after | 604 | 604, applied |
|---|---|---|---|---|---|---|
"""
_ASKED_FIRST = """
## Undo, and what a dry run kept, over REST

Two opportunities were changed and sent, and that is undone, each read in Marketo first; or their change is kept as a
dry run, and exactly that is sent (`tests/flow/test_undo_faults.py`). The dry run itself calls nothing that writes.

| Spoilt call | Faults | At first | By itself | In the end | For a person |
|---|---|---|---|---|---|
"""
_NOT_OVER_REST = """
## What there is not over REST

| Over SOAP | Over REST |
|---|---|
"""
SECTIONS = {
    "table": _TABLE,
    "look-ups": _LOOK_UPS,
    "words": _WORDS,
    "REST table": _REST_TABLE,
    "REST look-ups": _REST_LOOK_UPS,
    "REST words": _REST_WORDS,
    "program calls": _PROGRAM_CALLS,
    "asked first": _ASKED_FIRST,
    "not over REST": _NOT_OVER_REST,
}
"""What stands before the lines of each table, in their order."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed of one sending, in words."""

    at_first: str
    by_itself: str
    in_the_end: str
    for_a_person: str


def rows(fault: str, observed: Mapping[str, Facts], *, every: int = 0) -> list[str]:
    """The lines about a fault; sendings that fared alike share one.

    Args:
        observed: by sending.
        every: how many sendings there are; 0 for those observed.
    """
    alike: dict[Facts, list[str]] = {}
    for sending, facts in observed.items():
        alike.setdefault(facts, []).append(sending)
    lines = []
    for facts, sendings in alike.items():
        which = "every" if len(sendings) == (every or len(observed)) else "; ".join(_merged(sendings))
        lines.append(line(fault, which, facts.at_first, facts.by_itself, facts.in_the_end, facts.for_a_person))
    return lines


def line(*cells: object) -> str:
    """One line of a table."""
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def stands_in_document(lines: Sequence[str]) -> None:
    """Require that the document has exactly these lines about what they all begin with; no lines require nothing."""
    if not lines:
        return
    (fault,) = {each.split(" | ")[0] for each in lines}
    document = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    kept = [each for each in document.splitlines() if each.startswith(f"{fault} | ")]
    assert kept == list(lines), f"{DOCUMENT.name} does not say what was seen; run {COMMAND}"


def faults_in_document(*sections: str) -> set[str]:
    """What the lines of these tables begin with."""
    return {line[2:].split(" | ")[0] for section in sections for line in _kept(section)}


def write(found: Mapping[str, Sequence[str]]) -> None:
    """Write the document anew; tables that were not looked at stay as they are.

    Args:
        found: lines by section.
    """
    parts = [_HEAD]
    for section, head in SECTIONS.items():
        parts += [head, *_lines(found.get(section, _kept(section)))]
    DOCUMENT.write_text("".join(parts), encoding="utf-8")


def _kept(section: str) -> list[str]:
    """The lines that the document has in a table."""
    heading = SECTIONS[section].strip().splitlines()[0]
    document = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    _, _, after = f"\n{document}".partition(f"\n{heading}\n")
    _, _, table = after.partition("\n\n## ")[0].partition("---|\n")
    return [each for each in table.splitlines() if each.startswith("| ")]


def _lines(found: Sequence[str]) -> list[str]:
    return [f"{each}\n" for each in found]


def _merged(sendings: Sequence[str]) -> list[str]:
    """``INSERT opportunity`` and ``INSERT role`` as ``INSERT opportunity, role``."""
    pairs = [sending.split(" ", 1) for sending in sendings]
    grouped = groupby(sorted(pairs, key=lambda pair: pair[0]), key=lambda pair: pair[0])
    return [f"{operation} {', '.join(what for _, what in found)}" for operation, found in grouped]
