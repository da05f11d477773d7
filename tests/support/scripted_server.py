"""A real HTTP server on a free loopback port that gives the answers a test has scripted."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lxml import etree

from tests.support.xml import assert_valid_request


@dataclass
class Reply:
    """One scripted answer.

    ``cut`` ends the connection without an answer, ``silent`` leaves the caller waiting until the server stops,
    ``short_by`` promises more bytes than come.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml; charset=utf-8"})
    cut: bool = False
    silent: bool = False
    short_by: int = 0


@dataclass
class Call:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Serves scripted replies in order and keeps the calls. Use as a context manager.

    ``bad_requests`` holds what is wrong with each request that breaks Marketo's schema.
    """

    def __init__(self) -> None:
        self.released = threading.Event()
        self.replies: deque[Reply] = deque()
        self.calls: list[Call] = []
        self.bad_requests: list[str] = []
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def endpoint(self) -> str:
        return f"{self.address}/soap/mktows/2_7"

    def answer(self, body: bytes | str = b"", status: int = 200, **options: object) -> None:
        """Script one more answer."""
        content = body.encode() if isinstance(body, str) else body
        self.replies.append(Reply(content, status, **options))  # type: ignore[arg-type]  # passed through

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_POST(self) -> None:
        script = self.server.script
        body = self.rfile.read(int(self.headers["Content-Length"]))
        script.calls.append(Call(self.path, dict(self.headers.items()), body))
        try:
            assert_valid_request(body)
        except (AssertionError, etree.LxmlError) as error:
            script.bad_requests.append(str(error))
        self._give(script.replies.popleft())

    def _give(self, reply: Reply) -> None:
        self.close_connection = True
        if reply.silent:
            self.server.script.released.wait(10)
        elif reply.cut:
            # Linger 0 resets the connection instead of closing it in order.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(reply.body) + reply.short_by))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


class _Http(ThreadingHTTPServer):
    def __init__(self, script: ScriptedServer) -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _Handler)
