"""Talking REST to the sandbox by hand, with requests: a token once, then exactly what the test says."""

from __future__ import annotations

import json
from typing import Any

import requests

from mobjects.sandbox import CLIENT_ID, CLIENT_SECRET, SandboxServer

TIMEOUT_SECONDS = 10
CREDENTIALS = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Refused(Exception):
    """``success: false``; ``codes`` are those of its errors."""

    def __init__(self, envelope: dict[str, Any]) -> None:
        super().__init__(json.dumps(envelope))
        assert "result" not in envelope
        self.envelope = envelope
        self.code: str = envelope["errors"][0]["code"]
        self.message: str = envelope["errors"][0]["message"]


class RestWire:
    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.token = ""

    def identify(self, **options: Any) -> requests.Response:
        sent = {"data": CREDENTIALS, **options}
        return requests.post(f"{self.server.identity_endpoint}/oauth/token", timeout=TIMEOUT_SECONDS, **sent)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """A call with the token, made if there is none yet; ``headers`` among the options win."""
        if not self.token:
            self.token = self.identify().json()["access_token"]
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = f"{self.server.rest_endpoint}{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The envelope of a call that succeeded, or raises :class:`Refused`."""
        response = self.send(method, path, **options)
        assert response.status_code == 200, response.text
        envelope: dict[str, Any] = response.json()
        if not envelope["success"]:
            raise Refused(envelope)
        return envelope

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, params=parameters).get("result")

    def sync(self, records: list[dict[str, Any]], *, roles: bool = False, **more: Any) -> list[dict[str, Any]]:
        """Opportunities or roles; gives the rows."""
        path = "/v1/opportunities/roles.json" if roles else "/v1/opportunities.json"
        rows: list[dict[str, Any]] = self.call("POST", path, json={"input": records, **more})["result"]
        return rows

    def sync_one(self, record: dict[str, Any], **more: Any) -> str:
        """One record; gives its status, or the code of its reason."""
        (row,) = self.sync([record], **more)
        return outcome(row)

    def query(self, filter_type: str, *values: str, roles: bool = False, **more: Any) -> list[dict[str, Any]]:
        path = "/v1/opportunities/roles.json" if roles else "/v1/opportunities.json"
        rows: list[dict[str, Any]] = self.get(path, filterType=filter_type, filterValues=",".join(values), **more)
        return rows

    def update(self, program: int, **fields: Any) -> dict[str, Any]:
        """Change a program; lists are sent as JSON; gives the program."""
        form = {name: json.dumps(value) if isinstance(value, list) else value for name, value in fields.items()}
        (row,) = self.call("POST", f"/asset/v1/program/{program}.json", data=form)["result"]
        return dict(row)

    def costs(self, program: int) -> list[tuple[str, int]]:
        """Month and amount of each cost, as a reading by name shows them."""
        name = self.server.store.programs[program].name
        (row,) = self.get("/asset/v1/program/byName.json", name=name, includeCosts="true")
        return [(cost["startDate"], cost["cost"]) for cost in row["costs"] or []]


def cost(day: str = "2026-07-01", amount: Any = 500, note: str = "") -> dict[str, Any]:
    return {"startDate": day, "cost": amount, "note": note}


def tags(**values: str) -> list[dict[str, str]]:
    """``Business_Unit="Enterprise"`` is the tag Business Unit."""
    return [{"tagType": name.replace("_", " "), "tagValue": value} for name, value in values.items()]


def outcome(row: dict[str, Any]) -> str:
    return row["reasons"][0]["code"] if "reasons" in row else row["status"]
