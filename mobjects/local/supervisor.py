"""Starts processes one after the other, watches them, and stops them in reverse order. No process is left behind.

Each child writes to a log file of its own and lives in a session of its own, so that Ctrl-C reaches
only the supervisor, which then stops the children in an order in which none misses another.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

_POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """A process ended, or did not get ready; the text names it and its log."""


class SupervisorStopped(BaseException):
    """Somebody asked to stop: Ctrl-C, SIGTERM or SIGHUP. Not an ``Exception``, as ``KeyboardInterrupt`` is none."""


@dataclass(frozen=True)
class ChildProcess:
    """A running process, its name and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Supervisor:
    """A context manager that owns child processes; leaving it stops them all.

    Args:
        folder: where the log files go (made if missing).
        environment: of the children, whole.
        stop_seconds: how long a child may take to end before it is asked again, and then killed.
        signals: whether ``start``, ``run`` and ``watch`` heed Ctrl-C, SIGTERM and SIGHUP; only in the main thread.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, stop_seconds: float = 5, signals: bool = True
    ) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._stop_seconds = stop_seconds
        self._signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signals else ()
        self._children: list[ChildProcess] = []
        self._asked: signal.Signals | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in self._signals:
            signal.signal(number, self._note_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._signals:
            signal.signal(number, signal.SIG_IGN)  # A second Ctrl-C must not leave half of the children running.
        while self._children:
            _stop(self._children.pop(), self._stop_seconds)

    def start_child(
        self,
        name: str,
        command: Sequence[str],
        ready: Callable[[], bool],
        *,
        add: Mapping[str, str] | None = None,
        timeout_seconds: float = 30,
    ) -> None:
        """Start a process and wait until it is ready.

        Args:
            ready: asked again and again until it says yes.
            add: to this child's environment.

        Raises:
            ChildFailed: it ended before it was ready, or the time ran out.
            SupervisorStopped: somebody asked to stop while it waited; so do the other two calls.
        """
        child = self._spawn(name, command, add or {})
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if child.process.poll() is not None or time.monotonic() > deadline:
                raise ChildFailed(f"{name} did not start. The end of {child.log}:\n{_tail(child.log)}")
            self._wait()

    def run_to_end(self, name: str, command: Sequence[str], *, add: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a process to its end while the others go on.

        Returns:
            Its exit code and what it wrote to stdout.

        Raises:
            ChildFailed: another child ended meanwhile.
        """
        output = self._folder / f"{name}.out"
        child = self._spawn(name, command, add or {}, output=output)
        while (code := child.process.poll()) is None:
            self._check_others(child)
            self._wait()
        self._children.remove(child)
        return code, output.read_text(encoding="utf-8", errors="replace")

    def watch_children(self) -> None:
        """Wait for ever. Raises ``ChildFailed`` when a child ends, and ``Stopped`` when asked to stop."""
        while True:
            self._check_others(None)
            self._wait()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        # Raising here would do so between any two steps, such as within subprocess, whose lock it would leave taken,
        # or in a __del__, where Python swallows it.
        self._asked = signal.Signals(number)

    def _wait(self) -> None:
        if self._asked:
            raise SupervisorStopped(self._asked.name)
        time.sleep(_POLL_SECONDS)

    def _check_others(self, running: ChildProcess | None) -> None:
        for child in self._children:
            if child is not running and child.process.poll() is not None:
                raise ChildFailed(f"{child.name} ended by itself. The end of {child.log}:\n{_tail(child.log)}")

    def _spawn(
        self, name: str, command: Sequence[str], add: Mapping[str, str], output: Path | None = None
    ) -> ChildProcess:
        log = self._folder / f"{name}.log"
        with open(log, "wb") as errors, open(output or log, "ab" if output is None else "wb") as out:
            process = subprocess.Popen(
                command,
                env={**self._environment, **add},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- no threads here
            )
        child = ChildProcess(name, process, log)
        self._children.append(child)
        return child


def _die_with_parent() -> None:
    # So that even kill -9 of the supervisor leaves no orphans, above all no Redis that holds on to its files.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(child: ChildProcess, seconds: float) -> None:
    # Asked twice: on the first SIGTERM an RQ worker finishes the job it is at, on the second it gives it up.
    for _ in range(2):
        if child.process.poll() is None:
            child.process.terminate()
            try:
                child.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
    try:
        os.killpg(child.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
