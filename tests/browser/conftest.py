"""A real Chromium on a live server, signed in, with the sandbox and a real queue behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests import factories

ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
REFUSED = "Content Security Policy"
"""In each message of a browser that did not run, show or load something because of the page's policy."""
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)

expect.set_options(timeout=20_000)  # Milliseconds; five seconds are not enough where three suites share a slow machine.


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """One Chromium a module; it is gone before other modules' tests run."""
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    os.environ[ASYNC_UNSAFE] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(chromium_path))
        yield chromium
        chromium.close()
    del os.environ[ASYNC_UNSAFE]


@pytest.fixture
def open_page(browser: Browser, live_server, client) -> Iterator[Callable[..., Page]]:
    """Open a page as a user of a group, with further rights if need be, on a desktop or a phone."""
    contexts = []
    problems: list[str] = []

    def start(
        path: str,
        *,
        group: str = "operator",
        rights: Sequence[str] = (),
        dark: bool = False,
        phone: bool = False,
        language: str = "",
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            locale=language or "en-US",
        )
        contexts.append(context)
        person = factories.user(f"{group}-{len(contexts)}", group=group)
        person.user_permissions.add(*Permission.objects.filter(codename__in=rights))
        client.force_login(person)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on("console", lambda line: problems.append(f"{page.url}: {line.text}") if REFUSED in line.text else None)
        # Until the page's scripts run, a key press is heard by nobody.
        page.goto(path, wait_until="load")
        return page

    yield start
    for context in contexts:
        context.close()
    assert problems == [], "errors in a page's own scripts, or what its policy refuses"
