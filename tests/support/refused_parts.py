"""What in an answer the browser would not run or heed for the answer's own Content-Security-Policy."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from django.http import HttpResponse

NEEDED = ("default-src 'none'", "script-src 'self' 'unsafe-eval'", "base-uri 'none'", "frame-ancestors 'none'")


def find_refused_parts(answer: HttpResponse) -> list[str]:
    """Scripts, handlers and styles that stand in a page though its policy refuses them, and what the policy lacks."""
    policy = answer.headers.get("Content-Security-Policy", "")
    lacking = [part for part in NEEDED if part not in policy.split("; ")]
    parts = _InlineParts(answer.content.decode())
    return lacking + parts.scripts + [style for style in parts.styles if style not in policy]


class _InlineParts(HTMLParser):
    """Scripts in the text and handlers, as they stand there, and the hash of each style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        values = {name: value or "" for name, value in attrs}
        runs = tag == "script" and "src" not in values and not values.get("type", "").endswith("json")
        handlers = [name for name, value in values.items() if name.startswith("on") or "javascript:" in value]
        if runs or handlers:
            self.scripts.append(self.get_starttag_text() or tag)

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(f"'sha256-{b64encode(sha256(data.encode()).digest()).decode()}'")
            self._in_style = False
