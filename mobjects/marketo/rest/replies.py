"""What Marketo answers over REST: envelopes, lists matched with what was sent, dates and numbers.

Answers of both APIs come in one envelope: ``success`` says whether the call was carried out, whatever HTTP says. The
lead database gives ``result`` with each success, empty or not; the asset API leaves it out where it found nothing, and
warns instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mobjects.marketo.errors import OutcomeUnknown
from mobjects.marketo.http_common import NOT_SURE
from mobjects.marketo.types import Exchange
from mobjects.marking import gettext_noop as _

Entry = Mapping[str, Any]
"""One member of a result; its values are JSON's, numbers with a point as ``Decimal``."""


class NotMarketoReply(Exception):
    """An answer is not what Marketo's REST API would say; the text says in a few words what it is instead."""


class InvalidReply(Exception):
    """An answer of Marketo contradicts itself, or what was asked; the text says how."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why Marketo refused a call or skipped a record: its code, always as text, and its own words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer as Marketo wrote it.

    Args:
        success: whether the call was carried out.
        result: ``None`` where there is none.
        errors, warnings: what Marketo says besides.
        request_id: Marketo's name of the call, which its support asks for.
        more: whether the lead database has another page.
        next_page_token: hand it to the call for that page; "" if there is none.
    """

    success: bool
    result: Sequence[Any] | None
    errors: Sequence[Reason]
    warnings: Sequence[str]
    request_id: str
    more: bool
    next_page_token: str


@dataclass(frozen=True, slots=True)
class RestReply:
    """A successful answer.

    Args:
        result: its entries; none where nothing was found.
        warnings: Marketo's, as text.
        request_id: Marketo's name of the call.
        more, next_page_token: see :class:`Envelope`.
        exchange: the call that brought it.
        clock_offset_seconds: Marketo's clock minus ours, if the answer told it.
    """

    result: Sequence[Any]
    warnings: Sequence[str]
    request_id: str
    more: bool
    next_page_token: str
    exchange: Exchange
    clock_offset_seconds: float | None = None


def parse_envelope(content: bytes, http_status: int) -> Envelope:
    """Read an answer's body.

    Raises:
        NotMarketoReply: it is something else.
    """
    reply = parse_object(content)
    success = reply.get("success")
    if not isinstance(success, bool):
        raise NotMarketoReply(_("JSON that does not say whether the call succeeded"))
    if success and http_status >= 400:
        raise NotMarketoReply(_("JSON that says the opposite"))
    result = reply.get("result")
    if result is not None and not isinstance(result, list):
        raise NotMarketoReply(_("JSON whose result is no list"))
    return Envelope(
        success=success,
        result=result,
        errors=read_reasons(reply.get("errors")),
        warnings=[_warning_text(each) for each in _list(reply.get("warnings"))],
        request_id=_text(reply.get("requestId")),
        more=reply.get("moreResult") is True,
        next_page_token=_text(reply.get("nextPageToken")),
    )


def parse_object(content: bytes) -> dict[str, Any]:
    """Read a body that is one JSON object.

    Raises:
        NotMarketoReply: it is something else, or was cut off.
    """
    if not content.strip():
        raise NotMarketoReply(_("an empty answer"))
    try:
        reply = json.loads(content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotMarketoReply(_kind_of_content(content)) from error
    if not isinstance(reply, dict):
        raise NotMarketoReply(_("JSON that is no object"))
    escaped = b"\\u0000" in content or b"\\ud" in content.lower()
    return _without_bad_characters(reply) if escaped else reply


def read_reasons(value: object) -> list[Reason]:
    """The ``errors`` of an answer or the ``reasons`` of a record; what is none is left out."""
    found = [each for each in _list(value) if isinstance(each, dict)]
    return [Reason(_text(each.get("code")), _text(each.get("message"))) for each in found]


def match_by_seq(reply: RestReply, count: int) -> list[Entry]:
    """The entries of an answer to a write, in the order of what was sent.

    Marketo numbers them by ``seq``, from 0. An answer that does not hold each number once is not guessed at.

    Args:
        reply: to the write.
        count: how many records were sent.

    Raises:
        OutcomeUnknown: the answer is short, long, or its numbers are not those.
    """
    try:
        return order_by_seq(reply.result, count)
    except InvalidReply as error:
        offset = reply.clock_offset_seconds
        raise OutcomeUnknown(f"{error} {NOT_SURE}", exchange=reply.exchange, clock_offset_seconds=offset) from error


def order_by_seq(result: Sequence[Any], count: int) -> list[Entry]:
    """See :func:`match_by_seq`. Raises InvalidReply where the numbers do not fit."""
    if len(result) != count:
        raise InvalidReply(
            _("Marketo answered for %(given)s records where %(count)s were sent.")
            % {"given": len(result), "count": count}
        )
    ordered: dict[int, Entry] = {}
    for entry in result:
        number = whole_number(entry.get("seq")) if isinstance(entry, dict) else None
        if number is None:
            raise InvalidReply(_("Marketo's answer does not say which record each part of it is about."))
        if number in ordered or not 0 <= number < count:
            raise InvalidReply(
                _("Marketo's answer numbers a record %(number)s that it cannot be about.") % {"number": number}
            )
        ordered[number] = entry
    return [ordered[number] for number in range(count)]


def whole_number(value: object) -> int | None:
    """A whole number that Marketo wrote as a number or as text; ``None`` if it is none."""
    if type(value) is int:  # Not a boolean, which is an int too. Three hundred of them come with each answer.
        return value
    number = decimal_number(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def decimal_number(value: object) -> Decimal | None:
    """A number that Marketo wrote as a number or as text; ``None`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _DIGITS else None


_DIGITS = 40  # More than any number of Marketo's has; a larger one would fill the memory once it is written out.


def parse_moment(value: object) -> datetime | None:
    """A date and time in an answer; ``None`` if it is none.

    Marketo writes ``2015-05-21T22:45:13Z+0000`` for assets and ``2015-05-21T22:45:13Z`` in the lead database. One
    without an offset is read as UTC.
    """
    text = re.sub(r"Z(?=[+-]\d{2}:?\d{2}$)", "", value.strip()) if isinstance(value, str) else ""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _warning_text(value: object) -> str:
    """A warning of the asset API is a text; the lead database writes it as it writes errors."""
    return _text(value.get("message")) if isinstance(value, dict) else _text(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(_("%(name)s is no JSON") % {"name": name})


def _kind_of_content(content: bytes) -> str:
    start = content[:2000].lower()
    if b"<html" in start or b"<!doctype html" in start:
        return _("an HTML page")
    return _("JSON that was cut off") if start.lstrip()[:1] == b"{" else _("something that is not JSON")


_BAD_CHARACTER = re.compile("[\\x00\\ud800-\\udfff]")


def _without_bad_characters(value: Any) -> Any:  # JSON's values
    """The same without NUL and halves of characters, which no database keeps and only an escape can bring."""
    if isinstance(value, str):
        return _BAD_CHARACTER.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_bad_characters(each) for each in value]
    if isinstance(value, dict):
        return {_without_bad_characters(name): _without_bad_characters(each) for name, each in value.items()}
    return value
