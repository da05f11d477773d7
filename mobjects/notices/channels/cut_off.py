"""A bound on the whole of an exchange: limits of sockets are for each piece of it, and pieces may come in drops."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

WHOLE_SECONDS = 40.0
"""Longest time of one try to deliver: well within its lease, however slowly the pieces come."""


class CutOff:
    """Cuts a connection off when the time is over.

    Args:
        seconds: from entering on.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> CutOff:
        self._timer.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def watch(self, connected: socket.socket) -> None:
        """Cut this connection off. A second handle of it is kept, as TLS takes the first one away."""
        self._socket = connected.dup()
        if self.is_over:  # While it was opened; then there was nothing to cut off yet.
            self._cut()

    def _cut(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):  # It is closed already.
                self._socket.shutdown(socket.SHUT_RDWR)
