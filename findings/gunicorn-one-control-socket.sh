#!/usr/bin/env bash
# gunicorn 27.0.1: two sites of one user on one machine, each with its own port and folder, and the new "gunicornc".
#
# Guess, written down before the run: the control socket that each gunicorn opens by default has the site's name, port or process in
# its own; or the second one that finds it taken says so, and has none.
#
# Seen: there is one name per user. The second gunicorn takes the first one's socket over without a word; both logs say that they
# listen there. From then on "gunicornc" in the folder of the first site asks, reloads and shuts down the second; and where the
# first stops, it takes the socket of the second with it, so that nobody can be asked any more.
#
# Whom it hurts: a machine that serves production and a rehearsal (or two tenants) under one service account: a deployment
# of the one that ends in "gunicornc -c reload" or "-c shutdown" does it to the other, whichever was started last, and
# reports success.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gunicorn==27.0.1
cat > "$folder/try.py" <<'PYTHON'
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

folder = Path(sys.argv[1])
home = folder / "home"
home.mkdir()
SURROUNDINGS = {"PATH": os.environ["PATH"], "HOME": str(home)}
APP = """
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [os.environ["SITE"].encode()]
"""


class Site:
    def __init__(self, name, workers):
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        self.folder.joinpath("app.py").write_text(APP)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = self.folder / "log"
        command = [folder / "venv/bin/gunicorn", "-b", f"127.0.0.1:{self.port}", "-w", str(workers), "app:app"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env={**SURROUNDINGS, "SITE": name}, stdout=log, stderr=log
            )
        until(lambda: self.is_serving() and "Control socket listening" in self.log.read_text())

    def is_serving(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2) as answer:
                return answer.read().decode() == self.folder.name
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, command):
        """What gunicornc says in the folder of this site."""
        done = subprocess.run(
            [folder / "venv/bin/gunicornc", "-j", "-c", command],
            cwd=self.folder, env=SURROUNDINGS, capture_output=True, text=True, check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else None

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.1)
    raise SystemExit("that did not come")


production = Site("production", 1)
rehearsal = Site("rehearsal", 2)
workers = len(production.ask("show workers")["workers"])
warned = [name.folder.name for name in (production, rehearsal) if "WARN" in name.log.read_text()]
production.ask("shutdown")
until(lambda: rehearsal.process.poll() is not None)
print(f"asked in production: {workers} workers (it has 1); warnings: {warned}")
print(f"'shutdown' in production: production serves: {production.is_serving()}, rehearsal: {rehearsal.is_serving()}")
first = (workers, warned, production.is_serving(), rehearsal.is_serving())

rehearsal = Site("rehearsal", 2)
reachable = rehearsal.ask("show workers") is not None
production.stop()
lost = rehearsal.ask("show workers") is None
print(f"rehearsal can be asked: {reachable}; after production stopped it serves: {rehearsal.is_serving()}, cannot be asked: {lost}")
second = (reachable, rehearsal.is_serving(), lost)
rehearsal.stop()
sys.exit(0 if (first, second) == ((2, [], True, False), (True, True, True)) else "no longer so")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
