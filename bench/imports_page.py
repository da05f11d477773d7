"""How long a person waits for the first page of a review: a real web server, a real worker, over HTTP."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import requests
from django.contrib.auth.models import User

from bench import imports_files, imports_ours
from bench.herd import Herd, wait_for
from mobjects.local.ports import find_free_port, is_port_open

MOST_SECONDS = 2.0
LONGEST_REQUEST = 1.0
LARGEST_PAGE = 200_000
LOOK_SECONDS = 0.1
"""Between two looks whether the check is over; a browser's page looks less often."""
PASSWORD = "only-here"  # noqa: S105 -- of a database that is thrown away

Say = Callable[[str], None]


class Visitor:
    """A browser that is logged in, and notes how long each answer takes."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = requests.Session()
        self.seconds: dict[str, float] = {}
        """The longest answer of each address."""

    def get(self, path: str, expect: int = 200) -> requests.Response:
        """Ask for a page."""
        return self._ask("GET", path, expect)

    def post(self, path: str, data: dict[str, str], file: Path | None = None) -> requests.Response:
        """Send a form; redirects are answered but not followed."""
        fields = {**data, "csrfmiddlewaretoken": self._session.cookies["csrftoken"]}
        if file is None:
            return self._ask("POST", path, 302, data=fields)
        with open(file, "rb") as content:
            return self._ask("POST", path, 302, data=fields, files={"file": (file.name, content)})

    def _ask(self, method: str, path: str, expect: int, **sent: object) -> requests.Response:
        began = time.perf_counter()
        answer = self._session.request(method, f"{self._base}{path}", allow_redirects=False, timeout=60, **sent)  # type: ignore[arg-type]
        name = f"{method} {re.sub('[0-9]+', 'N', path)}"
        self.seconds[name] = max(self.seconds.get(name, 0), time.perf_counter() - began)
        if answer.status_code not in (expect, 286):  # 286 ends a page's looking for news.
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer


def measure(herd: Herd, say: Say, *, rows: int, rounds: int) -> bool:
    """Print seconds from sending a file until the first page of its review is there; whether that is soon enough."""
    visitor = _logged_in(herd)
    path = imports_files.write_csv(herd.folder / "opportunities.csv", rows)
    herd.add_worker()
    taken, pages = [], []
    _once(visitor, path)  # Warms up.
    visitor.seconds.clear()
    for _ in range(rounds):
        imports_ours.empty()
        seconds, page = _once(visitor, path)
        taken.append(seconds)
        pages.append(page)
    longest = max(visitor.seconds, key=lambda name: visitor.seconds[name])
    say(f"{rows:,} rows ({path.stat().st_size / 1e6:.1f} MB), gunicorn and a worker, {rounds} rounds:")
    soon = median(taken) <= MOST_SECONDS
    say(f"  first page of the review after {median(taken):.2f} s ({min(taken):.2f} to {max(taken):.2f}): {_said(soon)}")
    quick = visitor.seconds[longest] <= LONGEST_REQUEST
    say(f"  longest request {visitor.seconds[longest]:.2f} s ({longest}): {_said(quick)}")
    small = max(pages) <= LARGEST_PAGE
    say(f"  the page has {max(pages) / 1000:.0f} KB, at most {LARGEST_PAGE / 1000:.0f}: {_said(small)}")
    return soon and quick and small


def _said(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def _logged_in(herd: Herd) -> Visitor:
    port = find_free_port()
    command = [sys.executable, "-m", "gunicorn", "marketo_admin.wsgi", "--no-control-socket", "--workers", "2"]
    herd.start("web", [*command, "--bind", f"127.0.0.1:{port}"])
    wait_for(lambda: is_port_open(port), "the web server")
    User.objects.create_superuser("bench", password=PASSWORD)
    visitor = Visitor(f"http://127.0.0.1:{port}")
    visitor.get("/admin/login/")
    visitor.post("/admin/login/", {"username": "bench", "password": PASSWORD, "next": "/admin/"})
    return visitor


def _once(visitor: Visitor, path: Path) -> tuple[float, int]:
    """One upload; returns seconds, and bytes of the review's page."""
    visitor.get("/admin/imports/new/?kind=opportunities")
    began = time.perf_counter()
    sent = visitor.post("/admin/imports/new/", {"kind": "opportunities", "encoding": "auto"}, path)
    found = re.search(r"/imports/([0-9]+)/", sent.headers["Location"])
    if found is None:
        raise RuntimeError(f"The upload leads to {sent.headers['Location']}.")
    address = f"/admin/imports/{found[1]}"
    while visitor.get(f"{address}/live/").status_code != 286:
        time.sleep(LOOK_SECONDS)
    review = visitor.get(f"{address}/review/")
    taken = time.perf_counter() - began
    if "E-0000049" not in review.text and "Renewal 49" not in review.text:
        raise RuntimeError("The review does not show the first fifty rows.")
    return taken, len(review.content)
