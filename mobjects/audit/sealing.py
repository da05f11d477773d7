"""Sealing what is finished, after it was committed: no writer waits for a digest, and none has to know the chain.

Ids do not come in the order of commits. So rows up to an id are looked at only once every transaction is over that
could still bring a smaller one: what was the largest id is kept as a mark, then which transactions have begun by then,
and a later turn goes on when the oldest that is still going on is younger. On SQLite, which has one writer, that is at
once.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from mobjects import clock
from mobjects.audit.chain import ROWS_IN_A_SEAL, append_seal, lock_state
from mobjects.audit.digests import choose_form, read_digests
from mobjects.audit.history_tables import JOBS, NUMBERED, HistoryTable, final_rows
from mobjects.db.retry import retry_on_database_error
from mobjects.models import HistoryOpen, HistoryState, SealKind, SyncJob

SECONDS_TO_WAIT = 5.0
"""So long transactions that are going on are waited for where all is to be sealed."""

SECONDS_IN_A_TICK = 5.0
"""So long a tick of the clock seals at most; the next one goes on."""

SECONDS_BETWEEN_LOOKS = 0.1

ROUNDS = 4
"""Turns after which all is sealed that was committed before, if no transaction goes on: two may end an older mark."""


def seal_for_a_while(seconds: float = SECONDS_IN_A_TICK) -> int:
    """Seal what is finished, for so long at most. How many rows were dealt with.

    Raises:
        django.db.Error: the database cannot be used.
    """
    until, dealt = time.monotonic() + seconds, 0
    while time.monotonic() < until and (more := seal_once()):
        dealt += more
    return dealt


def seal_everything() -> int:
    """Seal all that is finished, and wait a while for transactions that could still bring something. How many rows were
    dealt with. On PostgreSQL a transaction in any database of the server counts.
    """
    until, dealt = time.monotonic() + SECONDS_TO_WAIT, 0
    for _round in range(ROUNDS):
        while more := seal_once():
            dealt += more
        while _is_waiting() and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_LOOKS)
    return dealt


def _is_waiting() -> bool:
    """Whether a transaction goes on that had begun when the mark was made."""
    if connection.vendor == "sqlite":
        return False
    mark = HistoryState.objects.filter(pk=1).values_list("mark", flat=True).first() or {}
    return "transaction" in mark and _snapshot("xmin") < mark["transaction"]


@retry_on_database_error
def seal_once() -> int | None:
    """One turn: at most one link for each table. How many rows were dealt with; ``None`` if somebody else is at it."""
    with transaction.atomic():
        state = lock_state(wait=False)
        if state is None:
            return None
        bound = _find_bound(state)
        dealt = _seal_jobs(state)
        for table in NUMBERED:
            dealt += _seal_open(state, table)
            dealt += _seal_new(state, table, bound.get(table.name, 0))
        if all(state.positions.get(name, 0) >= upto for name, upto in bound.items()):
            _mark(state)
        state.save()
        return dealt


# --- which ids are settled by now ---------------------------------------------------------------------------------


def _find_bound(state: HistoryState) -> dict[str, int]:
    """For each table the id up to which no further row can come."""
    if connection.vendor == "sqlite":
        return _largest_ids()
    mark = state.mark
    if "transaction" not in mark or _snapshot("xmin") < mark["transaction"]:
        return {}
    return dict(mark["seen"])


def _mark(state: HistoryState) -> None:
    """Go on with the mark. Ids and transactions are read in two turns: a row's id is drawn right before its transaction
    gets a number.
    """
    if connection.vendor == "sqlite":
        return
    if state.mark and "transaction" not in state.mark:
        state.mark["transaction"] = _snapshot("xmax")
    elif not state.mark or _snapshot("xmin") >= state.mark["transaction"]:
        state.mark = {"seen": _largest_ids()}


def _largest_ids() -> dict[str, int]:
    return {table.name: table.model._base_manager.aggregate(found=Max("pk"))["found"] or 0 for table in NUMBERED}


def _snapshot(end: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_snapshot_{end}(pg_current_snapshot())::text")  # one of two words
        return int(cursor.fetchone()[0])


# --- sealing ------------------------------------------------------------------------------------------------------


def _seal_jobs(state: HistoryState) -> int:
    """Jobs have no growing ids, and are few: they say themselves whether they are sealed."""
    found = SyncJob.objects.filter(final_rows(JOBS, clock.now()), sealed_at=None).order_by("finished_at")
    digests = read_digests(JOBS, found.select_for_update(of=("self",))[:ROWS_IN_A_SEAL], choose_form())
    if digests:
        append_seal(state, SealKind.SEALED, JOBS, list(digests.items()))
        SyncJob.objects.filter(pk__in=digests).update(sealed_at=timezone.now())
    return len(digests)


def _seal_open(state: HistoryState, table: HistoryTable) -> int:
    """Rows that were still open when they were first seen."""
    kept = HistoryOpen.objects.filter(table=table.name)
    ids = list(kept.values_list("row_id", flat=True))
    if not ids:
        return 0
    there = table.model._base_manager.filter(pk__among=ids)
    sealed = _append(state, table, there.filter(final_rows(table, clock.now())))
    gone = set(ids) - set(there.values_list("pk", flat=True))
    done = [*sealed, *gone]
    for start in range(0, len(done), ROWS_IN_A_SEAL):
        kept.filter(row_id__in=done[start : start + ROWS_IN_A_SEAL]).delete()
    return len(sealed)


def _seal_new(state: HistoryState, table: HistoryTable, bound: int) -> int:
    """Rows that were not seen yet."""
    position = state.positions.get(table.name, 0)
    if position >= bound:
        return 0
    new = table.model._base_manager.filter(pk__gt=position, pk__lte=bound).order_by("pk")
    ids = list(new.values_list("pk", flat=True)[:ROWS_IN_A_SEAL])
    upto = ids[-1] if len(ids) == ROWS_IN_A_SEAL else bound
    sealed = _append(state, table, new.filter(final_rows(table, clock.now()), pk__lte=upto)) if ids else set()
    HistoryOpen.objects.bulk_create(HistoryOpen(table=table.name, row_id=pk) for pk in ids if pk not in sealed)
    state.positions[table.name] = upto
    return len(ids)


def _append(state: HistoryState, table: HistoryTable, rows: Any) -> set[Any]:
    digests = read_digests(table, rows.order_by("pk")[:ROWS_IN_A_SEAL], choose_form())
    if digests:
        append_seal(state, SealKind.SEALED, table, list(digests.items()))
    return set(digests)
