"""What is known of Marketo's values after something was sent without an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mobjects.models.program import COST_PREFIX
from mobjects.sync.content.former_names import UNKNOWN_VALUE


def mark_doubtful(
    accepted: Mapping[str, str], sent: Mapping[str, str], known_costs: Collection[str] = (), fixed: Collection[str] = ()
) -> dict[str, str]:
    """The accepted values after these were sent and nobody knows whether they were applied.

    Args:
        accepted: before.
        sent: what was sent.
        known_costs: content names of costs with a Marketo cost id. Others stay: they would be added a second time.
        fixed: names that Marketo cannot change; sent as they were accepted, they are known still.
    """
    doubtful = [
        name
        for name, text in sent.items()
        if (not name.startswith(COST_PREFIX) or name in known_costs)
        and not (name in fixed and accepted.get(name, "") == text)
    ]
    return {**accepted, **dict.fromkeys(doubtful, UNKNOWN_VALUE)}
