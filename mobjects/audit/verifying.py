"""Going through the chain and the history beside it: the first entry that is not as it was sealed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mobjects.audit.chain import DIGEST_SIZE, digest_seal
from mobjects.audit.digests import FormRefused, read_digests
from mobjects.audit.history_tables import JOBS, NUMBERED, TABLES, HistoryTable, Key
from mobjects.audit.key_set import KeySet
from mobjects.models import HistoryOpen, HistorySeal, HistoryState, SealKind

_PAGE = 20
"""Links read at once."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class BrokenEntry:
    """What is not as it was sealed.

    Args:
        table: name of the table, "seal" for a link of the chain itself.
        key: of the row; the number of a link.
        problem: what is wrong, as a sentence.
    """

    table: str
    key: Key
    problem: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.problem}"


@dataclass(slots=True)
class VerifiedHistory:
    """What a verification found.

    Args:
        seals: links of the chain.
        rows: rows that were compared with their digest.
        removed: rows that were removed through the door.
        waiting: rows that are not sealed yet.
        last: number and digest of the newest link.
        broken: the first entry that is not as it was.
    """

    seals: int = 0
    rows: int = 0
    removed: int = 0
    waiting: int = 0
    last: tuple[int, str] = (0, "")
    broken: BrokenEntry | None = None


@dataclass(slots=True)
class _Known:
    """Which rows of one table the chain knows: sealed ones, those that were removed, and those compared by now."""

    sealed: KeySet = field(default_factory=KeySet)
    removed: KeySet = field(default_factory=KeySet)
    compared: KeySet = field(default_factory=KeySet)


def verify_history(anchors: Iterable[Mapping[str, object]] = ()) -> VerifiedHistory:
    """Compare all of the history with its chain. Takes a few bits of memory for each row.

    Args:
        anchors: what was written out earlier (:mod:`mobjects.audit.anchors`); the chain must still hold each.
    """
    expected = {int(str(anchor["number"])): str(anchor["digest"]) for anchor in anchors}
    for _try in range(_TRIES):
        before = _newest_link()
        result = VerifiedHistory()
        known: defaultdict[str, _Known] = defaultdict(_Known)
        found = _check_links(result, known, expected)
        result.broken = found or _check_rows(result, known) or _check_unknown(result, known)
        if result.broken is None or _newest_link() == before:
            break  # Else something was sealed or removed meanwhile, and part of what was read is older than that.
    return result


