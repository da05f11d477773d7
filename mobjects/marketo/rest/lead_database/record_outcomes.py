"""What Marketo answered for each record of a call, as outcomes.

A record that Marketo did not take is "skipped" whatever the reason; its code says more. What does not fit is not
guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from mobjects.marketo.errors import AuthError, OutcomeUnknown, RefusalReason
from mobjects.marketo.http_common import NOT_SURE
from mobjects.marketo.rest import codes
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.record_inputs import Action
from mobjects.marketo.rest.replies import Entry, Reason, RestReply, match_by_seq, read_reasons
from mobjects.marketo.types import OutcomeStatus, RecordOutcome
from mobjects.marking import gettext_noop as _

FIELD_GONE = "1006"

_ACCEPTED = {
    ("created", Action.CREATE): OutcomeStatus.CREATED,
    ("created", Action.UPSERT): OutcomeStatus.CREATED,
    ("updated", Action.UPSERT): OutcomeStatus.UPDATED,
    ("updated", Action.UPDATE): OutcomeStatus.UPDATED,
}
_EXPECTED = {
    (Action.CREATE, codes.RecordProblem.EXISTS): _("Marketo already has this object, so INSERT skipped it."),
    (
        Action.UPDATE,
        codes.RecordProblem.MISSING,
    ): _("Marketo does not have this object, or what it is linked to, so UPDATE skipped it."),
}


@dataclass(slots=True)  # Not frozen: a batch has hundreds, and those take three times as long to make.
class RowAnswer:
    """What became of one record, and the codes of the reasons that Marketo gave."""

    outcome: RecordOutcome
    codes: frozenset[str] = frozenset()


def read_sync_reply(reply: RestReply, action: Action, ids: Sequence[str | None]) -> list[RowAnswer]:
    """One answer per record of a call, in its order.

    Args:
        action: what was asked for.
        ids: the GUID by which each record was sent, if it was.

    Raises:
        AuthError: none was taken, because the CRM owns such records.
        OutcomeUnknown: the answer does not fit what was sent.
    """
    rows = [_read_row(reply, row, action, guid) for row, guid in zip(match_by_seq(reply, len(ids)), ids, strict=True)]
    return _unless_blocked(reply, rows)


def read_delete_reply(reply: RestReply, ids: Sequence[str]) -> list[RowAnswer]:
    """One answer per object that was to be deleted. Errors as for :func:`read_sync_reply`."""
    rows = []
    for row, guid in zip(match_by_seq(reply, len(ids)), ids, strict=True):
        _check_guid(reply, row, guid)
        if row.get("status") == "deleted":
            rows.append(RowAnswer(RecordOutcome(OutcomeStatus.DELETED, guid)))
        else:
            rows.append(_skipped_row(reply, row, gone=guid))
    return _unless_blocked(reply, rows)


def guid_text(value: object) -> str:
    """A GUID as it is kept: Marketo writes it with blanks around it and in either case."""
    return value.strip().lower() if isinstance(value, str) else ""


def _read_row(reply: RestReply, row: Entry, action: Action, sent_guid: str | None) -> RowAnswer:
    status = row.get("status")
    if status == "skipped":
        return _skipped_row(reply, row, action)
    accepted = _ACCEPTED.get((str(status), action))
    if accepted is None:
        _refuse_reply(
            reply,
            _("Marketo answered “%(status)s” to a record that went out with %(action)s.")
            % {"status": status, "action": action},
        )
    # Marketo need not tell the GUID; a record without one is found by its key again.
    guid = _check_guid(reply, row, sent_guid) or sent_guid
    return RowAnswer(RecordOutcome(accepted, guid or None))


def _skipped_row(reply: RestReply, row: Entry, action: Action | None = None, gone: str = "") -> RowAnswer:
    if row.get("status") != "skipped":
        _refuse_reply(reply, _("Marketo answered “%(status)s” to a record.") % {"status": row.get("status")})
    reasons = read_reasons(row.get("reasons")) or [Reason("", "")]
    found = frozenset(reason.code for reason in reasons)
    problems = {codes.record_problem(code) for code in found}
    said = "; ".join(codes.quote_reason(reason.code, reason.text) for reason in reasons)
    if gone and problems == {codes.RecordProblem.MISSING}:
        return RowAnswer(RecordOutcome(OutcomeStatus.UNCHANGED, gone, _("Marketo: %(said)s") % {"said": said}), found)
    words = next((_EXPECTED[action, each] for each in problems if action and each and (action, each) in _EXPECTED), "")
    if words and len(problems) == 1:
        return RowAnswer(
            RecordOutcome(
                OutcomeStatus.SKIPPED, None, _("%(words)s (Marketo: %(said)s)") % {"words": words, "said": said}
            ),
            found,
        )
    return RowAnswer(RecordOutcome(OutcomeStatus.FAILED, None, _failed_words(reasons, said)), found)


def _failed_words(reasons: Sequence[Reason], said: str) -> str:
    code = reasons[0].code
    meaning = codes.CODE_RULES[code].meaning if code in codes.CODE_RULES else _("Marketo did not take the record.")
    return _("%(meaning)s (Marketo: %(said)s)") % {"meaning": meaning, "said": said}


def _check_guid(reply: RestReply, row: Entry, sent_guid: str | None) -> str:
    guid = guid_text(row.get(paths.GUID))
    if sent_guid and guid and guid != sent_guid:
        _refuse_reply(
            reply, _("Marketo answered for %(guid)s, but %(sent)s was sent.") % {"guid": guid, "sent": sent_guid}
        )
    return guid


def _unless_blocked(reply: RestReply, rows: list[RowAnswer]) -> list[RowAnswer]:
    if any(row.codes != {codes.BLOCKED_CODE} for row in rows):
        return rows
    rule = codes.code_rule_for(codes.BLOCKED_CODE)
    raise AuthError(
        rule.meaning,
        code=codes.BLOCKED_CODE,
        exchange=reply.exchange,
        clock_offset_seconds=reply.clock_offset_seconds,
        trouble=RefusalReason.ACCESS,
    )


def _refuse_reply(reply: RestReply, words: str) -> NoReturn:
    raise OutcomeUnknown(
        f"{words} {NOT_SURE}", exchange=reply.exchange, clock_offset_seconds=reply.clock_offset_seconds
    )
