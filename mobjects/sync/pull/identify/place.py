"""How far a look-up of ids has come, as kept on its job, and what it has found so far of the records it asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from mobjects.marketo.types import Kind, LinkTarget, QueryPage, RemoteObject
from mobjects.sync.content.from_marketo import find_association
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.paging import PageCursor

AskedRecord = tuple[int, str]
"""Our own id of a record, and the key that is asked for: its external ID, or that of its opportunity."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """What tells an object in Marketo from others.

    Args:
        called: its id.
        key: what it was found by.
        opportunity_key: of an opportunity, its value of the field by which roles name it; "" if it has none.
        person_id, person_key: of a role; whichever Marketo tells, the key only if it is of the field in use.
        role: name of a role.
    """

    called: str
    key: str
    opportunity_key: str = ""
    person_id: int | None = None
    person_key: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class LookupPlace:
    """Where the next step goes on.

    Args:
        cursor: of the page; ``after`` is our own id of the last record that was dealt with.
        asked: the records that are asked about, until their last page is read; empty to take the next ones.
        found: on the pages of these so far.
        size: at most so many are asked about at once, after a refusal; 0 for as many as Marketo takes.
        refusal: why the record before was refused by itself; "" if it was not.
    """

    cursor: PageCursor = field(default_factory=PageCursor)
    asked: Sequence[AskedRecord] = ()
    found: Sequence[FoundObject] = ()
    size: int = 0
    refusal: str = ""

    def to_json(self) -> dict[str, Any]:
        """As kept among the job's progress; the cursor's parts stand beside the others, where paging looks for them."""
        found = [asdict(each) for each in self.found]
        parts = {"asked": list(self.asked), "found": found, "size": self.size, "refusal": self.refusal}
        return {**self.cursor.to_json(), **parts}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reverse of :meth:`to_json`; names it does not know are somebody else's."""
        return cls(
            PageCursor.from_json(kept),
            [(pk, key) for pk, key in kept.get("asked", ())],
            [FoundObject(**each) for each in kept.get("found", ())],
            kept.get("size", 0),
            kept.get("refusal", ""),
        )

    def after_page(self, page: QueryPage, found: Sequence[FoundObject]) -> Self:
        """The place after a page. What it tells once more, because reading began anew, counts once."""
        by_id = {each.called: each for each in (*self.found, *found)}
        return replace(self, cursor=self.cursor.after_page(page), found=tuple(by_id.values()))

    def after_records(self, limit: int) -> Self:
        """The place after the records that were asked about; twice as many may be next."""
        size = 0 if self.size * 2 >= limit else self.size * 2
        return type(self)(PageCursor(after=self.asked[-1][0]), size=size)

    def after_refusal(self, words: str) -> Self:
        """The place after the one record that was asked about was refused; the next are asked about together."""
        return type(self)(PageCursor(after=self.asked[-1][0]), refusal=words)

    def in_halves(self) -> Self:
        """The place to ask about half of these records alone."""
        return type(self)(PageCursor(after=self.cursor.after), size=len(self.asked) // 2, refusal=self.refusal)


def read_found(kind: Kind, found: RemoteObject, key_field: str, keys: KeyFields) -> FoundObject:
    """What of an object is kept.

    Args:
        key_field: the field of opportunities by which was asked.
        keys: names of the external key fields.
    """
    called = str(found.marketo_id)
    if kind is Kind.OPPORTUNITY:
        values = {name.casefold(): text for name, text in found.values.items()}
        return FoundObject(
            called, values.get(key_field.casefold(), ""), opportunity_key=values.get(keys.opportunity.casefold(), "")
        )
    opportunity, person = (find_association(found, link) for link in (LinkTarget.OPPORTUNITY, LinkTarget.LEAD))
    return FoundObject(
        called,
        opportunity.key.value if opportunity and opportunity.key else "",
        person_id=person.id if person else None,
        person_key=person.key.value if person and person.key and person.key.field == keys.person else "",
        role=found.values.get("Role", ""),
    )
