"""The web server as docs/operations.md starts it, over raw sockets: what a download looks like from outside."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest
from django.conf import settings as ours
from django.db import connection
from django.urls import reverse

from mobjects.local.ports import HOST, find_free_port, is_port_open
from mobjects.local.supervisor import Supervisor
from mobjects.models import CustomField, Opportunity
from tests import factories
from tests.files import ROOT
from tests.support.backup import make_backup

pytestmark = [pytest.mark.processes, pytest.mark.timeout(360), pytest.mark.django_db(transaction=True)]
EXPORT = reverse("mobjects:export", args=["opportunities"])
TOKEN = "x" * 32
PATIENCE_SECONDS = 60
SLOW = 4


@pytest.fixture
def cookie(groups, client):
    """Of somebody who may export; the records are in the database before the server starts."""
    client.force_login(factories.user("vera", group="viewer"))
    CustomField.objects.create(name="Region")
    Opportunity.objects.bulk_create(
        Opportunity(name=f"Deal {number}", external_id=str(number), description="x" * 2000) for number in range(5000)
    )
    return f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"


@pytest.fixture
def serve(cookie, tmp_path):
    """Starts the server as documented, on what the database holds now; gives its port."""
    with Supervisor(tmp_path / "log", os.environ, signals=False) as supervisor:

        def start() -> int:
            database = os.environ.get("DATABASE_URL") if connection.vendor == "postgresql" else ""
            if database:
                database = f"{database.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
            port = find_free_port()
            values = {
                "DJANGO_SETTINGS_MODULE": "marketo_admin.settings",
                "DJANGO_ALLOWED_HOSTS": HOST,
                "DJANGO_SECRET_KEY": ours.SECRET_KEY,
                "DATABASE_URL": database or f"sqlite:///{make_backup(tmp_path)}",
            }
            [command] = re.findall(r"`gunicorn (.+?)`", (ROOT / "docs/operations.md").read_text(encoding="utf-8"))
            program = [sys.executable, "-W", "ignore", "-m", "gunicorn", *command.split()]
            supervisor.start_child(
                "web",
                ["env", f"--chdir={ROOT}", *program, "--bind", f"{HOST}:{port}"],
                lambda: is_port_open(port),
                add=values,
            )
            return port

        yield start


def ask(port, cookie, protocol, *columns, receive=0) -> socket.socket:
    """Ask for an export as CSV, and leave its answer in the line."""
    body = urlencode([("format", "csv"), *(("columns", name) for name in columns)])
    line = socket.socket()
    if receive:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    line.settimeout(PATIENCE_SECONDS)
    line.connect((HOST, port))
    headers = (
        f"POST {EXPORT} {protocol}",
        f"Host: {HOST}",
        f"Cookie: {cookie}",
        f"X-CSRFToken: {TOKEN}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    line.sendall("\r\n".join([*headers, "", body]).encode())
    return line


def pieces(line: socket.socket) -> Iterator[bytes]:
    with line:
        while piece := line.recv(1 << 16):
            yield piece


def answer(line) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body, up to the end of the connection."""
    head, _, body = b"".join(pieces(line)).partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    named = dict(header.lower().split(": ", 1) for header in headers)
    return first.split(" ", 1)[1], named, body


def test_a_file_that_breaks_off_does_not_look_whole_to_any_proxy(serve, cookie):
    Opportunity.objects.filter(name="Deal 2500").update(custom_attributes=[])  # Cannot be written.
    port = serve()
    status, headers, body = answer(ask(port, cookie, "HTTP/1.0", "Description", "Region"))
    assert (status, "content-disposition" in headers) == ("500 Internal Server Error", False)
    assert b"xxx" not in body
    status, headers, body = answer(ask(port, cookie, "HTTP/1.1", "Description", "Region"))
    assert (status, headers["transfer-encoding"]) == ("200 OK", "chunked")
    assert (len(body) > 1_000_000, body.endswith(b"0\r\n\r\n")) == (True, False)
    status, headers, body = answer(ask(port, cookie, "HTTP/1.0", "Name"))
    assert (status, headers["content-length"], body.count(b"\r\n")) == ("200 OK", str(len(body)), 5001)
    assert answer(ask(port, cookie, "HTTP/1.1", "Name"))[2].endswith(b"0\r\n\r\n")


def test_slow_downloads_leave_the_site_answering(serve, cookie):
    port = serve()
    with ExitStack() as stack:
        slow = [stack.enter_context(ask(port, cookie, "HTTP/1.1", "Description", receive=4096)) for _ in range(SLOW)]
        assert [line.recv(15) for line in slow] == [b"HTTP/1.1 200 OK"] * SLOW
        for _ in range(3):
            with socket.create_connection((HOST, port), PATIENCE_SECONDS) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                status, _headers, body = answer(line)
                assert (status, b"ok\n" in body) == ("200 OK", True)
        assert all(len(b"".join(pieces(line))) > 10_000_000 for line in slow)
