"""What is known of an update under way, and how its steps say that it cannot go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from mobjects.marketo.errors import MarketoError


class ProgramMissing(Exception):
    """Marketo has no such program."""


class WriteRefused(Exception):
    """A part of the update cannot be made; the text says why, in whole sentences.

    Args:
        words: the reason.
        cause: Marketo's refusal, if it was one.
    """

    def __init__(self, words: str, cause: MarketoError | None = None) -> None:
        super().__init__(words)
        self.cause = cause


@dataclass(slots=True)
class WriteState:
    """How far an update has come.

    Args:
        parts: what was written and taken by Marketo.
        doubtful: a write was made whose answer does not tell whether it was applied.
        notes: what a person should know, as sentences.
    """

    parts: list[str] = field(default_factory=list)
    doubtful: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def applied(self) -> bool:
        """Whether something in Marketo may be other than before."""
        return self.doubtful or bool(self.parts)
