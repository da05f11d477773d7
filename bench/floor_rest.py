"""The least that sending a batch over REST can cost: json, httpx, json, one UPDATE.

No checks, no models, no history. It sends exactly what we would send for the same records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from bench.floor_saving import Outcome, save_outcomes
from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET

_TOKEN = "/identity/oauth/token"  # noqa: S105 -- an address
_PATH = "/rest/v1/opportunities.json"


def open_client(url: str) -> httpx.Client:
    """A client with a token, at a local Marketo."""
    params = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = httpx.get(f"{url}{_TOKEN}", params=params).json()["access_token"]
    return httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"})


def send(client: httpx.Client, pks: Sequence[int], body: Mapping[str, Any]) -> None:
    """Send a batch and save what came of it.

    Raises:
        RuntimeError: not all were accepted; then it measures nothing.
    """
    content = json.dumps(body, separators=(",", ":")).encode()
    answer = client.post(_PATH, content=content, headers={"Content-Type": "application/json"})
    save_outcomes("marketo_guid", read_outcomes(pks, json.loads(answer.content).get("result", [])))


def read_outcomes(pks: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """What became of each record. Raises RuntimeError if not all of them were accepted."""
    if len(rows) != len(pks) or any(row["status"] not in ("created", "updated") for row in rows):
        raise RuntimeError(f"the local Marketo did not accept the batch: {rows[:1]}")
    return [(pk, row["marketoGUID"], row["status"].upper()) for pk, row in zip(pks, rows, strict=True)]
