"""The REST endpoint: let in, apply, answer, and write down what happened."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial

from mobjects.sandbox.call_log import CallLog, LoggedCall
from mobjects.sandbox.fault_injection import (
    IDENTITY_PREFIX,
    REST_API,
    FaultKind,
    FaultScript,
    RestFaultKind,
    ScriptedFault,
)
from mobjects.sandbox.http_answer import ConnectionCut, HttpAnswer, build_page
from mobjects.sandbox.rest import replies
from mobjects.sandbox.rest.identity import API_USER, ClientCredentials, IdentityRefused, TokenIssuer
from mobjects.sandbox.rest.instance import RestInstance
from mobjects.sandbox.rest.limits import LimitExceeded, RestLimits
from mobjects.sandbox.rest.rest_call import (
    ForcedReason,
    RestContext,
    RestError,
    RestRequest,
    SandboxReply,
    mask_secrets,
)
from mobjects.sandbox.rest.routes import ASSET_PREFIX, PREFIX, Route, find_route
from mobjects.sandbox.rest.written_state import WrittenState, edit_program
from mobjects.sandbox.state import SandboxStore

TOKEN_PATH = "/identity/oauth/token"  # noqa: S105  # an address
PREFIXES = (PREFIX, IDENTITY_PREFIX)
MAX_BODY_BYTES = 1_000_000
MAX_URI_BYTES = 8192


class RestEndpoint:
    """Answers REST calls on one store."""

    def __init__(
        self, store: SandboxStore, credentials: ClientCredentials, faults: FaultScript, journal: CallLog
    ) -> None:
        self._store = store
        self._faults = faults
        self._journal = journal
        self.instance = RestInstance()
        self.tokens = TokenIssuer(credentials, self.instance)
        self._limits = RestLimits(self.instance)
        self._written = WrittenState(store, self.instance)
        self._numbers = itertools.count(1)

    def reset(self) -> None:
        """Back to the start: switches, tokens, limits."""
        self.instance.reset()
        self.tokens.clear()
        self._limits.clear()
        self._written.clear()

    def answer_call(self, request: RestRequest) -> HttpAnswer:
        """Answer one call.

        Raises:
            ConnectionCut: the script wants the line cut.
        """
        self._faults.apply_arrived(self._store.clock.now())
        is_identity = request.path.startswith(IDENTITY_PREFIX)
        call = self._journal.begin_call(self._store.clock.now(), counted=not is_identity)
        call.api, call.operation, call.request = REST_API, request.name, request.as_text()
        try:
            answer = self._answer_identity(call, request) if is_identity else self._answer(call, request)
            call.response = mask_secrets(answer.body.decode("utf-8", "replace"))
            if answer.cut_at is None:
                call.http_status = answer.status
            return answer
        finally:
            self._journal.end_call(call)

    def _answer_identity(self, call: LoggedCall, request: RestRequest) -> HttpAnswer:
        call.types = ["Token"]
        if request.path != TOKEN_PATH or request.sent_method not in ("GET", "POST"):
            return replies.encode_json({"error": "not_found", "error_description": f"No {request.name}"}, 404)
        call.signature = "refused"
        try:
            body = self.tokens.issue_token(request, self._store.clock.now())
        except IdentityRefused as refused:
            call.fault = refused.error
            description = {"error": refused.error, "error_description": refused.description}
            return replies.encode_json(description, refused.status)
        call.signature, call.user_id = "ok", API_USER
        script, _ = self._faults.pop_with_edits(request.name, REST_API)
        if script is None:
            return replies.encode_json(body)
        call.scripted = script.kind
        self._faults.hold_call(script.seconds)
        page = replies.replace_answer(script)
        if page is not None:
            return page
        if script.kind is FaultKind.SLOW:
            return replies.encode_json(body)
        if script.kind is RestFaultKind.ERROR:
            return replies.encode_json({"error": script.code, "error_description": script.text}, script.status)
        if script.kind in (RestFaultKind.STATUS_LINE, RestFaultKind.CUT_INSIDE):
            return replies.break_transfer(script, replies.encode_json(body))
        raise ConnectionCut(script.kind)

    def _answer(self, call: LoggedCall, request: RestRequest) -> HttpAnswer:
        if len(request.body) > MAX_BODY_BYTES:
            return build_page(413, "The body is longer than 1 MB.", what="Request Entity Too Large")
        if len(request.path) + len(request.query) > MAX_URI_BYTES:
            return build_page(414, "The address is longer than 8 KB.", what="Request-URI Too Long")
        request_id = f"{next(self._numbers):x}#{int(self._store.clock.now().timestamp() * 1000):x}"
        asset = request.path.startswith(ASSET_PREFIX)
        try:
            route, arguments = self._admit(call, request)
            with self._limits.admit_call(self._store.clock.now()):
                context = RestContext(self._store, request, self.instance, self._limits, arguments)
                with self._written.only_writer(route, arguments):
                    return self._respond(call, route, context, request_id)
        except (RestError, LimitExceeded) as problem:
            call.fault = problem.code
            failure = replies.build_failure(problem.code, problem.message, request_id, asset=asset)
            return replies.encode_json(failure)

    def _admit(self, call: LoggedCall, request: RestRequest) -> tuple[Route, tuple[str, ...]]:
        """Token, address, rights, form of the body; the call is fit to be carried out after this."""
        call.signature = "refused"
        self.tokens.check_token(request.authorization, self._store.clock.now())
        call.signature, call.user_id = "ok", API_USER
        route, arguments = find_route(request.method, request.path)
        denied = set(self.instance.denied_rights)
        lacking = route.rights and denied.issuperset(route.rights)
        patterns = self.instance.denied_paths
        if lacking or any(fnmatchcase(request.name, each) or fnmatchcase(request.path, each) for each in patterns):
            raise RestError("603", "Access denied")
        if route.media_type and request.body and request.media_type != route.media_type:
            raise RestError("612", f"Invalid Content Type: {request.media_type or 'none'}")
        return route, arguments

    def _respond(self, call: LoggedCall, route: Route, context: RestContext, request_id: str) -> HttpAnswer:
        script, edits = self._faults.pop_with_edits(context.request.name, REST_API)
        self._edit(edits, after=False)
        if script is None:
            reply = self._apply(call, route, context)
            self._edit(edits, after=True)
            return replies.encode_json(replies.build_success(reply, request_id, asset=route.is_asset))
        call.scripted = script.kind
        applied = self._apply_scripted(call, route, context, script)
        self._edit(edits, after=True)
        self._faults.hold_call(script.seconds)
        page = replies.replace_answer(script)
        if page is not None:
            return page
        reply = replies.break_reply(script, applied)
        answer = replies.encode_json(replies.build_success(reply, request_id, asset=route.is_asset))
        return replies.break_transfer(script, answer)

    def _apply_scripted(
        self, call: LoggedCall, route: Route, context: RestContext, script: ScriptedFault
    ) -> SandboxReply | None:
        if script.kind is FaultKind.LATE:
            arrival = self._store.clock.now() + timedelta(seconds=script.seconds)
            self._faults.delay_call(arrival, partial(self._apply_late, call, route, context))
            raise ConnectionCut(script.kind)
        if not script.is_carried_out:
            return None
        return self._apply(call, route, replace(context, forced=_forced_reasons(script)))

    def _apply_late(self, call: LoggedCall, route: Route, context: RestContext) -> None:
        try:
            self._apply(call, route, context)
        except RestError as problem:
            call.fault = problem.code

    def _apply(self, call: LoggedCall, route: Route, context: RestContext) -> SandboxReply:
        with self._store.lock:
            if route.writes:
                self._written.remember()
            else:
                context = replace(context, store=self._written.visible_store())
            reply = route.handler(context)
        call.statuses, call.object_count, call.sync_operation = reply.statuses, reply.count, reply.action
        call.types = [reply.kind] if reply.kind else []
        return reply

    def _edit(self, edits: list[ScriptedFault], *, after: bool) -> None:
        for edit in edits:
            if edit.applied is after:
                edit_program(self._store, edit)


def _forced_reasons(script: ScriptedFault) -> dict[int, ForcedReason]:
    if script.kind is FaultKind.BAD_ROW:
        return {script.row: ForcedReason("skipped", script.code or "1003", script.text or "Scripted failure")}
    if script.kind is FaultKind.ROW_STATUS:
        return {script.row: ForcedReason(script.row_status, script.code or "1003", script.text)}
    return {}
