"""What a probe of the instance, or a person, has said about it and no documentation tells."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from mobjects.marketo.shared_store import SharedStore

_KEPT_SECONDS = 400 * 86400.0


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """Facts about one instance. Nothing depends on the first: with it fewer calls are made.

    Args:
        costs_by_id: whether a program that is read by its id shows its costs.
        tags_by_list_confirmed: a person confirmed that tags may be set by the list that replaces all tags of a program,
            where Marketo does not let one be set by itself.
    """

    costs_by_id: bool = False
    tags_by_list_confirmed: bool = False


def load_facts(store: SharedStore, base: str) -> InstanceFacts:
    """What is known of the instance; the defaults where nothing is.

    Args:
        store: where facts are kept.
        base: the instance's address.
    """
    try:
        kept = json.loads(store.get(_name_of(base)) or "{}")
    except ValueError:
        kept = {}
    if not isinstance(kept, dict):
        kept = {}
    names = asdict(InstanceFacts())
    return InstanceFacts(**{name: value for name, value in kept.items() if name in names and isinstance(value, bool)})


def store_facts(store: SharedStore, base: str, facts: InstanceFacts) -> None:
    """Keep what was learned. Arguments as for :func:`load_facts`."""
    store.set(_name_of(base), json.dumps(asdict(facts)), _KEPT_SECONDS)


def _name_of(base: str) -> str:
    return f"rest facts {base}"
