"""What goes back over HTTP, whichever API was called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HTML_TYPE = "text/html; charset=utf-8"

_PAGE = "<html><head><title>{status}</title></head><body><h1>{status} {what}</h1><p>{text}</p></body></html>"


class ConnectionCut(Exception):
    """The connection is to be closed without an answer, or before its end."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back over HTTP.

    Args:
        status: HTTP status.
        headers: further ones, as pairs.
        phrase: what stands behind the status in the first line; ``""`` is the usual one.
        cut_at: the line is cut after so many bytes of the body; ``None`` sends it whole.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    phrase: str = ""
    cut_at: int | None = None

    def iter_body(self) -> Iterator[bytes]:
        """The body, or its beginning.

        Raises:
            ConnectionCut: after the beginning, where the line is to be cut.
        """
        yield self.body[: self.cut_at]
        if self.cut_at is not None:
            raise ConnectionCut(f"after {self.cut_at} bytes")


def build_page(status: int, text: str, *, what: str = "Server Error") -> HttpAnswer:
    """An HTML page as gateways send them: ``status`` with a heading and a sentence."""
    return HttpAnswer(status, HTML_TYPE, _PAGE.format(status=status, what=what, text=text).encode())
