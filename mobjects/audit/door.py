"""The one door through which finished history may be changed or removed: retention, and erasing a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from mobjects.audit.chain import ROWS_IN_A_SEAL, append_seal, lock_state
from mobjects.audit.digests import choose_form, read_digests
from mobjects.audit.events import asker
from mobjects.audit.history_tables import TABLES, Key
from mobjects.models import HistoryChange, HistoryDoor, HistoryState, SealKind

SETTING = "mobjects.history_door"
"""PostgreSQL's setting, for one transaction, that says why the door is open."""


@contextmanager
def history_opened(reason: str, *, username: str = "") -> Iterator[None]:
    """Whatever is changed or removed of the finished history inside is written into the chain, with the reason.

    What is changed or removed elsewhere, ``verify_history`` names. Inside, each row that a statement changes or removes
    is noted by triggers, whichever way it comes (querysets, cascades, SQL); at the end the notes become links of the
    chain: of removed rows their keys, of changed ones their new digests. What was removed leaves its digest in the link
    that sealed it, so ``verify_history`` goes on proving the rest, and names a row that is gone without such a link.

    It is a transaction of its own, or a part of the one that goes on; what is rolled back leaves no link. The chain is
    held from the end of the block to the end of the transaction, so remove a few thousand rows at a time.

    Args:
        reason: kept in the chain, such as "Retention: payloads older than 90 days". No name of an erased person.
        username: who does it; by default who is asking at the moment.

    Raises:
        django.db.Error: the database cannot be used; nothing was changed.
    """
    if is_open():  # The outer one sees to it.
        yield
        return
    with transaction.atomic():
        _set_door(reason[:255] or "?")
        yield
        _set_door("")
        _seal_changes(reason, username or _current_username())


def is_open() -> bool:
    """Whether the door is open in the transaction that goes on."""
    if connection.vendor == "sqlite":
        return HistoryDoor.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SETTING])
        return bool(cursor.fetchone()[0])


def _set_door(reason: str) -> None:
    if connection.vendor == "sqlite":
        HistoryDoor.objects.all().delete()
        if reason:
            HistoryDoor.objects.create(pk=1, reason=reason)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, reason])


def _current_username() -> str:
    user = asker.get().find_user()
    return user.get_username() if user is not None else ""


# --- what was done inside -----------------------------------------------------------------------------------------


def _seal_changes(reason: str, username: str) -> None:
    """Make links of the notes, and take the notes away."""
    notes: defaultdict[tuple[str, str], set[Key]] = defaultdict(set)
    for name, what, noted in HistoryChange.objects.values_list("table", "what", "row_key"):
        notes[name, what].update(map(TABLES[name].find_key, noted.split(",")))
    if not notes:
        return
    HistoryChange.objects.all().delete()
    state = lock_state()
    if state is None:  # Emptied by another process since; there is nothing to go on from.
        state = HistoryState(pk=1)
    for table in TABLES.values():
        removed = notes[table.name, SealKind.REMOVED]
        changed = notes[table.name, SealKind.CHANGED] - removed
        for what, keys in ((SealKind.CHANGED, changed), (SealKind.REMOVED, removed)):
            listed = sorted(keys, key=str)
            for start in range(0, len(listed), ROWS_IN_A_SEAL):
                part = listed[start : start + ROWS_IN_A_SEAL]
                rows = [(key, b"") for key in part]
                if what is SealKind.CHANGED:
                    rows = list(read_digests(table, table.rows(part).order_by("pk"), choose_form()).items())
                append_seal(state, what, table, rows, reason=reason, username=username)
    state.save()
