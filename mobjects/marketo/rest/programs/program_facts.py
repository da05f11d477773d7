"""What a probe of the instance, or a person, has said about it and no documentation tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from mobjects.marketo.shared_store import SharedStore

_KEPT_SECONDS = 400 * 86400.0
_YES = "yes"


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """Facts about one instance. Nothing depends on the first: with it fewer calls are made.

    Args:
        costs_by_id: whether a program that is read by its id shows its costs.
        tags_by_list_confirmed: a person confirmed that tags may be set by the list that replaces all tags of a program,
            where Marketo does not let one be set by itself.
    """

    costs_by_id: bool = False
    tags_by_list_confirmed: bool = False

    @classmethod
    def from_answers(cls, answers: Mapping[str, str]) -> Self:
        """The facts by their names, ``yes`` or anything else; what is not named is not known."""
        return cls(**{each.name: answers.get(each.name) == _YES for each in fields(cls)})

    def to_answers(self) -> dict[str, str]:
        """The reverse of :meth:`from_answers`; what is not so, or not known, is left out."""
        return {name: _YES for name, value in asdict(self).items() if value}


def load_facts(store: SharedStore, base: str) -> ProgramFacts:
    """What is known of the instance; the defaults where nothing is.

    Args:
        store: where facts are kept.
        base: the instance's address.
    """
    try:
        kept = json.loads(store.get(_name_of(base)) or "{}")
    except ValueError:
        kept = {}
    return ProgramFacts.from_answers(kept if isinstance(kept, dict) else {})


def store_facts(store: SharedStore, base: str, facts: ProgramFacts) -> None:
    """Keep what was learned. Arguments as for :func:`load_facts`."""
    store.set(_name_of(base), json.dumps(facts.to_answers()), _KEPT_SECONDS)


def _name_of(base: str) -> str:
    return f"rest facts {base}"
