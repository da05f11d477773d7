"""A backup of the test's database, as it is made in practice, and bringing it back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection


def make_backup(folder: Path) -> Path:
    """Copy the whole database: with pg_dump, or as a file."""
    path = folder / "backup"
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(path) as copy:
            connection.connection.backup(copy)
    else:
        _run("pg_dump", "--format=custom", f"--file={path}")
    return path


def bring_back(path: Path) -> None:
    """Put the backup in the place of what is there."""
    if connection.vendor == "sqlite":
        with sqlite3.connect(path) as copy:
            copy.backup(connection.connection)
    else:
        connection.close()
        _run("pg_restore", "--clean", "--if-exists", "--exit-on-error", "--dbname={NAME}", str(path))


def _run(program: str, *arguments: str) -> None:
    of = connection.settings_dict
    where = {"PGHOST": of["HOST"], "PGPORT": str(of["PORT"] or 5432), "PGUSER": of["USER"], "PGDATABASE": of["NAME"]}
    command = [program, *(argument.format(**of) for argument in arguments)]
    subprocess.run(command, env={**os.environ, **where, "PGPASSWORD": of["PASSWORD"]}, check=True, capture_output=True)


@contextmanager
def restored_elsewhere(path: Path, folder: Path) -> Iterator[None]:
    """Work on the backup in another place than the original, which stays as it is and is there again afterwards."""
    settings, original = connection.settings_dict, connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        # A database in memory lives as long as its connection does.
        kept, connection.connection = connection.connection, None
        place = str(folder / "elsewhere.sqlite3")
        shutil.copy(path, place)
        settings["NAME"] = place
    else:
        kept, place = None, f"{original}_elsewhere"
        connection.close()
        _run("createdb", place)
        settings["NAME"] = place
        _run("pg_restore", "--exit-on-error", "--dbname={NAME}", str(path))
    try:
        yield
    finally:
        connection.close()
        settings["NAME"] = original
        if kept is None:
            _run("dropdb", "--force", place)
        else:
            connection.connection = kept


@contextmanager
def backup_in_mid_call(folder: Path, count_calls: Callable[[], int]) -> Iterator[list[Path]]:
    """Make a backup when the next call is answered by Marketo, and nothing of the answer is saved yet.

    Args:
        count_calls: how often Marketo was asked so far.

    Returns:
        A list that holds the backup, once the block is left.
    """
    made: list[Path] = []
    before = count_calls()

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not made and count_calls() > before:
            made.append(folder / "backup")
            make_backup(folder)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield made
    assert made, "Marketo was not called"
