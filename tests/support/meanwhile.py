"""Marketo, and Redis, that take so long that something happens here before they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from redis import Redis

from mobjects.marketo.types import BatchResponse, Kind, MarketoQuery, QueryPage
from mobjects.sync.transport_factory import open_transport


class SlowMarketo:
    """The Marketo of the settings.

    Args:
        meanwhile: done after Marketo has looked or deleted and before its answer arrives; may give another answer.
    """

    def __init__(self, meanwhile: Callable[[Any], Any]) -> None:
        self._marketo = open_transport()
        self._meanwhile = meanwhile

    def find(self, query: MarketoQuery, position: str = "") -> QueryPage:
        page = self._marketo.find(query, position)
        return cast(QueryPage, self._meanwhile(page) or page)

    def delete(self, kind: Kind, ids: Sequence[int]) -> BatchResponse:
        answer = self._marketo.delete(kind, ids)
        return cast(BatchResponse, self._meanwhile(answer) or answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._marketo, name)


class RedisWithRival(Redis):
    """A Redis that somebody else writes to between our look and our write.

    ``rival`` is called once, with the key, before a key that ends with ``rivals_key`` is set.
    """

    rivals_key = ""
    rival: Callable[[str], object] | None = None

    def set(self, name: Any, *args: Any, **options: Any) -> Any:
        rival = self.rival
        if rival is not None and str(name).endswith(self.rivals_key):
            self.rival = None
            rival(name)
        return super().set(name, *args, **options)
