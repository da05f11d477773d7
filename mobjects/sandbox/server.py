"""Serving the sandbox over real HTTP/1.1: keep-alive, threads, and lines that can be cut."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mobjects.sandbox.app import ENDPOINT_PATH, MAX_BODY_BYTES, Sandbox
from mobjects.sandbox.call_log import CallLoad, LoggedCall
from mobjects.sandbox.fault_injection import FaultScript
from mobjects.sandbox.http_answer import ConnectionCut
from mobjects.sandbox.rest.identity import CLIENT_ID, CLIENT_SECRET, ClientCredentials, TokenIssuer
from mobjects.sandbox.rest.instance import RestInstance
from mobjects.sandbox.soap.auth import KEY, USER_ID, Credentials
from mobjects.sandbox.soap.wsdl import BUNDLED_WSDL
from mobjects.sandbox.state import SandboxStore

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_CLOSE_SECONDS = 5


class _SandboxHandler(BaseHTTPRequestHandler):
    """Turns HTTP into calls of the WSGI application."""

    protocol_version = "HTTP/1.1"
    server_version = "MarketoSandbox"
    sys_version = ""
    # Headers and body in one packet: otherwise Nagle and delayed ACK cost 40 ms a call.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _SandboxHTTPServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        try:
            for chunk in self.server.sandbox(self._environ(body), self._start):
                self.wfile.write(chunk)
        except ConnectionCut:
            self.close_connection = True

    def _environ(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        return {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_SOAPACTION": self.headers.get("SOAPAction", ""),
            "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
            "HTTP_HOST": self.headers.get("Host", ""),
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "wsgi.input": io.BytesIO(body),
        }

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        code, _, phrase = status.partition(" ")
        self.send_response_only(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        return self.wfile.write

    def date_time_string(self, timestamp: float | None = None) -> str:
        # http.server's own error answers tell the sandbox's time too.
        return self.server.sandbox.http_date()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the journal and the page show what arrived."""


class _SandboxHTTPServer(ThreadingHTTPServer):
    """Knows its open connections, so that it can close them all at once."""

    daemon_threads = True
    # A restarted demo takes its port back at once; a port in use is still refused.
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__(address, _SandboxHandler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # typeshed allows UDP here
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # typeshed allows UDP here
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up is everyday life; anything else is a fault of ours and gets its traceback.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed is narrower

    def close_connections(self) -> None:
        """Hang up on everyone and wait until the threads have noticed."""
        with self._changed:
            for connection in self._open:
                _hang_up(connection)
            self._changed.wait_for(lambda: not self._open, _CLOSE_SECONDS)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was gone already


class SandboxServer:
    """A sandbox on a loopback port, in threads of this process.

    ::

        with SandboxServer(port=0) as sandbox:
            requests.post(sandbox.endpoint, ...)
            assert len(sandbox.store.opportunities) == 1

    Args:
        port: 0 takes a free one.
        host: address to listen on.
        seed: whether to start with programs, people and so on.
        user_id, key: the API user of SOAP.
        client_id, client_secret: the custom service of REST.
        window_seconds: how far a request timestamp may be off.
        wsdl: path of the WSDL.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        seed: bool = True,
        user_id: str = USER_ID,
        key: str = KEY,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        window_seconds: float = 300,
        wsdl: Path = BUNDLED_WSDL,
    ) -> None:
        self.app = Sandbox(
            credentials=Credentials(user_id, key, window_seconds),
            client=ClientCredentials(client_id, client_secret),
            wsdl=wsdl,
            with_seed=seed,
        )
        self._server = _SandboxHTTPServer((host, port), self.app)
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:8001``, without a slash at the end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def endpoint(self) -> str:
        """Where SOAP requests go."""
        return self.url + ENDPOINT_PATH

    @property
    def rest_endpoint(self) -> str:
        """Where REST requests go, as Marketo's administration shows it: ``…/rest``."""
        return f"{self.url}/rest"

    @property
    def identity_endpoint(self) -> str:
        """Where tokens are given: ``…/identity``."""
        return f"{self.url}/identity"

    @property
    def instance(self) -> RestInstance:
        """Switches of the instance: rights, limits, and what sources leave open."""
        return self.app.rest.instance

    @property
    def tokens(self) -> TokenIssuer:
        """The tokens of REST: let one end, or be refused."""
        return self.app.rest.tokens

    @property
    def store(self) -> SandboxStore:
        """What the sandbox holds; take ``store.lock`` to read while calls are under way."""
        return self.app.store

    @property
    def faults(self) -> FaultScript:
        """The script of what is to go wrong."""
        return self.app.faults

    @property
    def calls(self) -> list[LoggedCall]:
        """What arrived so far, oldest first."""
        return self.app.journal.list_calls()

    @property
    def load(self) -> CallLoad:
        """How hard it was called since the last reset."""
        return self.app.journal.load

    def reset(self) -> None:
        """Back to the start: state, clock, script, calls."""
        self.app.reset()

    def serve_forever(self) -> None:
        """Serve in this thread until an exception such as KeyboardInterrupt ends it."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stop: held calls go on, connections are closed, the port is free again."""
        self.faults.close()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, args=(0.005,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
