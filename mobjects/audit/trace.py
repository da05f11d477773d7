"""One id from a click to what Marketo answered: what each line of the log says about what it belongs to.

The id comes with a request or is made for it, is kept with the job that the request asks for, and is known to each
process that works on the job.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

LENGTH = 64
_GIVEN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{7,{LENGTH - 1}}}")
_context: ContextVar[Mapping[str, str]] = ContextVar("trace", default={})  # noqa: B039 -- never changed, only replaced


def choose_request_id(given: str) -> str:
    """The id that came with a request if it is one, else a new one: what others send stands in our logs."""
    return given if _GIVEN.fullmatch(given) else secrets.token_hex(16)


def current_request_id() -> str:
    """The id of what is done now; a new one where nobody gave it one, as for a schedule or a command."""
    return _context.get().get("request_id") or secrets.token_hex(16)


@contextmanager
def traced(**names: str) -> Iterator[None]:
    """Say in each line of the log that is written meanwhile what it belongs to: ``request_id``, ``job``."""
    token = _context.set({**_context.get(), **{name: value for name, value in names.items() if value}})
    try:
        yield
    finally:
        _context.reset(token)


def trace_of_now() -> Mapping[str, str]:
    """What :func:`traced` said."""
    return _context.get()
