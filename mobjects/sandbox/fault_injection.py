"""A script of what is to go wrong: each entry is used up by the next calls it fits.

Only calls that pass authentication and the schema use up an entry, so a broken client
cannot eat the script by accident. An entry fits calls of one API where its kind, ``operation`` or
``path`` belongs to that API, else calls of both; calls for a token only where ``path`` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
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


class RestFaultKind(StrEnum):
    """What can go wrong over REST only."""

    ERROR = "error"  # ``success: false`` with ``code`` and ``text``; not applied unless ``applied``
    NO_RESULT = "no_result"  # applied, ``success: true`` without ``result``
    SHUFFLED = "shuffled"  # applied, rows in reverse order, each with its own ``seq``
    MISSING_SEQ = "missing_seq"  # applied, rows without ``seq``
    STATUS_LINE = "status_line"  # applied, ``HTTP/1.1 200 200`` (or ``text`` in the place of the reason phrase)
    CUT_INSIDE = "cut_inside"  # applied, connection closed after half of the body
    EDIT = "edit"  # someone changes a program in Marketo, before the call or (``applied``) after it


_NOT_APPLIED = frozenset({FaultKind.SOAP, FaultKind.HTTP, FaultKind.CUT_BEFORE, FaultKind.LATE, RestFaultKind.ERROR})
SOAP_API, REST_API = "SOAP", "REST"
IDENTITY_PREFIX = "/identity/"


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """One entry of the script.

    Args:
        kind: see :class:`FaultKind` and :class:`RestFaultKind`.
        times: how many calls it is for.
        operation: only SOAP calls of this operation (``syncMObjects``); ``""`` is any.
        path: only REST calls of this path, as a pattern with ``*``; a method may stand before it
            (``POST /rest/asset/v1/program/*``).
        nth: the first call it is for, among those that fit it from the time it was scripted.
        code: Marketo's code, for ``soap``, ``error`` and ``bad_row``.
        text: message of a ``soap`` or ``error`` answer, body of an ``http`` page, error of a row.
        status: HTTP status, for ``http``.
        seconds: hold the answer this long; goes with every kind. Of a ``late`` call: how long it is on its way.
        row: index of the object, from 0.
        row_status: status word, for ``row_status``; words outside Marketo's list are allowed.
        applied: whether a ``soap``, ``error`` or ``http`` failure, or an ``edit``, comes after the request was
            carried out.
        program, month, amount, note: for ``edit``: the cost that is added, to the program with this id, in the month
            (``2026-07``).
        tag_type, tag_value: for ``edit``: the tag that is set.
    """

    kind: FaultKind | RestFaultKind
    times: int = 1
    operation: str = ""
    path: str = ""
    nth: int = 1
    code: str = ""
    text: str = ""
    status: int = 500
    seconds: float = 0.0
    row: int = 0
    row_status: str = "FAILED"
    applied: bool = False
    program: int = 0
    month: str = ""
    amount: str = ""
    note: str = ""
    tag_type: str = ""
    tag_value: str = ""

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
        fault = cls(**values)  # type: ignore[arg-type]  # every value was checked above
        fault.check_consistency()
        return fault

    def check_consistency(self) -> None:
        """See that the options fit each other.

        Raises:
            ValueError: an ``error`` without code, an ``edit`` that changes nothing, options of both APIs.
        """
        if self.kind is RestFaultKind.ERROR and not self.code:
            raise ValueError("code is missing: error needs one such as '606'")
        if self.kind is RestFaultKind.EDIT and not (self.program and ((self.month and self.amount) or self.tag_type)):
            raise ValueError("edit needs program, and month ('2026-07') and amount ('500') or tag_type and tag_value")
        if self.operation and (self.path or isinstance(self.kind, RestFaultKind)):
            raise ValueError(f"operation {self.operation!r} is of SOAP; name a path for a fault over REST")
        if self.path and self.kind is FaultKind.SOAP:
            raise ValueError(f"path {self.path!r} is of REST; kind soap goes with operation")

    def fits_call(self, api: str, name: str) -> bool:
        """Whether it is for such a call, given its API and the ``operation`` in the call log."""
        if api == SOAP_API:
            return not self.path and isinstance(self.kind, FaultKind) and self.operation in ("", name)
        if self.operation or self.kind is FaultKind.SOAP:
            return False
        path = name.partition(" ")[2]
        if path.startswith(IDENTITY_PREFIX) and IDENTITY_PREFIX not in self.path:
            return False
        return not self.path or fnmatchcase(path if self.path.startswith(("/", "*")) else name, self.path)

    @property
    def is_carried_out(self) -> bool:
        """Whether the request is carried out."""
        return self.applied or self.kind not in _NOT_APPLIED

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
        rest_only = str(value) in set(RestFaultKind)
        return RestFaultKind(str(value)) if rest_only else FaultKind(str(value))
    wanted: type | tuple[type, ...] = (int, float) if isinstance(default, float) else type(default)
    # bool is an int in Python, but "times": true is a slip.
    if not isinstance(value, wanted) or isinstance(value, bool) is not isinstance(default, bool):
        raise ValueError(f"{name} must be like {default!r}, got {value!r}")
    return value


@dataclass(slots=True)
class _Pending:
    fault: ScriptedFault
    left: int
    seen: int = 0


class FaultScript:
    """The script of one sandbox; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[_Pending] = []
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
            self._pending.extend(_Pending(fault, fault.times) for fault in faults if fault.times > 0)

    def pop_matching(self, name: str, api: str = SOAP_API) -> ScriptedFault | None:
        """The first entry that fits, used up by one; see :meth:`pop_with_edits`."""
        return self.pop_with_edits(name, api)[0]

    def pop_with_edits(self, name: str, api: str) -> tuple[ScriptedFault | None, list[ScriptedFault]]:
        """What goes wrong with a call, and what someone else does around it; each used up by one.

        Args:
            name: the call's ``operation`` in the call log.
        """
        found, edits = None, []
        with self._lock:
            for entry in [entry for entry in self._pending if entry.fault.fits_call(api, name)]:
                entry.seen += 1
                if entry.seen < entry.fault.nth:
                    continue
                if entry.fault.kind is RestFaultKind.EDIT:
                    edits.append(entry.fault)
                elif found is None:
                    found = entry.fault
                else:
                    continue
                entry.left -= 1
            self._pending = [entry for entry in self._pending if entry.left > 0]
        return found, edits

    def list_pending(self) -> list[tuple[ScriptedFault, int]]:
        """What is still to come, each with the number of calls left."""
        with self._lock:
            return [(entry.fault, entry.left) for entry in self._pending]

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
