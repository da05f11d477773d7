"""Hosts on one machine: each a network namespace with an address of its own, on a bridge that leads nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

NETWORK = "192.0.2"
"""Addresses that are set aside for documentation: nobody's, and no route leads there."""

NEEDED = ("ip", "unshare", "runuser", "initdb", "postgres")


class Lan:
    """The hosts of one run. Needs root and iproute2.

    Args:
        prefix: with which the names of its namespaces begin.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._bridge = f"{prefix}-lan"

    def build(self, hosts: Sequence[str]) -> None:
        """Make the bridge and the hosts; the first has the address 192.0.2.1, and so on."""
        _ip("netns", "add", self._bridge)
        self._in(self._bridge, "ip", "link", "add", "lan", "type", "bridge")
        self._in(self._bridge, "ip", "link", "set", "lan", "up")
        for number, host in enumerate(hosts, 1):
            name, far = self.namespace(host), f"to-{host}"
            _ip("netns", "add", name)
            _ip("link", "add", far, "netns", self._bridge, "type", "veth", "peer", "name", "eth0", "netns", name)
            self._in(self._bridge, "ip", "link", "set", far, "master", "lan", "up")
            self._in(name, "ip", "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
            for link in ("eth0", "lo"):
                self._in(name, "ip", "link", "set", link, "up")

    def namespace(self, host: str) -> str:
        """The name of a host's namespace."""
        return f"{self._prefix}-{host}"

    def cut(self, host: str) -> None:
        """Pull a host's plug: what it sends is lost, and nobody tells it so."""
        self._in(self._bridge, "ip", "link", "set", f"to-{host}", "down")

    def mend(self, host: str) -> None:
        """Put the plug back."""
        self._in(self._bridge, "ip", "link", "set", f"to-{host}", "up")

    def spawn(
        self, host: str, command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path
    ) -> subprocess.Popen[bytes]:
        """Start a process on a host, with the host's name, in a group of its own."""
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host, *command]
        with log.open("ab") as output:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.namespace(host), *named],  # noqa: S607 -- of whoever is root here
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def close(self) -> None:
        """End all that runs on the hosts, and the hosts."""
        for name in _namespaces(self._prefix):
            listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)  # noqa: S607
            for pid in listed.stdout.split():
                if int(pid) != os.getpid():
                    _kill(int(pid))
            _ip("netns", "delete", name)

    @staticmethod
    def _in(namespace: str, *command: str) -> None:
        _ip("netns", "exec", namespace, *command)


def find_missing() -> list[str]:
    """The programs that are not there."""
    return [name for name in NEEDED if shutil.which(name) is None]


def _namespaces(prefix: str) -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout  # noqa: S607
    return [line.split()[0] for line in listed.splitlines() if line.startswith(f"{prefix}-")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)  # noqa: S607 -- of whoever is root here


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
