"""A Redis whose answers get lost: a proxy before a real one, which has done the command by then."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

from mobjects.local.ports import HOST

GREETINGS = ("HELLO", "AUTH", "CLIENT", "SELECT")
"""What redis-py says to each new connection; no commands of ours."""


class RedisProxy(socketserver.ThreadingTCPServer):
    """Passes on to a Redis; at the question of the caller's choice it closes instead of giving the answer.

    Args:
        url: of the Redis.
        keeps_away: after the lost answer all connections are refused until ``come_back``.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, url: str, *, keeps_away: bool = False) -> None:
        super().__init__((HOST, 0), _Passing)
        parts = urlsplit(url)
        self.target = (parts.hostname or HOST, parts.port or 6379)
        self.url = f"redis://{HOST}:{self.server_address[1]}{parts.path}"
        self.lost: list[str] = []
        self.away = False
        self._keeps_away = keeps_away
        self._lose_at = -1
        self._asked = 0
        self._lock = threading.Lock()

    def lose_answer(self, number: int) -> None:
        """Lose the answer to the question of this number from now on, counted from 0."""
        self._asked, self._lose_at = 0, number
        self.lost.clear()

    def come_back(self) -> None:
        """Accept connections again, and lose no more answers."""
        self.away, self._lose_at = False, -1

    def is_there(self) -> bool:
        """Whether it answers at all."""
        return not self.away

    def loses(self, question: bytes) -> bool:
        """Whether the answer to this question gets lost."""
        name = question.split(b"\r\n")[2].decode()
        if name in GREETINGS:
            return False
        with self._lock:
            lost = self._asked == self._lose_at
            self._asked += 1
            if lost:
                self.lost.append(name)
                self.away = self._keeps_away
            return lost

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()


class _Passing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy = cast(RedisProxy, self.server)
        if not proxy.is_there():
            return
        with socket.create_connection(proxy.target) as redis, suppress(OSError):
            while (question := self.request.recv(1 << 20)) and proxy.is_there():
                loses = proxy.loses(question)
                redis.sendall(question)
                answer = _whole_answer(redis, question)
                if loses:
                    return
                self.request.sendall(answer)


def _whole_answer(redis: socket.socket, question: bytes) -> bytes:
    """The answer to all commands of a question; after it Redis says nothing more."""
    answer = redis.recv(1 << 20)
    redis.settimeout(0.01 if question.count(b"\r\n*") else 0.001)
    with suppress(TimeoutError):
        while more := redis.recv(1 << 20):
            answer += more
    redis.settimeout(None)
    return answer
