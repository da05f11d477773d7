"""A backup of the test's database, as it is made in practice, and bringing it back."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

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
