"""Three sides of a record: what Marketo last accepted, what stands here, and what Marketo holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class MergeResult:
    """What becomes of a record's fields.

    Args:
        take: name to Marketo's text, where only Marketo changed; "" where it holds nothing any more.
        accepted: the new accepted values.
        kept: names that changed only here; still to be sent.
        conflicts: names that changed on both sides, to different values.
    """

    accepted: dict[str, str]
    incoming: dict[str, str] = field(default_factory=dict)
    local_only: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def merge_sides(
    base: Mapping[str, str],
    here: Mapping[str, str],
    there: Mapping[str, str],
    *,
    clean: bool,
) -> MergeResult:
    """Decide field by field.

    Args:
        base: what Marketo last accepted.
        here: the record's content.
        there: what Marketo holds, under the same names.
        clean: whether nothing here waits to be sent; what Marketo changed is right then. What differs here although
            Marketo has not changed it (removed where its API cannot remove it) is left as it is all the same.
    """
    result = MergeResult(dict(base))
    for name in dict.fromkeys((*here, *there, *base)):
        old, mine, theirs = (side.get(name, "") for side in (base, here, there))
        if mine == theirs:
            result.accepted[name] = theirs
        elif old == theirs:
            result.local_only.append(name)
        elif clean or old == mine:
            result.incoming[name] = result.accepted[name] = theirs
        else:
            result.conflicts.append(name)
    result.accepted = {name: text for name, text in result.accepted.items() if text}
    return result


def conflicting_fields(base: Mapping[str, str], here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """The names that changed on both sides, to different values."""
    return merge_sides(base, here, there, clean=False).conflicts
