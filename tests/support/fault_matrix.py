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
tests in `tests/flow/test_faults.py` do so for every fault and every kind of sending, over real HTTP and through the
real queue, and write down what they see. This page is made from that by `make fault-matrix`; the tests fail if it no
longer says what they saw. In every case they also make sure that

- every local change is in Marketo, or still marked as changed or as "outcome unknown",
- Marketo holds no object, cost or role twice,
- the history has a batch for every call, a result for every record, and counts that agree.

How to read the tables:

- **Sending**: "every" stands for all seven: INSERT, UPSERT by key and UPDATE of opportunities, INSERT and UPDATE of
  roles, UPDATE of programs with a new cost and tag, and with an edited cost (its ID is known) and tag.
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
## Fault by fault

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed of one sending, in words."""

    at_first: str
    by_itself: str
    in_the_end: str
    for_a_person: str


def rows(fault: str, observed: Mapping[str, Facts]) -> list[str]:
    """The lines about a fault; sendings that fared alike share one.

    Args:
        observed: by sending.
    """
    alike: dict[Facts, list[str]] = {}
    for sending, facts in observed.items():
        alike.setdefault(facts, []).append(sending)
    lines = []
    for facts, sendings in alike.items():
        which = "every" if len(sendings) == len(observed) else "; ".join(_merged(sendings))
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


def faults_in_document() -> set[str]:
    """What the lines of all tables begin with."""
    lines = [each for each in DOCUMENT.read_text(encoding="utf-8").splitlines() if each.startswith("| ")]
    return {each[2:].split(" | ")[0] for each in lines} - {"Fault"}


def write(table: Sequence[str], look_ups: Sequence[str], words: Sequence[str]) -> None:
    """Write the document anew."""
    parts = [_HEAD, _TABLE, *_lines(table), _LOOK_UPS, *_lines(look_ups), _WORDS, *_lines(words)]
    DOCUMENT.write_text("".join(parts), encoding="utf-8")


def _lines(found: Sequence[str]) -> list[str]:
    return [f"{each}\n" for each in found]


def _merged(sendings: Sequence[str]) -> list[str]:
    """``INSERT opportunity`` and ``INSERT role`` as ``INSERT opportunity, role``."""
    pairs = [sending.split(" ", 1) for sending in sendings]
    grouped = groupby(sorted(pairs, key=lambda pair: pair[0]), key=lambda pair: pair[0])
    return [f"{operation} {', '.join(what for _, what in found)}" for operation, found in grouped]
