"""The supervisor: starts in order, stops in reverse order, leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from mobjects.local.supervisor import ChildFailed, Supervisor
from tests.files import ROOT

# Says when it starts and when it is told to stop.
CHILD = """
import pathlib, signal, sys
log, name, answer = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def write(word):
    with log.open("a") as file:
        file.write(f"{word} {name}\\n")
def stop(number, frame):
    write("stop")
    if answer == "obey":
        sys.exit()
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, lambda number, frame: write("interrupted"))
write("start")
while True:
    signal.pause()
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


def start(supervisor, log, name, answer="obey"):
    command = [sys.executable, "-c", CHILD, str(log), name, answer]
    supervisor.start_child(name, command, lambda: f"start {name}" in read(log))


def read(log):
    return log.read_text().splitlines() if log.exists() else []


def supervise(tmp_path, **options):
    return Supervisor(tmp_path / "logs", os.environ, signals=False, **options)


def test_children_stop_in_reverse_order(tmp_path, log):
    with supervise(tmp_path) as supervisor:
        start(supervisor, log, "first")
        start(supervisor, log, "second")
    assert read(log) == ["start first", "start second", "stop second", "stop first"]


def test_a_child_that_does_not_obey_is_asked_twice_and_killed(tmp_path, log):
    with supervise(tmp_path, stop_seconds=0.2) as supervisor:
        start(supervisor, log, "stubborn", "ignore")
    assert read(log) == ["start stubborn", "stop stubborn", "stop stubborn"]


def test_a_child_that_ends_before_it_is_ready_is_named_with_its_log(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with supervise(tmp_path) as supervisor, pytest.raises(ChildFailed, match=r"(?s)web did not start.*no such port"):
        supervisor.start_child("web", command, lambda: False)


def test_a_child_that_never_gets_ready_is_given_up(tmp_path):
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    with supervise(tmp_path) as supervisor, pytest.raises(ChildFailed, match="web did not start"):
        supervisor.start_child("web", command, lambda: False, timeout_seconds=0.1)


def test_a_command_gives_its_exit_code_and_output(tmp_path):
    command = [sys.executable, "-c", "import os; print(os.environ['WORD']); raise SystemExit(3)"]
    with supervise(tmp_path) as supervisor:
        assert supervisor.run_to_end("once", command, add={"WORD": "hello"}) == (3, "hello\n")


def test_watching_ends_when_a_child_ends(tmp_path):
    with supervise(tmp_path) as supervisor:
        supervisor.start_child("brief", [sys.executable, "-c", ""], lambda: True)
        with pytest.raises(ChildFailed, match="brief ended by itself"):
            supervisor.watch_children()


MAIN = """
import os, pathlib, sys
from mobjects.local.supervisor import SupervisorStopped, Supervisor
folder, child = pathlib.Path(sys.argv[1]), sys.argv[2]
log = folder / "log.txt"
def started(name):
    return lambda: log.exists() and f"start {name}" in log.read_text()
try:
    with Supervisor(folder / "logs", os.environ) as supervisor:
        for name in ("first", "second"):
            supervisor.start_child(name, [sys.executable, "-c", child, str(log), name, "obey"], started(name))
        print("ready", flush=True)
        supervisor.watch_children()
except SupervisorStopped as signal:
    print(signal)
"""


@pytest.fixture
def program(tmp_path):
    command = [sys.executable, "-c", MAIN, str(tmp_path), CHILD]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_stops_all_in_order(program, log, number):
    os.killpg(program.pid, number)
    assert program.communicate(timeout=20)[0] == f"{number.name}\n"
    assert read(log)[2:] == ["stop second", "stop first"]


DISTRACTED = """
import os, pathlib, signal, sys
from mobjects.local.supervisor import SupervisorStopped, Supervisor
class Closing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        [number for number in range(1000)]
def ready():
    Closing()
    return True
try:
    with Supervisor(pathlib.Path(sys.argv[1]), os.environ) as supervisor:
        supervisor.start_child("waiting", [sys.executable, "-c", "import signal; signal.pause()"], ready)
        supervisor.watch_children()
except SupervisorStopped as signal:
    print(signal)
"""


def test_a_signal_where_no_error_could_be_raised_is_not_lost(tmp_path):
    command = [sys.executable, "-c", DISTRACTED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == ("SIGTERM\n", "")


CALLER = """
import signal, socket, sys
held = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
signal.pause()
"""
WATCHER = """
import os, pathlib, sys
from mobjects.local.supervisor import Supervisor
with Supervisor(pathlib.Path(sys.argv[1]), os.environ) as supervisor:
    supervisor.start_child("caller", [sys.executable, "-c", *sys.argv[2:]], lambda: True)
    supervisor.watch_children()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's end on Linux only")
def test_even_a_killed_supervisor_leaves_nobody_behind(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [sys.executable, "-c", WATCHER, str(tmp_path), CALLER, str(server.getsockname()[1])]
        with subprocess.Popen(words, cwd=ROOT) as process:
            child, _ = server.accept()
            process.kill()
        with child:
            child.settimeout(20)
            assert child.recv(1) == b""  # The line is cut when the child has ended.
