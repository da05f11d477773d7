"""How long `/healthz`, `/readyz` and `/metrics` take while pages are asked for without a pause.

    python bench/readiness.py [--browsers 8] [--seconds 15] [--database postgres://user@host:5432/postgres]

The web server is started as docs/operations.md starts it. Exit code 1 if an answer took longer than the three seconds
that docs/operations.md promises for `/readyz`.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from threading import Event, Thread

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.surroundings import surroundings  # noqa: E402 -- only found thanks to the line above
from mobjects.local.ports import HOST, find_free_port, is_port_open  # noqa: E402

TOKEN = "a-token-of-the-bench"  # noqa: S105 -- of a server that lives for as long as this runs
PATHS = ("/healthz", "/readyz", "/metrics")
PAGE = "/admin/login/"
GOAL_SECONDS = 3.0
PATIENCE_SECONDS = 60


def main() -> int:
    """Measure without and with browsers; the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browsers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--database", default="", help="a PostgreSQL to run on (default: a temporary SQLite file)")
    options = parser.parse_args()
    os.environ["METRICS_TOKEN"] = TOKEN
    longest, over = 0.0, Event()
    pages: list[float] = []
    with surroundings(options.database) as around:
        port = find_free_port()
        # Without collectstatic, which would write into the checkout, pages are made in DEBUG only.
        command = [
            "env",
            "DJANGO_DEBUG=true",
            sys.executable,
            "-m",
            "gunicorn",
            "marketo_admin.wsgi",
            "--workers",
            "2",
            "--threads",
            "16",
        ]
        around.start("web", [*command, "--bind", f"{HOST}:{port}"], lambda: is_port_open(port))
        for path in (PAGE, *PATHS) * 4:
            ask(port, path)  # The workers load the site with the first questions.
        browsers = [Thread(target=browse, args=(port, over, pages)) for _ in range(options.browsers)]
        for name, seconds in (("nothing else", 3.0), (f"{options.browsers} browsers", options.seconds)):
            if name != "nothing else":
                for browser in browsers:
                    browser.start()
            times = measure(port, seconds)
            for path in PATHS:
                said = (
                    f"{len(times[path])} answers, median {median(times[path]):.3f} s, longest {max(times[path]):.3f} s"
                )
                print(f"{name}, {path}: {said}")  # noqa: T201
                longest = max(longest, *times[path])
        over.set()
        for browser in browsers:
            browser.join()
    print(f"{len(pages) / options.seconds:.0f} pages a second meanwhile")  # noqa: T201
    return int(longest > GOAL_SECONDS)


def measure(port: int, seconds: float) -> dict[str, list[float]]:
    """How long each answer took, one question after the other."""
    times: dict[str, list[float]] = {path: [] for path in PATHS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in PATHS:
            times[path].append(ask(port, path))
        time.sleep(0.1)
    return times


def browse(port: int, over: Event, pages: list[float]) -> None:
    """Ask for a page again and again."""
    while not over.is_set():
        pages.append(ask(port, PAGE))


def ask(port: int, path: str) -> float:
    """Ask for an address; how long it took."""
    began = time.monotonic()
    line = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        line.request("GET", path, headers={"Host": "testserver", "Authorization": f"Bearer {TOKEN}"})
        answer = line.getresponse()
        answer.read()
        if answer.status not in (200, 503):  # No worker is there, and /readyz says so.
            raise SystemExit(f"{path}: {answer.status}")
    finally:
        line.close()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
