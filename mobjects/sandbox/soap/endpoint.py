"""The SOAP endpoint: let in, apply, answer, and write down what happened."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from lxml import etree

from mobjects.sandbox.call_log import CallLog, LoggedCall
from mobjects.sandbox.fault_injection import FaultKind, FaultScript, ScriptedFault
from mobjects.sandbox.http_answer import HTML_TYPE, ConnectionCut, HttpAnswer, build_page
from mobjects.sandbox.soap import auth, envelope
from mobjects.sandbox.soap.delete_call import delete_mobjects
from mobjects.sandbox.soap.describe_call import describe_mobject, get_channels, get_tags, list_mobjects
from mobjects.sandbox.soap.get_call import get_mobjects
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.soap.sync_call import ForcedRows, sync_mobjects
from mobjects.sandbox.soap.wsdl import WsdlFile
from mobjects.sandbox.state import SandboxStore

XML_TYPE = "text/xml; charset=utf-8"
DEFAULT_CODE = "10001"
"""Of a scripted fault that names none."""

_SIGNATURE = re.compile(
    r"(<(?:[\w.-]+:)?requestSignature[^>]*>)(?:<!\[CDATA\[.*?\]\]>|<!--.*?-->|[^<])*",
    re.DOTALL,
)

ReadingOperation = Callable[[SandboxStore, etree._Element, etree._Element], None]
WritingOperation = Callable[[SandboxStore, etree._Element, etree._Element, ForcedRows], None]

_READING: dict[str, ReadingOperation] = {
    "getMObjects": get_mobjects,
    "describeMObject": describe_mobject,
    "listMObjects": list_mobjects,
    "getTags": get_tags,
    "getChannels": get_channels,
}
_WRITING: dict[str, WritingOperation] = {"syncMObjects": sync_mobjects, "deleteMObjects": delete_mobjects}


@dataclass(frozen=True, slots=True)
class SoapEndpoint:
    """Answers SOAP calls on one store."""

    _store: SandboxStore
    _wsdl: WsdlFile
    _credentials: auth.Credentials
    _faults: FaultScript
    _journal: CallLog

    def answer_call(self, body: bytes, content_type: str, soap_action: str) -> HttpAnswer:
        """Answer one call; header values are ``""`` if absent.

        Raises:
            ConnectionCut: the script wants the line cut.
        """
        self._faults.apply_arrived(self._store.clock.now())
        call = self._journal.begin_call(self._store.clock.now())
        call.request = mask_signature(body)
        try:
            answer = self._answer(call, body, content_type, soap_action)
            call.http_status = answer.status
            call.response = answer.body.decode("utf-8", "replace")
            return answer
        finally:
            self._journal.end_call(call)

    def _answer(self, call: LoggedCall, body: bytes, content_type: str, soap_action: str) -> HttpAnswer:
        try:
            message = self._admit(call, body, content_type, soap_action)
            return self._respond(call, message, self._faults.pop_matching(call.operation))
        except SoapFault as problem:
            call.fault = problem.code
            return HttpAnswer(500, XML_TYPE, envelope.to_bytes(envelope.build_fault(problem)))

    def _admit(self, call: LoggedCall, body: bytes, content_type: str, soap_action: str) -> etree._Element:
        """Parse, authenticate, validate; the message is fit to be applied after this."""
        if content_type.partition(";")[0].strip().lower() != "text/xml":
            raise SoapFault("20012", f"Content-Type must be text/xml, not {content_type!r}")
        root = envelope.parse_envelope(body)
        message = envelope.find_message(root)
        call.operation = envelope.operation_of(message)
        self._authenticate(call, root)
        if call.operation not in _READING and call.operation not in _WRITING:
            raise SoapFault("20019", f"There is no operation for {message.tag}")
        action = soap_action.strip().strip('"')
        if action not in ("", envelope.API_NS + call.operation):
            raise SoapFault("20012", f"SOAPAction {action!r} is not that of {call.operation}")
        self._validate(message)
        _note_contents(call, message)
        return message

    def _authenticate(self, call: LoggedCall, root: etree._Element) -> None:
        header = envelope.find_header(root)
        call.user_id = envelope.text_of(header, "mktowsUserId")
        call.timestamp = envelope.text_of(header, "requestTimestamp")
        self._validate(header)
        call.signature = "refused"
        auth.check_credentials(header, self._credentials, self._store.clock.now())
        call.signature = "ok"

    def _validate(self, element: etree._Element) -> None:
        complaint = self._wsdl.find_complaint(element)
        if complaint:
            raise SoapFault("20012", complaint)

    def _respond(self, call: LoggedCall, message: etree._Element, script: ScriptedFault | None) -> HttpAnswer:
        if script is None:
            return _ok(self._apply(call, message, {}))
        call.scripted = script.kind
        if script.kind is FaultKind.LATE:
            arrival = self._store.clock.now() + timedelta(seconds=script.seconds)
            self._faults.delay_call(arrival, partial(self._apply, call, message, {}))
            raise ConnectionCut(script.kind)
        body = self._apply(call, message, script.forced_rows) if script.is_carried_out else None
        self._faults.hold_call(script.seconds)
        return _broken(script, body)

    def _apply(self, call: LoggedCall, message: etree._Element, forced: ForcedRows) -> etree._Element:
        root, result = envelope.build_success(call.operation)
        with self._store.lock:
            if call.operation in _WRITING:
                _WRITING[call.operation](self._store, message, result, forced)
            else:
                _READING[call.operation](self._store, message, result)
        call.statuses = [element.text or "" for element in result.iterfind("mObjStatusList/mObjStatus/status")]
        return root


def mask_signature(body: bytes) -> str:
    """The request as text with the signature masked, however broken it is."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        # Shown not at all: in another encoding the pattern would miss the signature.
        return f"({len(body)} bytes that are not UTF-8)"
    return "(text with NUL characters)" if "\0" in text else _SIGNATURE.sub(r"\1***", text)


def _note_contents(call: LoggedCall, message: etree._Element) -> None:
    call.sync_operation = envelope.text_of(message, "operation")
    types = [element.text or "" for element in message.iterfind("mObjectList/mObject/type")]
    call.object_count = len(types)
    call.types = sorted(set(types)) or [text for name in ("type", "objectName") if (text := message.findtext(name))]


def _ok(root: etree._Element) -> HttpAnswer:
    return HttpAnswer(200, XML_TYPE, envelope.to_bytes(root))


def _broken(script: ScriptedFault, root: etree._Element | None) -> HttpAnswer:
    """The answer as the script wants it; ``root`` is the real one, if the call was applied."""
    if script.kind is FaultKind.SOAP:
        raise SoapFault(script.code or DEFAULT_CODE, script.text or "Scripted fault")
    if script.kind is FaultKind.HTTP:
        if script.text:
            return HttpAnswer(script.status, HTML_TYPE, script.text.encode())
        return build_page(script.status, "Scripted by the sandbox.")
    if script.kind is FaultKind.EMPTY_BODY:
        return HttpAnswer(200, XML_TYPE, b"")
    if root is None or script.kind is FaultKind.CUT_AFTER:
        raise ConnectionCut(script.kind)
    _tamper(script.kind, root)
    return _ok(root)


def _tamper(kind: str, root: etree._Element) -> None:
    listing = next((found for name in ("mObjStatusList", "mObjectList") for found in root.iter(name)), None)
    if listing is None or len(listing) == 0:
        return
    if kind == FaultKind.SHORT:
        del listing[-1]
    elif kind == FaultKind.LONG:
        listing.append(copy.deepcopy(listing[-1]))
    elif kind == FaultKind.EMPTY:
        del listing[:]
