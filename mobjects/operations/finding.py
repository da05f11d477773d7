"""What a look at an installation finds, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingLevel(StrEnum):
    """How much something matters. What is bad keeps the site from working, or is unsafe."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Holds no secret.

    Args:
        name: what was looked at, in a word or two.
        says: what was found, as a sentence.
        advice: what to do, as a sentence; "" if nothing.
    """

    name: str
    level: FindingLevel
    says: str
    advice: str = ""


def found_ok(name: str, says: str) -> Finding:
    """All is well."""
    return Finding(name, FindingLevel.OK, says)


def found_warning(name: str, says: str, advice: str) -> Finding:
    """It works, and should be otherwise."""
    return Finding(name, FindingLevel.WARNING, says, advice)


def found_bad(name: str, says: str, advice: str) -> Finding:
    """It does not work, or is unsafe."""
    return Finding(name, FindingLevel.BAD, says, advice)


def found_skipped(name: str, says: str) -> Finding:
    """It could not be looked at, or was not asked for."""
    return Finding(name, FindingLevel.SKIPPED, says)