def _newest_link() -> int:
    return HistoryState.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def read_anchors(path: Path) -> list[dict[str, object]]:
    """The anchors in a file of JSON lines.

    Raises:
        ValueError: a line is no anchor; says which.
        OSError: the file cannot be read.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            anchor = json.loads(line)
            int(anchor["number"]), str(anchor["digest"])
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"Line {number} of {path} is no anchor; one looks like "
                '{"number": 12, "digest": "…64 hexadecimal digits…", "created_at": "…"}.'
            ) from error
        found.append(anchor)
    return found


def _iter_seals() -> Iterator[HistorySeal]:
    last = 0
    while page := list(HistorySeal.objects.filter(number__gt=last).order_by("number")[:_PAGE]):
        yield from page
        last = page[-1].number


def _iter_seals_back(last: int) -> Iterator[HistorySeal]:
    """The links from one on, the newest first."""
    upto = last + 1
    while page := list(HistorySeal.objects.filter(number__lt=upto).order_by("-number")[:_PAGE]):
        yield from page
        upto = page[-1].number


def _pairs(seal: HistorySeal) -> list[tuple[Key, bytes]]:
    digests = bytes(seal.digests)
    return [(key, digests[at * DIGEST_SIZE : (at + 1) * DIGEST_SIZE]) for at, key in enumerate(seal.rows)]


def _check_links(result: VerifiedHistory, known: Mapping[str, _Known], anchors: dict[int, str]) -> BrokenEntry | None:
    """Whether the chain hangs together and holds the anchors; collects what it says."""
    number, digest = 0, ""
    for seal in _iter_seals():
        number += 1
        if problem := _find_fault(seal, number, digest, anchors):
            return BrokenEntry("seal", number, problem)
        digest = seal.digest
        result.seals, result.last = number, (number, digest)
        _collect(seal, known[seal.table])
    if missing := [each for each in sorted(anchors) if each > number]:
        return BrokenEntry("seal", missing[0], "An anchor names it, and the chain ends before it.")
    state = HistoryState.objects.filter(pk=1).first()
    if state is not None and (state.number, state.digest) != (number, digest):
        return BrokenEntry("seal", number + 1, f"The chain ends before it; its newest link should be {state.number}.")
    return None


def _find_fault(seal: HistorySeal, number: int, previous: str, anchors: Mapping[int, str]) -> str:
    """What is wrong with the link that should have a number; "" if nothing is."""
    if seal.number != number:
        return "It is missing; the next one is there."
    if seal.previous != previous or digest_seal(seal) != seal.digest:
        return "It was changed since it was written."
    if anchors.get(number, seal.digest) != seal.digest:
        return "It is not the one that the anchor names: the chain was made anew."
    return ""


def _collect(seal: HistorySeal, said: _Known) -> None:
    if seal.what == SealKind.REMOVED:
        said.removed.update(seal.rows)
    elif seal.what == SealKind.SEALED:
        said.sealed.update(seal.rows)


def _check_rows(result: VerifiedHistory, known: Mapping[str, _Known]) -> BrokenEntry | None:
    """Whether each sealed row is as it was, or gone through the door.

    From the newest link back, so that the first digest that is met of a row is the one that holds, and nothing has to
    be remembered of a row but that it was met. What is broken in the oldest link is told.
    """
    broken = None
    for seal in _iter_seals_back(result.seals):
        if seal.what == SealKind.REMOVED:
            result.removed += len(seal.rows)
            continue
        said = known[seal.table]
        # A row that was not finished when it was changed through the door may not be sealed to this day.
        pairs = [pair for pair in _pairs(seal) if pair[0] in said.sealed and pair[0] not in said.compared]
        broken = _check_pairs(result, seal, pairs, said.removed) or broken
        said.compared.update(key for key, _digest in pairs)
    return broken


def _check_pairs(
    result: VerifiedHistory, seal: HistorySeal, pairs: list[tuple[Key, bytes]], removed: KeySet
) -> BrokenEntry | None:
    """The first row of a link that is not as it was."""
    table, keys = TABLES[seal.table], [key for key, _digest in pairs]
    try:
        now = read_digests(table, table.rows(keys), seal.form)
    except FormRefused as error:
        return BrokenEntry("seal", seal.number, str(error))
    result.rows += len(now)
    for key, digest in pairs:
        if key not in now:
            if key not in removed:
                return BrokenEntry(table.name, key, f"It was removed; link {seal.number} sealed it.")
        elif now[key] != digest:
            return BrokenEntry(table.name, key, f"It was changed; link {seal.number} sealed it.")
    return None


def _check_unknown(result: VerifiedHistory, known: Mapping[str, _Known]) -> BrokenEntry | None:
    """Whether rows are there that the sealer must have seen, and the chain does not know."""
    state = HistoryState.objects.filter(pk=1).first() or HistoryState()
    for table in NUMBERED:
        position = state.positions.get(table.name, 0)
        rows = table.model._base_manager.order_by("pk")
        waiting = set(HistoryOpen.objects.filter(table=table.name).values_list("row_id", flat=True))
        for key in rows.filter(pk__lte=position).values_list("pk", flat=True).iterator(chunk_size=10_000):
            said = known[table.name]
            if key in said.removed or (key not in said.sealed and key not in waiting):
                return _added(table, key)
        result.waiting += len(waiting) + rows.filter(pk__gt=position).count()
    for pk in JOBS.model._base_manager.exclude(sealed_at=None).values_list("pk", flat=True).iterator():
        if JOBS.find_key(pk) not in known[JOBS.name].sealed:
            return _added(JOBS, JOBS.find_key(pk))
    result.waiting += JOBS.model._base_manager.filter(sealed_at=None).count()
    return None


def _added(table: HistoryTable, key: Key) -> BrokenEntry:
    return BrokenEntry(table.name, key, "It was added later, where all was sealed already.")
