"""What is asked for with an idempotency key is done once, however often the request arrives.

The key is kept by the transaction that does it. So the same request at the same moment waits until the first is over
and hears what came of it, and one that was refused or broke off leaves no key behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from mobjects.models import IdempotencyKey

Made = TypeVar("Made")

KEPT = timedelta(days=1)
"""How long a key is known at least. Who sends again without having had an answer does so within minutes."""


class KeyReusedError(Exception):
    """A key came a second time, with something else."""


def do_once(
    owner: str,
    key: str,
    make: Callable[[], Made],
    name: Callable[[Made], str],
    *,
    asked: str = "",
    within: timedelta = KEPT,
) -> tuple[Made | None, str]:
    """Make something in a transaction, unless it was made with this key before.

    Args:
        owner: whose key it is; others may have the same.
        key: any text.
        make: makes it.
        name: what is kept of it; "" if nothing came of it, and it may be asked for again.
        asked: what is asked for, if another request may not have the same key.
        within: what was made longer ago is made again.

    Returns:
        What was made, and its name; ``None`` and the name of what was made before.

    Raises:
        KeyReusedError: something else was made with this key.
    """
    with transaction.atomic():
        wanted = {"asked": _digest(asked) if asked else ""}
        # Locked: of two that come too late to be the same one makes it again, and the other hears of that.
        keys = IdempotencyKey.objects.select_for_update()
        kept, is_new = keys.get_or_create(digest=_digest(owner, key), defaults=wanted)
        if not is_new:
            if kept.asked != wanted["asked"]:
                raise KeyReusedError
            if timezone.now() - kept.created_at < within:
                return None, kept.led_to
        made = make()
        kept.led_to = name(made)
        if kept.led_to:
            kept.created_at = timezone.now()
            kept.save(update_fields=["led_to", "created_at"])
        else:
            kept.delete()
    return made, kept.led_to


def done_before(owner: str, key: str) -> str:
    """The name of what was made with a key; "" if nothing was."""
    found = IdempotencyKey.objects.filter(digest=_digest(owner, key)).values_list("led_to", flat=True)
    return found.first() or ""


def _digest(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode(errors="replace")).hexdigest()
