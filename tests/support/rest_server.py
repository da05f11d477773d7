"""A real HTTP server on a free loopback port that answers as Marketo's REST API, by script."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Exchange

TOKEN_PATH = "/identity/oauth/token"
CLIENT_ID = "b417d98f-aaaa-bbbb-cccc-2a42211c3f5e"
SECRET = "y/Sec+ret &0123"


@dataclass
class RestAnswer:
    """One scripted answer.

    ``cut`` ends the connection without an answer, ``silent`` leaves the caller waiting until the server stops,
    ``short_by`` promises more bytes than come, ``status_line`` is written as it is.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json;charset=UTF-8"})
    cut: bool = False
    silent: bool = False
    short_by: int = 0
    status_line: bytes = b""


@dataclass
class RestCall:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


class RestServer:
    """Serves scripted answers in order and keeps the calls. Use as a context manager.

    The identity service has a script of its own. Without one it gives out ``token-1``, with an hour left.
    """

    def __init__(self) -> None:
        self.released = threading.Event()
        self.answers: deque[RestAnswer] = deque()
        self.tokens: deque[RestAnswer] = deque()
        self.calls: list[RestCall] = []
        self.identity_calls: list[RestCall] = []
        self._http = _RestHttp(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def answer(self, body: object = b"", status: int = 200, **options: Any) -> None:
        """Script one more answer; what is neither bytes nor text is written as JSON."""
        self.answers.append(RestAnswer(_content(body), status, **options))

    def give_token(self, value: str, left: object = 3599, **options: Any) -> None:
        """Script one more answer of the identity service."""
        reply = {"access_token": value, "token_type": "bearer", "expires_in": left, "scope": "api@example.com"}
        self.tokens.append(RestAnswer(_content(reply), **options))

    def refuse_token(self, status: int = 401, body: object = None, **options: Any) -> None:
        """Script one more refusal of the identity service."""
        reply = {"error": "invalid_client", "error_description": "Bad client credentials"} if body is None else body
        self.tokens.append(RestAnswer(_content(reply), status, **options))

    def next_answer(self, path: str) -> RestAnswer:
        """What to answer now."""
        if not path.startswith(TOKEN_PATH):
            return self.answers.popleft()
        if not self.tokens:
            self.give_token("token-1")
        return self.tokens.popleft()

    def __enter__(self) -> RestServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _content(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def success(*result: object, **more: object) -> dict[str, object]:
    """An answer of the lead database, its keys in Marketo's order."""
    return {"requestId": "e42b#14272d07d78", "result": list(result), "success": True, **more}


def asset_success(*result: object, warnings: tuple[str, ...] = ()) -> dict[str, object]:
    """An answer of the asset API; without entries it has no result at all."""
    reply: dict[str, object] = {
        "success": True,
        "errors": [],
        "requestId": "a9b1#15f",
        "warnings": list(warnings),
    }
    return {**reply, "result": list(result)} if result else reply


def failure(code: object, text: str = "Something", **more: object) -> dict[str, object]:
    return {"requestId": "e42b#14272d07d79", "success": False, "errors": [{"code": code, "message": text}], **more}


def exchange_of(error: MarketoError) -> Exchange:
    """What was sent and answered; fails where nothing was."""
    assert error.exchange is not None
    return error.exchange


class _RestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RestHttp

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        script = self.server.script
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = RestCall(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
        (script.identity_calls if self.path.startswith(TOKEN_PATH) else script.calls).append(call)
        self._give(script.next_answer(self.path))

    def _give(self, answer: RestAnswer) -> None:
        if answer.silent:
            self.close_connection = True
            self.server.script.released.wait(10)
        elif answer.cut:
            self.close_connection = True
            # Linger 0 resets the connection instead of closing it in order.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._write(answer)

    def _write(self, answer: RestAnswer) -> None:
        if answer.status_line:
            self.wfile.write(answer.status_line + b"\r\n")
        else:
            self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.close_connection = bool(answer.short_by)
        self.send_header("Content-Length", str(len(answer.body) + answer.short_by))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


class _RestHttp(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: RestServer) -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _RestHandler)
