"""A set of keys that takes a bit for each number, so that a million rows take little more than a hundred kilobytes."""

from __future__ import annotations

from collections.abc import Iterable

from mobjects.audit.history_tables import Key

_PAGE_BITS = 1 << 16


class KeySet:
    """Keys of rows: numbers, close to each other for the most part, or texts, of which there are few."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self._texts: set[Key] = set()

    def update(self, keys: Iterable[Key]) -> None:
        """Put keys in."""
        for key in keys:
            if isinstance(key, str):
                self._texts.add(key)
                continue
            page, bit = divmod(key, _PAGE_BITS)
            if page not in self._pages:
                self._pages[page] = bytearray(_PAGE_BITS // 8)
            self._pages[page][bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, key: Key) -> bool:
        if isinstance(key, str):
            return key in self._texts
        page, bit = divmod(key, _PAGE_BITS)
        return page in self._pages and bool(self._pages[page][bit >> 3] >> (bit & 7) & 1)
