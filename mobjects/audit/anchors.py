"""The end of the chain, written where the database cannot reach it: a file, a webhook, the system's log.

An anchor is a line of JSON with number and digest of the newest link. Whoever changes the history and makes the chain
anew comes to another digest under that number, which ``verify_history --anchors`` names.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

from mobjects import clock
from mobjects.models import HistorySeal, HistoryState

EVERY = timedelta(hours=1)
WEBHOOK_SECONDS = 10

logger = logging.getLogger(__name__)


class AnchorRefused(Exception):
    """An anchor could not be written to some of its places. Says which, as a sentence."""


def build_anchor() -> dict[str, Any] | None:
    """The anchor of the newest link; ``None`` if there is no link yet."""
    newest = HistorySeal.objects.order_by("-number").defer("rows", "digests").first()
    if newest is None:
        return None
    return {
        "number": newest.number,
        "digest": newest.digest,
        "created_at": newest.created_at.isoformat(),
        "host": socket.gethostname(),
    }


def write_anchor_if_due() -> None:
    """Write an anchor out if that was not done for an hour, and there are links since. A failure is logged."""
    if not any(settings.HISTORY_ANCHORS.values()):
        return
    state, now = HistoryState.objects.filter(pk=1).first(), clock.now()
    if state is None or state.number == state.anchored:
        return
    if state.anchored_at is not None and state.anchored_at > now - EVERY:
        return
    try:
        write_anchor()
    except AnchorRefused as error:
        logger.error("%s", error)  # no traceback: the address of a webhook may stand in it
        HistoryState.objects.filter(pk=1).update(anchored_at=now)


def write_anchor() -> dict[str, Any] | None:
    """Write an anchor to all places that the settings name. The anchor; ``None`` if there is no link yet.

    Raises:
        AnchorRefused: some place could not be written to; the others were.
    """
    anchor = build_anchor()
    if anchor is None:
        return None
    line = json.dumps(anchor, ensure_ascii=False)
    failed = [f"{name}: {problem}" for name, write in _places() if (problem := _try_write(write, line))]
    if failed:
        raise AnchorRefused(f"The anchor {anchor['number']} of the history was not written to {'; '.join(failed)}.")
    HistoryState.objects.filter(pk=1).update(anchored=anchor["number"], anchored_at=clock.now())
    return anchor


def _places() -> Iterator[tuple[str, Callable[[str], None]]]:
    places: dict[str, str] = settings.HISTORY_ANCHORS
    if path := places["FILE"]:
        yield f"HISTORY_ANCHOR_FILE ({path})", lambda line: _add_to_file(path, line)
    if url := places["WEBHOOK"]:
        yield f"HISTORY_ANCHOR_WEBHOOK ({urlsplit(url).hostname})", lambda line: _post(url, line)
    if address := places["SYSLOG"]:
        yield f"HISTORY_ANCHOR_SYSLOG ({address})", lambda line: _log(address, line)


def _try_write(write: Callable[[str], None], line: str) -> str:
    """What kept a line from being written, in words without an address; "" if nothing did."""
    try:
        write(line)
    except requests.HTTPError as error:
        return f"status {error.response.status_code}"
    except requests.RequestException as error:
        return type(error).__name__  # Its words may repeat the address.
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _add_to_file(path: str, line: str) -> None:
    """One write at the end, and on the disk before anything is said of it."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(handle, f"{line}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _post(url: str, line: str) -> None:
    """Not by httpx, which writes each address into the log."""
    headers = {"Content-Type": "application/json"}
    answer = requests.post(
        url, data=line.encode(), headers=headers, timeout=WEBHOOK_SECONDS, allow_redirects=False, stream=True
    )
    with answer:
        answer.raise_for_status()


def _log(address: str, line: str) -> None:
    """One message to the system's log: local0, informational."""
    host, _, port = address.rpartition(":")
    by_net = bool(host) and port.isdecimal()
    with socket.socket(socket.AF_INET if by_net else socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect((host, int(port)) if by_net else address)
        sender.send(f"<134>marketo-admin: {line}".encode())
