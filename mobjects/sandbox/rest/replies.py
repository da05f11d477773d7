"""Answers as bytes: envelopes in the order of keys that was recorded, and what a script does to them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind, ScriptedFault
from mobjects.sandbox.http_answer import HTML_TYPE, ConnectionCut, HttpAnswer, build_page
from mobjects.sandbox.rest.rest_call import RestError, SandboxReply

CONTENT_TYPE = "application/json;charset=UTF-8"
GZIP_FROM_BYTES = 1024


def build_success(reply: SandboxReply, request_id: str, *, asset: bool) -> dict[str, object]:
    """The envelope of a call that was carried out."""
    if asset:
        envelope = {"success": True, "errors": [], "requestId": request_id, "warnings": reply.warnings}
        return envelope if reply.rows is None else {**envelope, "result": reply.rows}
    result = {} if reply.rows is None else {"result": reply.rows}
    return {"requestId": request_id, **result, **reply.extra, "success": True}


def build_failure(code: str, message: str, request_id: str, *, asset: bool) -> dict[str, object]:
    """The envelope of a call that was refused: never a ``result``."""
    errors = [{"code": code, "message": message}]
    if asset:
        return {"success": False, "errors": errors, "requestId": request_id, "warnings": []}
    return {"requestId": request_id, "success": False, "errors": errors}


def encode_json(value: Mapping[str, object], status: int = 200) -> HttpAnswer:
    """An envelope over HTTP. Marketo sends 200 whatever the envelope says."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpAnswer(status, CONTENT_TYPE, body, (("Cache-Control", "no-store"),))


def compress(answer: HttpAnswer) -> HttpAnswer:
    """The same with its body compressed, where it is longer than 1 KB and sent whole."""
    if len(answer.body) <= GZIP_FROM_BYTES or answer.cut_at is not None:
        return answer
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return HttpAnswer(answer.status, answer.content_type, gzip.compress(answer.body, 1), headers, answer.phrase)


def break_reply(script: ScriptedFault, reply: SandboxReply | None) -> SandboxReply:
    """The reply as the script wants it; ``reply`` is the real one, if the call was applied.

    Raises:
        RestError: the script names a code.
        ConnectionCut: the script wants the line cut.
    """
    if script.kind is RestFaultKind.ERROR:
        raise RestError(script.code, script.text or "Scripted error")
    if reply is None or script.kind is FaultKind.CUT_AFTER:
        raise ConnectionCut(script.kind)
    if script.kind is RestFaultKind.NO_RESULT:
        reply.rows = None
    if reply.rows:
        _tamper(script.kind, reply)
    return reply


def _tamper(kind: FaultKind | RestFaultKind, reply: SandboxReply) -> None:
    rows = reply.rows or []
    if kind is FaultKind.SHORT:
        reply.rows = rows[:-1]
    elif kind is FaultKind.LONG:
        reply.rows = [*rows, rows[-1]]
    elif kind is FaultKind.EMPTY:
        reply.rows = []
    elif kind is RestFaultKind.SHUFFLED:
        reply.rows = rows[::-1]
    elif kind is RestFaultKind.MISSING_SEQ:
        reply.rows = [{name: value for name, value in row.items() if name != "seq"} for row in rows]


def break_transfer(script: ScriptedFault, answer: HttpAnswer) -> HttpAnswer:
    """The answer with another first line, or cut in its middle, as the script wants it."""
    if script.kind is RestFaultKind.STATUS_LINE:
        phrase = script.text or str(answer.status)
        return HttpAnswer(answer.status, answer.content_type, answer.body, answer.headers, phrase)
    if script.kind is RestFaultKind.CUT_INSIDE:
        half = len(answer.body) // 2
        return HttpAnswer(answer.status, answer.content_type, answer.body, answer.headers, cut_at=half)
    return answer


def replace_answer(script: ScriptedFault) -> HttpAnswer | None:
    """What is sent in the place of any envelope: an HTML page or nothing at all."""
    if script.kind is FaultKind.EMPTY_BODY:
        return HttpAnswer(200, CONTENT_TYPE, b"")
    if script.kind is not FaultKind.HTTP:
        return None
    if script.text:
        return HttpAnswer(script.status, HTML_TYPE, script.text.encode())
    return build_page(script.status, "Scripted by the sandbox.")
