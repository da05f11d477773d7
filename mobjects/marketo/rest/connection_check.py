"""Testing the connection: address, credentials, rights, whether opportunities can be written, use, clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mobjects.marketo.errors import AuthError, ConfigError, MarketoError, RefusalReason, Unavailable
from mobjects.marketo.http_common import RequestFailed, describe_wrong_clock
from mobjects.marketo.rest import codes
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.replies import NotMarketoReply, RestReply, read_reasons, whole_number
from mobjects.marketo.transport import ConnectionVerdict, PingResult
from mobjects.marketo.types import CallsToday, Kind
from mobjects.marking import gettext_noop as _

# The Date header has whole seconds and a slow answer ages it; below this a clock is as good as right.
_NOTABLE_SECONDS = 30
_USAGE = "/rest/v1/stats/usage.json"
_CHANNELS = "/rest/asset/v1/channels.json"
_NO_PROGRAM = "/rest/asset/v1/program/999999999.json"
_NO_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(slots=True)
class _Findings:
    """What a test found.

    Args:
        needed, wanted: rights that the API user lacks; what is sent needs the former always, the latter at times.
        notes: what else is worth saying.
        offset: Marketo's clock minus ours, in seconds.
    """

    needed: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    offset: float | None = None


def check_connection(calls: RestCalls) -> PingResult:
    """Make a few calls that change nothing: two of them are writes of objects that there cannot be.

    Returns:
        OK where all that is sent can be sent.
    """
    found = _Findings()
    try:
        for question in (_ask_fields, _ask_writing, _ask_assets, _ask_parties, _ask_usage):
            question(calls, found)
    except MarketoError as error:
        return PingResult(_verdict(error), error.message, error.clock_offset_seconds)
    verdict = ConnectionVerdict.ERROR if found.needed else ConnectionVerdict.OK
    return PingResult(verdict, " ".join(_sentences(found)), found.offset)


def _ask_fields(calls: RestCalls, found: _Findings) -> None:
    reply = _ask(lambda: calls.read(paths.describe_path(Kind.OPPORTUNITY)), "Read-Only Opportunity", found.needed)
    if reply is not None:
        found.offset = reply.clock_offset_seconds


def _ask_writing(calls: RestCalls, found: _Findings) -> None:
    """An update of an opportunity that nobody has: Marketo says that there is none, or that nobody may update any."""
    body = {"action": "updateOnly", "dedupeBy": "idField", "input": [{paths.GUID: _NO_GUID}]}
    path = paths.sync_path(Kind.OPPORTUNITY)
    try:
        reply = _ask(lambda: calls.write_json(path, body), "Read-Write Opportunity", found.needed)
    except AuthError as error:
        if error.code != codes.BLOCKED_CODE:
            raise
        found.notes.append(error.message)
        return
    rows = [row for row in reply.result if isinstance(row, dict)] if reply else []
    if any(reason.code == codes.BLOCKED_CODE for row in rows for reason in read_reasons(row.get("reasons"))):
        found.notes.append(codes.code_rule_for(codes.BLOCKED_CODE).meaning)


def _ask_assets(calls: RestCalls, found: _Findings) -> None:
    _ask(lambda: calls.read(_CHANNELS, {"maxReturn": 1}), "Read-Only Assets", found.needed)
    _ask(lambda: calls.write_form(_NO_PROGRAM, {}), "Read-Write Assets", found.needed)


def _ask_parties(calls: RestCalls, found: _Findings) -> None:
    nobody = {"filterType": "id", "filterValues": "1", "fields": "id"}
    _ask(
        lambda: calls.read(paths.LEADS, nobody),
        _("%(right)s (for persons given by key)") % {"right": "Read-Only Lead"},
        found.wanted,
    )
    _ask(
        lambda: calls.read(paths.COMPANIES, nobody),
        _("%(right)s (for companies given by ID)") % {"right": "Read-Only Company"},
        found.wanted,
    )


def _ask_usage(calls: RestCalls, found: _Findings) -> None:
    reply = _ask(lambda: calls.read(_USAGE), "", [])
    used = _calls_in(reply) if reply else None
    if used is not None:
        found.notes.append(_("All integrations together have made %(used)s calls today.") % {"used": used})


def read_calls_today(calls: RestCalls) -> CallsToday:
    """How many calls all integrations have made today.

    Raises:
        MarketoError: Marketo does not say so.
    """
    reply = calls.read(_USAGE)
    count = _calls_in(reply)
    if count is None:
        raise Unavailable(_("Marketo's answer does not say how many calls were made today."), exchange=reply.exchange)
    return CallsToday(count, reply.exchange)


def _calls_in(reply: RestReply) -> int | None:
    today = reply.result[0] if reply.result else None
    return whole_number(today.get("total")) if isinstance(today, dict) else None


def _ask(call: Callable[[], RestReply], right: str, lacking: list[str]) -> RestReply | None:
    """Make a call; ``None`` if Marketo refused it.

    A refusal says that the user may not do it (603), which is noted, or that there is no such object, which is as it
    should be: both are answers. The credentials being refused is not, nor is silence.
    """
    try:
        return call()
    except (AuthError, ConfigError, Unavailable) as error:
        if error.trouble is not RefusalReason.ACCESS or error.code == codes.BLOCKED_CODE:
            raise
        if right:
            lacking.append(right)
        return None
    except MarketoError as error:
        if not error.code:
            raise
        return None


def _sentences(found: _Findings) -> Iterator[str]:
    yield _("Marketo answered and accepted the credentials.")
    if found.needed:
        yield _("But the API user lacks rights, without which records cannot be synced: %(needed)s.") % {
            "needed": ", ".join(found.needed)
        }
    for right in found.wanted:
        yield _("The API user also lacks: %(right)s.") % {"right": right}
    yield from found.notes
    if found.offset is not None and abs(found.offset) >= _NOTABLE_SECONDS:
        yield describe_wrong_clock(found.offset)


def _verdict(error: MarketoError) -> ConnectionVerdict:
    if isinstance(error.__cause__, NotMarketoReply):
        return ConnectionVerdict.NOT_MARKETO
    if isinstance(error, AuthError):
        return ConnectionVerdict.REFUSED
    if isinstance(error, ConfigError):
        return ConnectionVerdict.NOT_CONFIGURED
    if isinstance(error, Unavailable) and isinstance(error.__cause__, RequestFailed):
        return ConnectionVerdict.UNREACHABLE
    return ConnectionVerdict.ERROR
