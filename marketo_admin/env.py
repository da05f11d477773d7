"""Typed readers for settings that come from the environment or from a ``.env`` file; loud on bad input."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_LINE = re.compile(r"(?:export )?[A-Za-z_][A-Za-z0-9_]*=.*")
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_DATABASES = ("sqlite", "postgres", "postgresql")


class Environment:
    """Reads named settings. An empty value counts as not set.

    Args:
        values: names and values, as ``os.environ`` holds them.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.secrets_read: list[str] = []
        """Each secret that was read, for those who mask them."""

    @classmethod
    def load(cls, default_file: Path, environment: Mapping[str, str] = os.environ) -> Environment:
        """Read the environment over an environment file; where both name a setting the environment wins.

        Args:
            default_file: read where ``DJANGO_ENV_FILE`` names no other; it may be missing.
            environment: the real environment.

        Raises:
            ImproperlyConfigured: a file that was asked for is missing, or a line is not ``NAME=value``.
        """
        asked_for = environment.get("DJANGO_ENV_FILE", "")
        path = Path(asked_for) if asked_for else default_file
        if asked_for and not path.exists():
            raise ImproperlyConfigured(f"DJANGO_ENV_FILE={asked_for}: there is no such file.")
        _check_lines(path)

        class EnvironmentReader(environ.Env):
            ENVIRON: ClassVar = dict(environment)  # A copy: django-environ would write into os.environ.

        EnvironmentReader.read_env(path)
        return cls(EnvironmentReader.ENVIRON)

    def text(self, name: str, default: str = "") -> str:
        """A text without surrounding blanks."""
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or no. Raises ``ImproperlyConfigured`` for anything else."""
        value = self.text(name).lower()
        if value not in ("", *_TRUE, *_FALSE):
            raise _wrong(name, value, "true or false")
        return value in _TRUE if value else default

    def choice(self, name: str, *, default: str, choices: Sequence[str]) -> str:
        """One of some words. Raises ``ImproperlyConfigured`` for anything else."""
        value = self.text(name, default)
        if value not in choices:
            raise _wrong(name, value, f"one of: {', '.join(choices)}")
        return value

    def number(self, name: str, *, default: int, minimum: int, maximum: int) -> int:
        """A whole number within limits. Raises ``ImproperlyConfigured`` for anything else."""
        value = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", value) or not minimum <= int(value) <= maximum:
            raise _wrong(name, value, f"a whole number from {minimum} to {maximum}")
        return int(value)

    def names(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A list separated by commas."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()] or list(default)

    def origins(self, name: str) -> list[str]:
        """A list of addresses such as ``https://marketo.example.com``. Raises ``ImproperlyConfigured`` for others."""
        found = self.names(name)
        for origin in found:
            if not re.fullmatch(r"https?://[^/?#\s@]+", origin):
                raise _wrong(name, origin, "https://HOST or https://HOST:PORT, without a path; several with commas")
        return found

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """A list such as ``theirs=ours,theirs=ours``. Raises ``ImproperlyConfigured`` for anything else."""
        found = []
        for pair in self.names(name):
            theirs, equals, ours = (part.strip() for part in pair.rpartition("="))
            if not (theirs and equals and ours):
                raise _wrong(name, pair, "THEIRS=OURS; several with commas")
            found.append((theirs, ours))
        return found

    def networks(self, name: str) -> list[str]:
        """A list of addresses and networks such as ``10.0.0.0/8``, or ``unix``. ``ImproperlyConfigured`` for others."""
        found = self.names(name)
        for network in found:
            try:
                ip_network("::" if network == "unix" else network)
            except ValueError:
                raise _wrong(
                    name, network, "an address, a network such as 10.0.0.0/8, or unix; several with commas"
                ) from None
        return found

    def secret(self, name: str, *, shortest: int = 0) -> str:
        """A secret from the variable, or from the file that ``<name>_FILE`` names; ``""`` if neither is set.

        Args:
            shortest: how many characters it has to have, if it is set.

        Raises:
            ImproperlyConfigured: both are set, the file cannot be read, or it is too short. The text never holds it.
        """
        found = self._find_secret(name)
        self._note_secret(found)
        if found and len(found) < shortest:
            raise _wrong(name, "(not shown)", f"{shortest} or more random characters")
        return found

    def _note_secret(self, value: str | None) -> None:
        if value:
            self.secrets_read.append(value)

    def _find_secret(self, name: str) -> str:
        file_name = self.text(f"{name}_FILE")
        if not file_name:
            return self.text(name)
        if self.text(name):
            raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set; set one of them.")
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ImproperlyConfigured(f"{name}_FILE={file_name}: cannot be read ({reason}).") from None

    def https_url(self, name: str) -> str:
        """An address that may hold a token, as :meth:`secret`. Raises ``ImproperlyConfigured`` if it is not https."""
        url = self.secret(name)
        if url and not re.fullmatch(r"https://[^/\s@]+(/\S*)?", url):
            raise _wrong(name, "(not shown)", "https://HOST/PATH, without a user name")
        return url

    def redis_url(self, name: str, default: str) -> str:
        """The address of a Redis server. It may hold a password, so errors do not repeat it."""
        url = self.text(name, default)
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise _wrong(name, "(not shown)", "redis://HOST:PORT/DB, rediss://… or unix:///PATH")
        self._note_secret(password := urlsplit(url).password)
        self._note_secret(password and unquote(password))
        return url

    def database(self, name: str, *, default: str, base: Path, pooled: bool = False) -> dict[str, Any]:
        """Django's settings for a SQLite or PostgreSQL database.

        Args:
            default: the URL where none is set.
            base: the folder that a relative SQLite path starts from.
            pooled: whether PgBouncer hands out connections for single transactions in front of PostgreSQL.

        Raises:
            ImproperlyConfigured: another kind of database. The text never holds the URL: it may hold a password.
        """
        url = self.text(name, default)
        if url.partition("://")[0] not in _DATABASES:
            raise _wrong(name, "(not shown)", "sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")
        try:
            config = dict(environ.Env.db_url_config(url))
        except ValueError:
            raise _wrong(name, "(not shown)", "postgres://USER:PASSWORD@HOST:PORT/NAME") from None
        self._note_secret(config.get("PASSWORD"))
        return _sqlite(config, base) if url.startswith("sqlite") else _postgresql(config, pooled=pooled)


