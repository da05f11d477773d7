"""Where notices arrive: a real HTTP server with an answer for each request, and a real mail server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from mobjects.local.ports import find_free_port

CUT = 0
"""Instead of a status: the connection is closed without an answer."""
DRIP = -1
"""Instead of a status: the head of an answer comes in drops, and never ends."""


class WebhookReceiver:
    """Answers each POST with the next of ``answers``, a status or (status, headers); then with 200. Keeps what came."""

    def __init__(self) -> None:
        self.answers: deque[int | tuple[int, dict[str, str]]] = deque()
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.is_over, self.drips_ended = threading.Event(), threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = receiver.answers.popleft() if receiver.answers else 200
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                if status == CUT:
                    self.close_connection = True
                    return
                if status == DRIP:
                    self._drip()
                    return
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def _drip(self) -> None:
                self.close_connection = True
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                with suppress(OSError):  # The other side has had enough.
                    while not receiver.is_over.wait(0.01):
                        self.wfile.write(b"X-Drop: 1\r\n")
                receiver.drips_ended.set()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook/a-token"

    def __enter__(self) -> WebhookReceiver:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.is_over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class MailReceiver:
    """Takes mail, unless ``answer`` says something else to it; keeps what came."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.answer.startswith("250"):
            self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@contextmanager
def mail_server(settings: Any) -> Iterator[MailReceiver]:
    """A mail server on this machine, which the site uses."""
    receiver = MailReceiver()
    controller = Controller(receiver, hostname="127.0.0.1", port=find_free_port())
    controller.start()
    settings.EMAIL_BACKEND = "mobjects.notices.channels.mail_backend.TimedEmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    try:
        yield receiver
    finally:
        controller.stop()


class DrippingMailServer:
    """A mail server whose greeting comes in drops, and never ends."""

    def __init__(self, drop: bytes) -> None:
        self.is_over, self.drips_ended = threading.Event(), threading.Event()
        server = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):  # The other side has had enough.
                    while not server.is_over.wait(0.01):
                        self.request.sendall(drop)
                server.drips_ended.set()

        self._tcp = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self._tcp.server_address[1]
        self._thread = threading.Thread(target=self._tcp.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> DrippingMailServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.is_over.set()
        self._tcp.shutdown()
        self._tcp.server_close()
        self._thread.join()
