#!/usr/bin/env bash
# pythonmarketo 0.0.9 on Python 3: no call ever leaves the machine, and after 12 seconds Marketo gets the blame.
#
# A good engineer would guess, before reading its code: the package installs on any Python 3 and was last released for Python 2, so
# its first call raises an error of Python's own (a missing name) with a traceback that points into the package, at once.
#
# Seen: the missing name (urllib.urlencode) stands inside the block that is to survive a bad network. It is caught,
# reported as "HTTP Get Exception!!! Retrying....." four times with three seconds between, and what comes out is
# Exception("Empty Response"), the same words as for an answer of Marketo without content. No connection is opened: the
# server below counts none. "pip install" says nothing, as the package names no Python versions.
#
# Whom it hurts: whoever moves a nightly job to Python 3, or takes this client because its name is the obvious one. They
# look for a fault at Marketo, in the firewall or in their credentials; a job of 1,000 calls hangs for over three hours.
#
# Exits with 0 as long as that is so.
set -euo pipefail
VERSION=0.0.9
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pythonmarketo==$VERSION" "requests==2.34.2" 2>/dev/null
cat >"$folder/look.py" <<'PY'
import contextlib
import importlib.metadata
import io
import socket
import sys
import threading

from pythonmarketo.client import MarketoClient
from pythonmarketo.helper.http_lib import HttpLib

connections = 0


def count(server):
    global connections
    while True:
        try:
            found, _ = server.accept()
        except OSError:
            return
        connections += 1
        found.close()


server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=count, args=(server,), daemon=True).start()

pause, HttpLib.sleep_duration = HttpLib.sleep_duration, 0
client = MarketoClient("127.0.0.1:%d" % server.getsockname()[1], "an-id", "a-secret")
said, error = io.StringIO(), None
with contextlib.redirect_stdout(said):
    try:
        client.execute(method="get_leads", filtr="email", values=["someone@example.com"])
    except Exception as caught:
        error = caught
server.close()

lines = said.getvalue().splitlines()
print("pythonmarketo", importlib.metadata.version("pythonmarketo"), "on Python", sys.version.split()[0])
print("error:", repr(error), "caused by", repr(error.__cause__ or error.__context__))
print("printed:", len(lines), "times", set(lines))
print("seconds it would have waited:", pause * len(lines))
print("connections opened:", connections)
as_seen = (repr(error), len(lines), pause * len(lines), connections) == ("Exception('Empty Response')", 4, 12, 0)
sys.exit(0 if as_seen else 1)
PY
"$folder/venv/bin/python" "$folder/look.py"
