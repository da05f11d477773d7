"""Who may do what through the API: every address × tokens of each group, and of narrowed ones, against a table.

The table is ``tests/data/api_roles.txt``; with ``WRITE_ROLES=1`` it is written anew, to be read before it is committed.
What a token may do follows from the rights of its person, so the lines are those of the pages in ``roles.txt``.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from mobjects.accounts.tokens import SCOPES
from mobjects.api.service import service
from tests import factories
from tests.api.clients import ApiClient, token
from tests.files import ROOT
from tests.support.example_objects import make_examples

TABLE = ROOT / "tests" / "data" / "api_roles.txt"
DENIED, ANSWERED = "d", "y"
BODIES: dict[str, Any] = {
    "jobs": {"action": "send"},
    "columns": {"mapping": []},
    "write": {"checked": "", "mode": "valid"},
}
MODELS = {
    "programs": "program",
    "opportunities": "opportunity",
    "roles": "opportunitypersonrole",
    "imports": "import",
    "jobs": "syncjob",
    "schedules": "schedule",
}


def clients() -> dict[str, ApiClient]:
    """Tokens of somebody of each group; of a superuser one for each scope, too."""
    found = {group: factories.user(f"a-{group}", group=group) for group in ("viewer", "editor", "operator")}
    boss = factories.user("boss")
    boss.is_superuser = True
    boss.save()
    made = {name: ApiClient(token(user)[1]) for name, user in (*found.items(), ("superuser", boss))}
    nobody = ApiClient(token(factories.user("nobody"))[1])
    return {"nobody": nobody, **made} | {scope: ApiClient(token(boss, scopes=[scope])[1]) for scope in SCOPES}


def ask(api: ApiClient, method: str, path: str) -> str:
    """What becomes of a request, as a letter; nothing of it stays."""
    with transaction.atomic():
        if path == "imports" and method == "post":
            file = SimpleUploadedFile("deals.csv", b"External ID,Name\nE-1,Deal\n")
            answer = api.client.post("/api/v1/imports", {"file": file}, headers=api.headers)
        elif method == "get":
            answer = api.get(path)
        else:
            body = BODIES.get(path.rpartition("/")[2], {})
            answer = api.send(method, path, body)
        transaction.set_rollback(True)
    if answer.status_code in (401, 403):
        return DENIED
    return ANSWERED if answer.status_code < 500 else f"({answer.status_code})"


@pytest.mark.django_db
@pytest.mark.timeout(360)  # Four hundred requests.
def test_every_address_is_open_to_whom_the_table_says(groups, queue, marketo_settings, settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "API_PER_MINUTE": 100_000}
    made, asking, lines = make_examples(), clients(), []
    for address, methods in service.get_openapi_schema()["paths"].items():
        path = address.removeprefix("/api/v1/")
        path = path.replace("{pk}", made[MODELS[path.partition("/")[0]]]) if "{pk}" in path else path
        for method in methods:
            letters = "".join(ask(api, method, path) for api in asking.values())
            lines.append(f"{method.upper()} {address} {letters}")
    lines.sort()
    if os.environ.get("WRITE_ROLES"):
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines == wanted, f"each line is an address with a letter for {', '.join(asking)}"
