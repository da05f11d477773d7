"""Who gets an answer from which address: every address × GET and POST × roles, compared with a table.

The table is ``tests/data/roles.txt``: a page that is not in it fails, until somebody has decided who may see it. With
``WRITE_ROLES=1`` it is written anew, to be read before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import factories
from tests.files import ROOT
from tests.support.example_objects import arguments, make_examples

TABLE = ROOT / "tests" / "data" / "roles.txt"
WRITING = bool(os.environ.get("WRITE_ROLES"))
ROLES = ("anonymous", "nobody", "viewer", "editor", "operator", "superuser")
"""In the order of the letters; nobody is of the staff and has no right at all."""
LOGIN, DENIED, ANSWERED = "l", "d", "y"
"""Led to the login page; refused with 403 or 401; anything else, be it that what was sent is wrong."""
ABOUT_TYPES = {"admin:view_on_site"}
"""Needs the number of a model that has a page of its own outside; none has."""


def addresses(patterns: Any, above: str = "") -> Iterator[tuple[str, list[str]]]:
    """The name of each address that has one, and what stands in it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, f"{above}{pattern.namespace}:" if pattern.namespace else above)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield above + pattern.name, list(pattern.pattern.regex.groupindex)


def person(role: str) -> User | None:
    """Somebody of a role."""
    if role == "anonymous":
        return None
    made = factories.user(f"a-{role}", group=role if role in ("viewer", "editor", "operator") else "")
    made.is_superuser = role == "superuser"
    made.save()
    return made


def browser(made: User | None) -> Client:
    """A browser in which a person is signed in; what breaks comes back as a page."""
    client = Client(raise_request_exception=False)
    if made is not None:
        client.force_login(made)
    return client


def ask(client: Client, method: str, address: str) -> str:
    """What becomes of a request, as a letter, or as a number where it breaks; nothing of it stays."""
    with transaction.atomic():
        response = getattr(client, method)(address)
        transaction.set_rollback(True)
    if response.status_code == 302 and "login" in response["Location"]:
        return LOGIN
    if response.status_code in (401, 403):
        return DENIED
    return ANSWERED if response.status_code < 500 else f"({response.status_code})"


@pytest.mark.django_db
@pytest.mark.timeout(900)  # Two thousand requests: a minute of processor time.
def test_every_address_is_open_to_whom_the_table_says(groups, queue):
    made, people = make_examples(), [person(role) for role in ROLES]
    clients = [browser(each) for each in people]
    lines = []
    for name, parts in sorted(dict(addresses(get_resolver().url_patterns)).items()):
        if name in ABOUT_TYPES:
            continue
        address = reverse(name, kwargs=arguments(name, dict.fromkeys(parts), made))
        letters = []
        for method in ("get", "post"):
            letters.append("".join(ask(client, method, address) for client in clients))
            for client, each in zip(clients, people, strict=True):
                if each is not None and not client.cookies["sessionid"].value:  # The address ended the session.
                    client.force_login(each)
        lines.append(f"{name} {letters[0]} {letters[1]}")
    if WRITING:
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines == wanted, f"each line is an address with letters for {', '.join(ROLES)}, by GET and by POST"
