"""The sandbox as one WSGI application: SOAP and REST endpoints, control endpoint, and a page to look at."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from wsgiref.handlers import format_date_time
from wsgiref.types import StartResponse, WSGIEnvironment

from mobjects.sandbox import control_api, html_page
from mobjects.sandbox.call_log import CallLog
from mobjects.sandbox.fault_injection import FaultScript
from mobjects.sandbox.http_answer import HttpAnswer
from mobjects.sandbox.rest.identity import ClientCredentials
from mobjects.sandbox.rest.replies import compress
from mobjects.sandbox.rest.rest_call import RestRequest
from mobjects.sandbox.rest.rest_endpoint import PREFIXES, RestEndpoint
from mobjects.sandbox.seed import seed_store
from mobjects.sandbox.soap.auth import Credentials
from mobjects.sandbox.soap.endpoint import XML_TYPE, SoapEndpoint
from mobjects.sandbox.soap.wsdl import BUNDLED_WSDL, WsdlFile
from mobjects.sandbox.state import SandboxStore

ENDPOINT_PATH = "/soap/mktows/2_7"
MAX_BODY_BYTES = 20_000_000


class Sandbox:
    """A Marketo instance behind a WSGI interface.

    Calling it, or reading what it answers, raises :class:`mobjects.sandbox.http_answer.ConnectionCut` where
    the script wants the line cut; the server closes the connection then.

    Args:
        credentials: the API user of SOAP.
        client: the custom service of REST.
        wsdl: path of the WSDL to validate with and to serve.
        with_seed: whether to start, and start over after a reset, with the seed.
    """

    def __init__(
        self,
        *,
        credentials: Credentials | None = None,
        client: ClientCredentials | None = None,
        wsdl: Path = BUNDLED_WSDL,
        with_seed: bool = True,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.store = SandboxStore()
        self.faults = FaultScript()
        self.journal = CallLog()
        self._with_seed = with_seed
        self._wsdl = WsdlFile(wsdl)
        self._soap = SoapEndpoint(self.store, self._wsdl, self.credentials, self.faults, self.journal)
        self.rest = RestEndpoint(self.store, client or ClientCredentials(), self.faults, self.journal)
        self.reset()

    def reset(self) -> None:
        """Back to the start: state, clock, script, calls."""
        self.faults.clear()
        with self.store.lock:
            self.store.clear()
            self.store.clock.reset()
            if self._with_seed:
                seed_store(self.store)
        self.rest.reset()
        self.journal.clear()

    def http_date(self) -> str:
        """The sandbox's time in the form of a Date header."""
        return format_date_time(self.store.clock.now().timestamp())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._route(environ)
        headers = [
            ("Date", self.http_date()),
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            # Values from requests are shown on the page: nothing there may run.
            ("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:"),
            ("X-Content-Type-Options", "nosniff"),
            *answer.headers,
        ]
        start_response(f"{answer.status} {answer.phrase or _phrase(answer.status)}", headers)
        return answer.iter_body()

    def _route(self, environ: WSGIEnvironment) -> HttpAnswer:
        path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
        if path == ENDPOINT_PATH:
            return self._answer_endpoint(environ, method)
        if path.startswith(PREFIXES):
            return self._answer_rest(environ, method, path)
        if path.startswith(control_api.PREFIX):
            return self._answer_control(environ, method, path.removeprefix(control_api.PREFIX))
        if method == "GET":
            return html_page.answer_page(self, path)
        return _plain(404, f"There is nothing at {method} {path}")

    def _answer_endpoint(self, environ: WSGIEnvironment, method: str) -> HttpAnswer:
        if method == "POST":
            action = environ.get("HTTP_SOAPACTION", "")
            return self._soap.answer_call(_body(environ), environ.get("CONTENT_TYPE", ""), action)
        if method == "GET" and environ.get("QUERY_STRING", "").lower() == "wsdl":
            host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
            return HttpAnswer(200, XML_TYPE, self._wsdl.with_address(f"http://{host}{ENDPOINT_PATH}"))
        return _plain(405, "POST a SOAP request here, or GET ?WSDL")

    def _answer_rest(self, environ: WSGIEnvironment, method: str, path: str) -> HttpAnswer:
        request = RestRequest(
            method,
            path,
            environ.get("QUERY_STRING", ""),
            environ.get("CONTENT_TYPE", ""),
            environ.get("HTTP_AUTHORIZATION", ""),
            _body(environ),
        )
        answer = self.rest.answer_call(request)
        return compress(answer) if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") else answer

    def _answer_control(self, environ: WSGIEnvironment, method: str, name: str) -> HttpAnswer:
        body = _body(environ)
        # A page elsewhere cannot send this type without asking first, so it cannot steer the sandbox.
        if body and environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
            return _plain(415, "Content-Type must be application/json")
        return control_api.answer_control(self, method, name, body)


def _body(environ: WSGIEnvironment) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _plain(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, "text/plain; charset=utf-8", f"{text}\n".encode())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Scripted"
