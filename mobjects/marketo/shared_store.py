"""What all processes of a site know together: the token in use, and what Marketo told about itself lately."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Protocol


class SharedStore(Protocol):
    """A memory that may lose anything at any time: what stands in it can be asked for anew.

    No method raises where the memory cannot be reached. It then knows nothing, keeps nothing and lets everybody pass.
    Names and values may be seen by who can read the memory, so a secret is encrypted before it is handed over.
    """

    def get(self, name: str) -> str | None:
        """What was kept under a name; ``None`` if nothing was, or no longer is."""
        ...

    def set(self, name: str, value: str, seconds: float) -> None:
        """Keep a text for so many seconds; nothing is kept for zero or fewer."""
        ...

    def delete(self, name: str) -> None:
        """Forget what was kept under a name."""
        ...

    def lock(self, name: str, seconds: float) -> AbstractContextManager[bool]:
        """Be the only one who does something. Nobody waits for it.

        Args:
            name: what is done.
            seconds: after so long it is free again, whatever became of who held it.

        Returns:
            A context manager that gives whether the lock was free.
        """
        ...


class MemoryStore:
    """A shared store of one process, for commands and tests.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}
        self._mutex = Lock()

    def get(self, name: str) -> str | None:
        """See :class:`SharedStore`."""
        with self._mutex:
            return self._live(name)

    def set(self, name: str, value: str, seconds: float) -> None:
        """See :class:`SharedStore`."""
        with self._mutex:
            self._kept[name] = (value, self._clock() + seconds)

    def delete(self, name: str) -> None:
        """See :class:`SharedStore`."""
        with self._mutex:
            self._kept.pop(name, None)

    @contextmanager
    def lock(self, name: str, seconds: float) -> Iterator[bool]:
        """See :class:`SharedStore`."""
        mine = object()
        with self._mutex:
            free = self._live(f"lock {name}") is None
            if free:
                self._kept[f"lock {name}"] = (str(id(mine)), self._clock() + seconds)
        try:
            yield free
        finally:
            with self._mutex:
                if free and self._live(f"lock {name}") == str(id(mine)):
                    del self._kept[f"lock {name}"]

    def _live(self, name: str) -> str | None:
        value, until = self._kept.get(name, ("", float("-inf")))
        return value if self._clock() < until else None
