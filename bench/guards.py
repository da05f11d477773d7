"""Break each guard of the code once, by hand as it were, and see that a test notices. Prints; changes nothing here.

    python bench/guards.py [--only ID …] [--list] [--database postgres://user@host:5432/name]

A guard is what holds where two things happen at once or late: a comparison-and-set, a lock, a lease, a margin of time.
Such a line can be lost in a change and everything still works, until it matters. So guards*.toml beside this file name
each of them with a way to break it and the tests that fail then. Locks matter on PostgreSQL only; their entries are
left out without ``--database``. With REDIS_URL set, that Redis is used, and emptied.

All of them take about half an hour on a machine that does nothing else: the tests are started anew for each guard.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

ROOT = Path(__file__).resolve().parent.parent
TABLES = sorted(Path(__file__).parent.glob("guards*.toml"))
DATABASES = ("sqlite", "postgresql")
PYTEST = ("-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "--timeout", "60")
"""What a single test leaves to the garbage collector would end its run like a failure, and pass for noticing."""

PASSED, FAILED = 0, 1
"""Exit codes of pytest. Any other one means that it could not run the tests at all."""

LONGEST_SECONDS = 1800
"""For one run of tests. The time limit of each test ends what hangs in a test, not what hangs at the end."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard, and how to break it.

    Args:
        id: its name here.
        guards: what it keeps from happening, as a sentence.
        file: where it stands, from the root of the project.
        old, new: text that occurs once in the file, and what to put in its place.
        tests: arguments for pytest; these tests fail then.
        database: the one that they need.
    """

    id: str
    guards: str
    file: str
    old: str
    new: str
    tests: Sequence[str]
    database: str


def load() -> list[Guard]:
    """All guards in the tables."""
    return [Guard(**entry) for table in TABLES for entry in tomllib.loads(table.read_text(encoding="utf-8"))["guard"]]


def main() -> int:
    """Break the guards that were asked for; the exit code is 1 if one of them can be broken unnoticed."""
    options = _options()
    guards = [guard for guard in load() if guard.id in (options.only or [guard.id])]
    if unknown := set(options.only or ()) - {guard.id for guard in guards}:
        say(f"There is no guard “{'”, “'.join(sorted(unknown))}”; --list shows them.")
        return 1
    if options.list:
        for guard in guards:
            say(f"{guard.id}: {guard.guards} ({guard.file}, {guard.database})")
        return 0
    runnable = [guard for guard in guards if options.database or guard.database == "sqlite"]
    with _copy() as folder:
        wrong = _survey(Survey(folder, runnable, options.database), runnable)
    say(f"{len(runnable)} guards broken, {len(wrong)} not noticed; {len(guards) - len(runnable)} left out.")
    for line in wrong:
        say(f"  {line}")
    return 1 if wrong else 0


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="ID", help="only this guard; may be given several times")
    parser.add_argument("--list", action="store_true", help="say which guards there are, and break none")
    parser.add_argument("--database", default="", help="a PostgreSQL; tests get a database beside it")
    return parser.parse_args()


@contextmanager
def _copy() -> Iterator[Path]:
    """The checkout as it stands, without what Git ignores, in a temporary folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="guards-") as name:
        folder = Path(name)
        for path in filter(None, listed.split("\0")):
            if (ROOT / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, folder / path)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        yield folder


def _survey(survey: Survey, guards: Sequence[Guard]) -> list[str]:
    """Break each of them; returns a line for each that was not noticed, or could not be tried."""
    wrong = []
    for number, guard in enumerate(guards, start=1):
        fault = survey.try_out(guard)
        say(f"{number}/{len(guards)} {guard.id}: {fault or 'noticed'}")
        if fault:
            wrong.append(f"{guard.id}: {fault}")
    return wrong


class Survey:
    """Runs tests in a copy of the checkout, whole and broken.

    Args:
        folder: the copy.
        guards: those that will be tried out.
        database: the PostgreSQL, for tests that need it.
    """

    def __init__(self, folder: Path, guards: Sequence[Guard], database: str) -> None:
        self._folder = folder
        self._guards = guards
        self._database = database
        self._whole: dict[tuple[str, ...], bool] = {}

    def try_out(self, guard: Guard) -> str:
        """Break a guard and run its tests.

        Returns:
            What is wrong with it; "" if its tests pass, and fail once it is broken.
        """
        text = (self._folder / guard.file).read_text(encoding="utf-8")
        if text.count(guard.old) != 1:
            return f"its text occurs {text.count(guard.old)} times in {guard.file}, not once"
        if not self._passes_whole(guard):
            return f"its tests do not pass as it is: {' '.join(guard.tests)}"
        with self._broken(guard, text):
            ended = self._run(guard.tests, guard.database)
        if ended == PASSED:
            return f"NOT NOTICED by {' '.join(guard.tests)}"
        return "" if ended == FAILED else f"its tests could not be run (pytest ended with {ended})"

    def _passes_whole(self, guard: Guard) -> bool:
        if self._all_pass(guard.database):
            return True
        key = (guard.database, *guard.tests)
        if key not in self._whole:
            self._whole[key] = self._run(guard.tests, guard.database) == PASSED
        return self._whole[key]

    def _all_pass(self, database: str) -> bool:
        """Whether all tests that are named for a database pass: asked together, because starting takes longest."""
        if (database,) not in self._whole:
            tests = dict.fromkeys(test for guard in self._guards if guard.database == database for test in guard.tests)
            self._whole[database,] = self._run([*tests], database) == PASSED
        return self._whole[database,]

    @contextmanager
    def _broken(self, guard: Guard, text: str) -> Iterator[None]:
        path = self._folder / guard.file
        try:
            _write(path, text.replace(guard.old, guard.new))
            yield
        finally:
            _write(path, text)

    def _run(self, tests: Sequence[str], database: str) -> int:
        command = [sys.executable, "-m", "pytest", *PYTEST, *tests]
        settings = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")}
        if database == "postgresql":
            settings["DATABASE_URL"] = self._database
        with subprocess.Popen(command, cwd=self._folder, env=settings, stdout=DEVNULL, stderr=DEVNULL) as running:
            try:
                return running.wait(LONGEST_SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()
                return FAILED


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    # Python takes a file of the same size and second for unchanged.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
