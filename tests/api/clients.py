"""A program that uses the API, and tokens for it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from mobjects.accounts.tokens import make_token
from mobjects.models import ApiToken
from tests import factories


def token(user: User, *, days: int = 30, **values: Any) -> tuple[ApiToken, str]:
    return make_token(user, values.pop("name", "nightly"), days, by=values.pop("by", user), **values)


class ApiClient:
    """Sends a token with each request."""

    def __init__(self, text: str = "", **values: Any) -> None:
        self.client = Client(**values)
        self.headers = {"authorization": f"Bearer {text}"} if text else {}

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method.upper(),
            f"/api/v1/{path}",
            "" if body is None else json.dumps(body),
            "application/json",
            headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}},
        )

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("post", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("patch", path, body, **headers)


def program_of(group: str = "operator", name: str = "anna", **values: Any) -> ApiClient:
    """A program with a token of somebody of a group."""
    return ApiClient(token(factories.user(name, group=group), **values)[1])
