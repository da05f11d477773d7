"""How long `/healthz` takes while files are downloaded slowly, with the web server as docs/operations.md starts it.

    python bench/downloads.py [--downloads 4] [--seconds 20] [--command "--workers 2 --threads 16"]
                              [--database postgres://user@host:5432/postgres]

Each download reads 64 KB a second of an export of 40 MB over this machine's own loopback. Exit code 1 if an answer took
longer than a second; one that did not come counts as 60 s.
"""

from __future__ import annotations

import socket
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from statistics import median
from threading import Event, Thread
from urllib.parse import urlencode

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.surroundings import Surroundings, surroundings  # noqa: E402 -- only found thanks to the line above
from mobjects.local.ports import HOST, find_free_port, is_port_open  # noqa: E402

RECORDS, LENGTH = 20_000, 2000
PIECE, BUFFER = 65_536, 16_384
GOAL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
TOKEN = "x" * 32


def main() -> int:
    """Measure without and with slow downloads; the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--downloads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--command", default="--workers 2 --threads 16", help="arguments of gunicorn")
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    options = parser.parse_args()
    with surroundings(options.database) as around:
        cookie = fill()
        port = serve(around, options.command.split())
        ask_health(port, 1)  # The workers load the site with the first questions.
        idle = ask_health(port, 5)
        over = Event()
        readers = [Thread(target=download, args=(port, cookie, over)) for _ in range(options.downloads)]
        for reader in readers:
            reader.start()
        busy = ask_health(port, options.seconds)
        over.set()
        for reader in readers:
            reader.join()
    for name, times in (("nothing else", idle), (f"{options.downloads} slow downloads", busy)):
        print(f"{name}: {len(times)} answers, median {median(times):.3f} s, longest {max(times):.3f} s")  # noqa: T201
    return int(max(busy) > GOAL_SECONDS)


def fill() -> str:
    """Records to export, and the cookies of somebody who may."""
    from django.contrib.auth.models import User
    from django.test import Client

    from mobjects.models import Opportunity

    for start in range(0, RECORDS, 500):
        Opportunity.objects.bulk_create(
            Opportunity(name=f"Deal {number}", external_id=str(number), description="x" * LENGTH)
            for number in range(start, start + 500)
        )
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"


def serve(around: Surroundings, arguments: list[str]) -> int:
    """Start gunicorn; returns its port."""
    port = find_free_port()
    command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", *arguments]
    around.start("web", [*command, "--bind", f"{HOST}:{port}"], lambda: is_port_open(port))
    return port


def ask_health(port: int, seconds: float) -> list[float]:
    """How long each answer took, one question after the other."""
    times: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        with socket.create_connection((HOST, port), PATIENCE_SECONDS) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with suppress(TimeoutError):
                while line.recv(PIECE):
                    pass
        times.append(time.monotonic() - began)
        time.sleep(0.1)
    return times


def download(port: int, cookie: str, over: Event) -> None:
    """Read an export slowly, until it is over."""
    body = urlencode({"format": "csv", "columns": "Description"})
    head = (
        "POST /admin/export/opportunities/ HTTP/1.1",
        "Host: testserver",
        f"Cookie: {cookie}",
        f"X-CSRFToken: {TOKEN}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        line.settimeout(PATIENCE_SECONDS)
        line.connect((HOST, port))
        line.sendall("\r\n".join([*head, "", body]).encode())
        if not line.recv(15).endswith(b"200 OK"):
            raise SystemExit("The export was refused.")
        while not over.wait(1):
            line.recv(PIECE)


if __name__ == "__main__":
    sys.exit(main())
