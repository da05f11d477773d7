"""A script of what is to go wrong: each entry is used up by the next calls it fits.

Only calls that pass authentication and the schema use up an entry, so a broken client
cannot eat the script by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from threading import Event, Lock

from mobjects.sandbox.soap.messages import StatusRow


class FaultKind(StrEnum):
    """What can go wrong. ``applied`` tells what happens to the request itself."""

    SOAP = "soap"  # SOAP fault ``code``, ``text``; not applied unless ``applied``
    HTTP = "http"  # HTTP ``status`` with an HTML page; not applied unless ``applied``
    SLOW = "slow"  # applied, then held for ``seconds``
    CUT_BEFORE = "cut_before"  # connection closed, not applied
    LATE = "late"  # connection closed, applied once ``seconds`` have passed on the sandbox's clock
    CUT_AFTER = "cut_after"  # applied, then connection closed
    SHORT = "short"  # applied, last row missing from the answer
    LONG = "long"  # applied, last row there twice
    EMPTY = "empty"  # applied, no rows in the answer
    EMPTY_BODY = "empty_body"  # applied, HTTP 200 without a body
    BAD_ROW = "bad_row"  # object ``row`` FAILED with ``text``, not applied; the others are
    ROW_STATUS = "row_status"  # object ``row`` answered ``row_status`` and ``text``; applied unless FAILED or SKIPPED


_APPLIED = frozenset(FaultKind) - {FaultKind.SOAP, FaultKind.HTTP, FaultKind.CUT_BEFORE, FaultKind.LATE}


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """One entry of the script.

    Args:
        kind: see :class:`FaultKind`.
        times: how many calls it is for.
        operation: only calls of this operation (``syncMObjects``); ``""`` is any.
        code: Marketo's code, for ``soap``.
        text: message of a ``soap`` fault, body of an ``http`` page, error of a row.
        status: HTTP status, for ``http``.
        seconds: hold the answer this long; goes with every kind. Of a ``late`` call: how long it is on its way.
        row: index of the object, from 0.
        row_status: status word, for ``row_status``; words outside Marketo's list are allowed.
        applied: whether a ``soap`` or ``http`` failure comes after the request was carried out.
    """

    kind: FaultKind
    times: int = 1
    operation: str = ""
    code: str = "10001"
    text: str = ""
    status: int = 500
    seconds: float = 0.0
    row: int = 0
    row_status: str = "FAILED"
    applied: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> ScriptedFault:
        """Build one from names and values as JSON gives them.

        Raises:
            ValueError: unknown kind or option, or a value of the wrong type.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, object] = {}
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"unknown option {name!r}; there are {', '.join(known)}")
            values[name] = _typed(name, value, known[name].default)
        if "kind" not in values:
            raise ValueError("kind is missing")
        return cls(**values)  # type: ignore[arg-type]  # every value was checked above

    @property
    def is_carried_out(self) -> bool:
        """Whether the request is carried out."""
        return self.applied or self.kind in _APPLIED

    @property
    def forced_rows(self) -> dict[int, StatusRow]:
        """The rows to put in the place of real ones."""
        if self.kind is FaultKind.BAD_ROW:
            return {self.row: StatusRow("FAILED", error=self.text or "Scripted failure")}
        if self.kind is FaultKind.ROW_STATUS:
            return {self.row: StatusRow(self.row_status, error=self.text)}
        return {}


def _typed(name: str, value: object, default: object) -> object:
    if name == "kind":
        return FaultKind(str(value))
    wanted: type | tuple[type, ...] = (int, float) if isinstance(default, float) else type(default)
    # bool is an int in Python, but "times": true is a slip.
    if not isinstance(value, wanted) or isinstance(value, bool) is not isinstance(default, bool):
        raise ValueError(f"{name} must be like {default!r}, got {value!r}")
    return value


class FaultScript:
    """The script of one sandbox; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[tuple[ScriptedFault, int]] = []
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._released = Event()
        self._closed = False

    def add(self, kind: str, **options: object) -> None:
        """Append an entry: ``faults.add("soap", code="20023", operation="syncMObjects")``.

        Raises:
            ValueError: see :meth:`ScriptedFault.from_options`.
        """
        self.extend([ScriptedFault.from_options({"kind": kind, **options})])

    def extend(self, faults: list[ScriptedFault]) -> None:
        """Append several entries."""
        with self._lock:
            self._pending.extend((fault, fault.times) for fault in faults if fault.times > 0)

    def pop_matching(self, operation: str) -> ScriptedFault | None:
        """The first entry that fits, used up by one."""
        with self._lock:
            for index, (fault, left) in enumerate(self._pending):
                if fault.operation in ("", operation):
                    self._pending[index : index + 1] = [(fault, left - 1)] if left > 1 else []
                    return fault
        return None

    def list_pending(self) -> list[tuple[ScriptedFault, int]]:
        """What is still to come, each with the number of calls left."""
        with self._lock:
            return list(self._pending)

    def clear(self) -> None:
        """Forget the script and let held calls go on."""
        with self._lock:
            self._pending.clear()
        self.release_calls()

    def delay_call(self, arrival: datetime, apply: Callable[[], object]) -> None:
        """Keep a call that nobody waits for any more until it arrives."""
        with self._lock:
            self._late.append((arrival, apply))

    def apply_arrived(self, now: datetime) -> None:
        """Carry out the delayed calls that have arrived by now, in the order in which they were made."""
        with self._lock:
            arrived = [apply for arrival, apply in self._late if arrival <= now]
            self._late = [(arrival, apply) for arrival, apply in self._late if arrival > now]
        for apply in arrived:
            apply()

    def hold_call(self, seconds: float) -> None:
        """Wait, unless released or closed meanwhile."""
        with self._lock:
            released, closed = self._released, self._closed
        if seconds > 0 and not closed:
            released.wait(seconds)

    def release_calls(self) -> None:
        """Let all calls that are held now go on at once; later ones are held again."""
        with self._lock:
            self._released.set()
            if not self._closed:
                self._released = Event()

    def close(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._closed = True
        self.release_calls()
