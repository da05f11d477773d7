"""A request to Marketo's REST API, made and measured before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

import orjson

from mobjects.marketo.errors import Rejected
from mobjects.marketo.value_text import format_datetime
from mobjects.marking import gettext_noop as _

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
LONGEST_ADDRESS_BYTES = 8 * 1024
"""Marketo refuses longer addresses with HTTP 414; what does not fit goes into a body (Adobe's developer pages)."""
LARGEST_BODY_BYTES = 1_000_000
"""Marketo refuses a larger body with HTTP 413: 1 MB, counted so that it fits either way of counting."""
_AS_GET = {"_method": "GET"}

Parameter = str | int | bool | Decimal | date | list[object] | dict[str, object] | None


class RequestTooLarge(Rejected):
    """The body is larger than Marketo accepts. Fewer records in a call may fit.

    Args:
        size: of the body in bytes; 0 where only Marketo knows it.
    """

    def __init__(self, message: str, *, size: int = 0) -> None:
        super().__init__(message)
        self.size = size


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What is sent.

    Args:
        method: GET or POST.
        path: from ``/rest`` on, its parts percent-encoded.
        query: encoded; "" if there is none.
        body: encoded.
        content_type: of the body; "" without one.
        write: whether Marketo may change something; decides what an answer that never came means.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    write: bool = False

    def __post_init__(self) -> None:
        if not self.path.startswith("/rest/") or "//" in self.path or "?" in self.path or "#" in self.path:
            raise Rejected(
                _("“%(path)s” is no path of Marketo's REST API: each of its parts needs a text.") % {"path": self.path}
            )
        if len(self.body) > LARGEST_BODY_BYTES:
            raise RequestTooLarge(
                _("The call would hold %(size)s bytes, and Marketo takes %(most)s; send fewer records at once.")
                % {"size": f"{len(self.body):,}", "most": f"{LARGEST_BODY_BYTES:,}"},
                size=len(self.body),
            )

    @property
    def asset(self) -> bool:
        """Whether it goes to the asset API, which gives no result where it found nothing."""
        return self.path.startswith("/rest/asset/")

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def to_text(self) -> str:
        """Method, path and body, for the history."""
        line = f"{self.method} {self.target}"
        return f"{line}\n\n{self.body.decode()}" if self.body else line


def build_read(base: str, path: str, params: Mapping[str, Parameter]) -> OutgoingRequest:
    """A reading request; one whose address would be too long goes as a POST that Marketo reads as a GET."""
    query = encode_form(params)
    if len(base) + len(path) + 1 + len(query) <= LONGEST_ADDRESS_BYTES:
        return OutgoingRequest("GET", path, query)
    return OutgoingRequest("POST", path, encode_form(_AS_GET), query.encode(), FORM)


def build_read_post(path: str, *, form: Mapping[str, Parameter] | None, body: object) -> OutgoingRequest:
    """A reading request with its parameters in the body: a form, or JSON."""
    if form is not None:
        return OutgoingRequest("POST", path, encode_form(_AS_GET), encode_form(form).encode(), FORM)
    return OutgoingRequest("POST", path, encode_form(_AS_GET), encode_json(body), JSON)


def encode_json(body: object) -> bytes:
    """A body for the lead database. Raises Rejected where JSON cannot carry it."""
    try:
        return orjson.dumps(body, default=_json_value, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError as error:
        raise Rejected(
            _("The records hold something that JSON cannot carry: %(error)s.") % {"error": _cause(error)}
        ) from error


def encode_form(fields: Mapping[str, Parameter]) -> str:
    """Fields as a form or a query writes them; lists and objects as JSON text, what is ``None`` left out."""
    return urlencode({name: _form_text(value) for name, value in fields.items() if value is not None})


def _form_text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return encode_json(value).decode()
    if isinstance(value, datetime):
        return format_datetime(value)
    return str(value)


def _json_value(value: object) -> object:
    """What the standard encoder does not know. An amount has fewer digits than a float keeps."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(_("%(value)s is not a number") % {"value": value})
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(_("a value of the type %(name)s") % {"name": type(value).__name__})


def _cause(error: Exception) -> str:
    # Of what our own encoder refused, that one knows more.
    return _("half of a character") if "surrogates" in str(error) else str(error.__cause__ or error)
