"""Free ports of this machine."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def find_free_port(preferred: int = 0) -> int:
    """A port nobody listens on: the preferred one if it is free, else any other."""
    for port in (preferred, 0):
        with socket.socket() as candidate:
            # As servers do, so that a port that a server has just left counts as free.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise OSError(f"no free port on {HOST}")


def is_port_open(port: int) -> bool:
    """Whether something on this machine accepts connections at a port."""
    try:
        with socket.create_connection((HOST, port), timeout=0.5):
            return True
    except OSError:
        return False
