"""One REST call as plain data: what was sent, what it works on, what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from mobjects.sandbox.rest.instance import RestInstance
from mobjects.sandbox.rest.limits import RestLimits
from mobjects.sandbox.state import SandboxStore

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

Row = dict[str, Any]
"""One element of ``result``, or of ``input``: JSON values by name."""

_SECRET_NAMES = ("client_secret", "access_token")
_SECRETS = re.compile(r"""((?:client_secret|access_token)(?:=|"\s*:\s*"))[^&"\s]*""", re.IGNORECASE)


class RestError(Exception):
    """The whole call is refused: ``success: false`` with one error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RecordRefused(Exception):
    """One record is skipped, with this reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class RestRequest:
    """What was sent.

    Args:
        sent_method: method of HTTP.
        path: as sent, percent signs and all.
        query: as sent, without the question mark.
        content_type, authorization: headers, ``""`` if absent.
    """

    sent_method: str
    path: str
    query: str = ""
    content_type: str = ""
    authorization: str = field(default="", repr=False)
    body: bytes = b""

    @cached_property
    def query_fields(self) -> dict[str, str]:
        """The parameters behind the question mark."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def method(self) -> str:
        """What is meant: a POST with ``_method=GET`` is a GET."""
        meant = self.query_fields.get("_method", "").upper()
        return meant if self.sent_method == "POST" and meant == "GET" else self.sent_method

    @property
    def name(self) -> str:
        """``POST /rest/v1/opportunities.json``."""
        return f"{self.method} {self.path}"

    @cached_property
    def form(self) -> dict[str, str]:
        """Fields of the query and of a form body, which wins.

        Raises:
            RestError: 609, the body is not text.
        """
        if self.media_type != FORM_TYPE:
            return self.query_fields
        try:
            sent = dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise RestError("609", "Invalid form body") from error
        return {**self.query_fields, **sent}

    @cached_property
    def document(self) -> Row:
        """The JSON object in the body.

        Raises:
            RestError: 609, it is none.
        """
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise RestError("609", "Invalid JSON") from error
        if not isinstance(value, dict):
            raise RestError("609", "Invalid JSON: wanted an object")
        return value

    def as_text(self) -> str:
        """The request as it is shown, with tokens and secret masked."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        try:
            body = self.body.decode()
        except UnicodeDecodeError:
            # Shown not at all: in another encoding the pattern would miss a secret.
            body = f"({len(self.body)} bytes that are not UTF-8)"
        bearer = "\nAuthorization: Bearer ***" if self.authorization else ""
        head = f"{self.sent_method} {target}\nContent-Type: {self.content_type or 'none'}{bearer}"
        return mask_secrets(f"{head}\n\n{body}".rstrip("\n").replace("\0", "\\0"))


def mask_secrets(text: str) -> str:
    """A text with the values of ``client_secret`` and ``access_token`` masked, in forms and in JSON."""
    # Most texts are long and hold none: looking first is much faster than the pattern.
    found = any(name in text.lower() for name in _SECRET_NAMES)
    return _SECRETS.sub(r"\1***", text) if found else text


@dataclass(frozen=True, slots=True)
class ForcedReason:
    """What a script answers for a record in the place of what would have been."""

    status: str
    code: str
    message: str

    @property
    def applies(self) -> bool:
        """Whether the record is written all the same."""
        return self.status.lower() not in ("failed", "skipped")


@dataclass(frozen=True, slots=True)
class RestContext:
    """What a handler works with.

    Args:
        store: locked by the caller.
        arguments: parts of the path, decoded.
        forced: reasons by index of the record.
    """

    store: SandboxStore
    request: RestRequest
    instance: RestInstance
    limits: RestLimits
    arguments: tuple[str, ...] = ()
    forced: Mapping[int, ForcedReason] = field(default_factory=dict)


@dataclass(slots=True)
class SandboxReply:
    """What is answered with ``success: true``.

    Args:
        rows: ``result``; ``None`` leaves the key out.
        extra: keys between ``result`` and ``success``.
        statuses: for the call log: what became of each record.
        count, kind, action: for the call log: how many records of what, and the action.
    """

    rows: list[Row] | None
    extra: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    statuses: Sequence[str] = ()
    count: int = 0
    kind: str = ""
    action: str = ""
