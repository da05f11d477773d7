"""The chain itself: appending a link, and reading how far it has come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from django.db import connection

from mobjects import clock
from mobjects.audit.digests import choose_form
from mobjects.audit.history_tables import HistoryTable, Key
from mobjects.models import HistorySeal, HistoryState, SealForm, SealKind

ROWS_IN_A_SEAL = 1000
DIGEST_SIZE = 32


def lock_state(*, wait: bool = True) -> HistoryState | None:
    """The state of the chain, held until the transaction ends.

    Args:
        wait: for whoever holds it; else ``None`` is returned then.
    """
    if not HistoryState.objects.filter(pk=1).exists():  # An insert would wait for whoever holds the row.
        HistoryState.objects.bulk_create([HistoryState(pk=1)], ignore_conflicts=True)
    skips = not wait and connection.features.has_select_for_update_skip_locked
    return HistoryState.objects.select_for_update(skip_locked=skips).filter(pk=1).first()


def append_seal(
    state: HistoryState,
    what: SealKind,
    table: HistoryTable,
    rows: Sequence[tuple[Key, bytes]],
    *,
    reason: str = "",
    username: str = "",
) -> None:
    """Write the next link; whoever calls it holds the state, and saves it.

    Args:
        rows: keys with the digests of the rows, which are empty where the rows are gone.
    """
    seal = HistorySeal(
        number=state.number + 1,
        what=what,
        table=table.name,
        rows=[key for key, _digest in rows],
        digests=b"".join(digest for _key, digest in rows),
        form=choose_form(),
        reason=reason[:255],
        username=username[:150],
        previous=state.digest,
        created_at=clock.now(),
    )
    seal.digest = digest_seal(seal)
    seal.save(force_insert=True)
    state.number, state.digest = seal.number, seal.digest


def digest_seal(seal: HistorySeal) -> str:
    """What the digest of a link has to be."""
    parts = [
        seal.number,
        str(seal.what),
        seal.table,
        seal.rows,
        hashlib.sha256(bytes(seal.digests)).hexdigest(),
        seal.reason,
        seal.username,
        seal.created_at.isoformat(),
        seal.previous,
    ]
    if seal.form != SealForm.JSON:  # The oldest links have no form.
        parts.append(int(seal.form))
    return hashlib.sha256(json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
