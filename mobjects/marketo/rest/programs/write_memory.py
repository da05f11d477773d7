"""What was last written to a program's costs: tells a list that is out of date, and whether a lost write has arrived.

A help only, which the store may lose: by rows alone a cost that was added to a month is not found where Marketo shows
the month as one sum, nor told from another one that is equal to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from mobjects.marketo.rest.programs.cost_rows import CostRow, rows_by_month, total_amount
from mobjects.marketo.shared_store import SharedStore

_KEPT_SECONDS = 7 * 86400.0

Totals = dict[str, str]


@dataclass(frozen=True, slots=True)
class WriteMemory:
    """The memory of one program.

    Args:
        store: ``None`` remembers nothing.
        base: the instance's address.
        program_id: of the program.
        wanted: what is to be written, as text; a lost write of something else says nothing.
    """

    store: SharedStore | None
    base: str
    program_id: int
    wanted: str

    def note_attempt(self, before: Sequence[CostRow], after: Sequence[CostRow]) -> None:
        """A write is about to be made."""
        self._keep({"wanted": self._digest, "before": _totals(before), "after": _totals(after)})

    def note_success(self, updated_at: datetime | None) -> None:
        """The write was answered.

        Args:
            updated_at: no earlier than this Marketo changed the program; ``None`` if that is not known.
        """
        self._keep({"updated_at": updated_at.isoformat() if updated_at else ""})

    def has_arrived(self, reported: Sequence[CostRow]) -> bool:
        """Whether a write without an answer has left this list, by the totals of its months."""
        kept = self._kept()
        if kept.get("wanted") != self._digest:
            return False
        return bool(kept["after"] != kept["before"] and kept["after"] == _totals(reported))

    def outdates(self, updated_at: datetime | None) -> bool:
        """Whether a program that Marketo tells was changed after this moment, so that it tells an older state."""
        text = self._kept().get("updated_at", "")
        return text != "" and updated_at is not None and updated_at < datetime.fromisoformat(text)

    def _kept(self) -> dict[str, Any]:
        text = self.store.get(self._name) if self.store is not None else None
        return json.loads(text) if text else {}

    def _keep(self, value: dict[str, Any]) -> None:
        if self.store is not None:
            self.store.set(self._name, json.dumps(value), _KEPT_SECONDS)

    @property
    def _digest(self) -> str:
        return sha256(self.wanted.encode()).hexdigest()

    @property
    def _name(self) -> str:
        return f"rest program costs {self.base} {self.program_id}"


def _totals(rows: Sequence[CostRow]) -> Totals:
    return {month: f"{total_amount(costs).normalize():f}" for month, costs in sorted(rows_by_month(rows).items())}
