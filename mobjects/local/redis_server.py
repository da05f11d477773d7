"""A real Redis of our own for demo and tests: found, started on loopback with an append-only file, announced in a file.

It is for one machine's own use. Production brings its own Redis and names it in ``REDIS_URL``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

_URL_FILE = "url"
_PROGRAMS = ("redis-server", "valkey-server")


class NoRedisServer(Exception):
    """No Redis server program was found; the text says what to install."""


def find_program(environment: str = sys.prefix) -> Path:
    """The Redis server program: redis-server or valkey-server on PATH, else the one that scripts/install-redis fetched.

    Args:
        environment: the virtual environment; what was fetched lies in its ``bin``.

    Raises:
        NoRedisServer: neither is there.
    """
    for folders in (None, str(Path(environment) / "bin")):
        for name in _PROGRAMS:
            program = shutil.which(name, path=folders)
            if program:
                return Path(program)
    raise NoRedisServer(
        "No Redis server found. scripts/install-redis fetches one; or install one (apt-get install redis-server, or "
        "brew install redis, or valkey-server), or set REDIS_URL to one that runs already."
    )


def build_command(program: Path, port: int, folder: Path) -> list[str]:
    """The command line that serves ``port`` of this machine only and keeps its data in ``folder`` (made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--dir": str(folder),
        "--appendonly": "yes",
        "--save": "",
    }
    return [str(program), *(word for option in options.items() for word in option)]


def server_url(port: int) -> str:
    """The address of a server started with :func:`build_command`."""
    return f"redis://127.0.0.1:{port}/0"


def is_answering(url: str) -> bool:
    """Whether a Redis answers at an address within half a second."""
    client = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5, retry=None)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def write_url_file(folder: Path, url: str) -> None:
    """Write down the address of the server that runs in ``folder``."""
    (folder / _URL_FILE).write_text(url, encoding="ascii")


def remove_url_file(folder: Path) -> None:
    """Take back what :func:`write_url_file` wrote."""
    (folder / _URL_FILE).unlink(missing_ok=True)


def find_running_url(folder: Path) -> str | None:
    """The announced address, if a Redis answers there; a server that was killed leaves its announcement behind."""
    try:
        url = (folder / _URL_FILE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return url if is_answering(url) else None