def get_or_create_secret(path: Path) -> str:
    """A random secret that is made once and kept in a file that only its owner can read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")


def make_folder(name: str, path: str) -> None:
    """Make the folder that a setting names, if it is not there.

    Raises:
        ImproperlyConfigured: it cannot be made, or nothing can be written in it.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}={path}: the folder cannot be made ({error.strerror}).") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name}={path}: this process may not write in the folder.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check_lines(path: Path) -> None:
    # django-environ logs a line it cannot read, secret and all, and goes on without it.
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            raise ImproperlyConfigured(f"{path.name}, line {number}: write NAME=value without blanks around the =.")


def _sqlite(config: dict[str, Any], base: Path) -> dict[str, Any]:
    if config["NAME"] != ":memory:":
        path = base / config["NAME"]
        path.parent.mkdir(parents=True, exist_ok=True)
        config["NAME"] = str(path)
    # Measured with four writers: Django's defaults gave 127 "database is locked" in 1,200 writes, these gave none.
    config["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL",
    }
    return config


def _postgresql(config: dict[str, Any], *, pooled: bool) -> dict[str, Any]:
    # Measured: compiling the query that picks a batch took 0.3 to 1.1 s, running it 0.01 s. PgBouncer takes no such
    # options; there it is a setting of the database (docs/operations.md).
    start = {} if pooled else {"options": "-c jit=off"}
    options = {**start, **config.get("OPTIONS", {})}
    return {**config, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def _wrong(name: str, value: str, right: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value}: should be {right}.")
