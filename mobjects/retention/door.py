"""The one way in which history is changed or removed: every statement of a purge and of an erasure passes here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def opened_history(reason: str) -> Iterator[None]:
    """A transaction in which history may be changed.

    Args:
        reason: in a few words, for whoever watches over the history.
    """
    with transaction.atomic():
        yield
