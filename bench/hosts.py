"""Several hosts for real: two for the web, two for workers, database, Redis and Marketo, each a network namespace.

    sudo .venv/bin/python bench/hosts.py [--records 1500] [--cut 60] [--json]

While jobs run, a worker's host, Redis and the database are cut off and come back, and a release with an ordinary new
NOT NULL column is rolled out. Pages are read from both web hosts all the time. Exit code 1 unless nothing is lost,
nothing is doubled, no job crashed, Marketo's limits held and everything has arrived. Needs root, iproute2 and
PostgreSQL's programs; its addresses are nobody's and lead nowhere. It ends by itself after 15 minutes, and cleans up.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench.hosts_lan import Lan, find_missing  # noqa: E402 -- only found thanks to the line above

HOSTS = ("marketo", "db", "redis", "web-1", "web-2", "worker-1", "worker-2")
LIMIT_SECONDS = 900


def main() -> int:
    """Make the hosts, run it on the first of them, and remove them; returns the exit code."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=1500, help="new opportunities for each job")
    parser.add_argument("--cut", type=float, default=60, help="seconds for which a worker's host is cut off")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    parser.add_argument("--inside", default="", help="for its own use")
    asked = parser.parse_args()
    if asked.inside:
        return run_inside(asked)
    missing = find_missing()
    if os.geteuid() != 0 or missing:
        sys.stderr.write(f"It has to be root, and needs {', '.join(missing or ['nothing else'])}.\n")
        return 2
    signal.signal(signal.SIGTERM, _exit)
    lan = Lan(f"mh{secrets.token_hex(2)}")
    try:
        lan.build(HOSTS)
        inside = [sys.executable, __file__, *sys.argv[1:], "--inside", lan.namespace("marketo")]
        command = ["ip", "netns", "exec", lan.namespace("marketo"), *inside]
        return subprocess.run(command, check=False, timeout=LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"It did not end within {LIMIT_SECONDS} s.\n")
        return 1
    finally:
        lan.close()


def run_inside(asked: Namespace) -> int:
    """The run itself, on Marketo's host, which alone can read what arrived there."""
    from bench.herd import TookTooLong
    from bench.hosts_site import Site

    lan = Lan(asked.inside.removesuffix("-marketo"))
    with tempfile.TemporaryDirectory(prefix="marketo-hosts-") as folder, Site(lan, Path(folder), HOSTS) as site:
        from bench.hosts_flow import run_flow  # Models can be imported only now.

        try:
            return run_flow(site, asked)
        except TookTooLong as error:
            sys.stderr.write(f"{error}\n{site.read_logs()}")
            return 1


def _exit(number: int, frame: object) -> None:
    # So that everything is cleaned up where this process is asked to end.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
