"""What a probe of the instance, or a person, has said about it and no documentation tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from mobjects.marketo.probing import Confirmation
from mobjects.marking import gettext_noop as _

_YES = "yes"

TAGS_BY_LIST = Confirmation(
    "tags_by_list_confirmed",
    _(
        "May tags be set by the list that replaces all tags of a program, where Marketo does not let one be set by "
        "itself?"
    ),
    _(
        "The list is written with all tags that the program has at that moment. A tag that somebody sets in Marketo "
        "between the reading and the writing is lost."
    ),
)


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
