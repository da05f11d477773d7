"""Questions about one Marketo instance that its API's documentation leaves open, and what the instance answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mobjects.marketo.shared_store import SharedStore

InstanceFacts = Mapping[str, str]
"""What was learned of an instance, by :attr:`ProbeAnswer.name`; a fact that is not known is left out."""

FactsSource = Callable[[], InstanceFacts]
"""Gives what is known of the instance in use."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One question and what the instance answered.

    Args:
        name: of the question; stays the same for ever.
        question, answer: for people, as sentences.
        fact: the answer as one word, ``yes`` or ``no`` for example, by which a transport may go; "" if it was not found
            out.
    """

    name: str
    question: str
    answer: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Something that the transport does only where a person has allowed it for the instance.

    Args:
        name: of the fact, which is ``yes`` then.
        question: what is asked, as a question.
        risk: what can go wrong, as sentences.
    """

    name: str
    question: str
    risk: str


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """What a probe may touch.

    Args:
        program_id: a program that may be written to; it is put back as it was. ``None``: nothing is written.
        opportunity_key: of an opportunity that exists in Marketo; "" if none is known.
    """

    program_id: int | None = None
    opportunity_key: str = ""


Probe = Callable[[Mapping[str, object], SharedStore, ProbeOrder], Iterator[ProbeAnswer]]
"""From ``settings.MARKETO`` to the answers, one after the other as they come."""
