"""The connection page: where records go, and whether that works."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects import selectors
from mobjects.audit.events import record_event
from mobjects.instance_facts import list_answers, load_facts
from mobjects.jobs.host_clock import list_wrong_host_clocks
from mobjects.kept_text import translate_kept
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.transport import ConnectionVerdict, MarketoTransport, PingResult
from mobjects.marketo.types import Kind
from mobjects.models import EventKind
from mobjects.presentation.navigation import standing_of
from mobjects.processes import status as queue_status
from mobjects.processes.refused_work import list_refused_work
from mobjects.sync.content.gaps import list_gaps
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import (
    facts,
    key_fields,
    list_confirmations,
    open_transport,
    target,
    transport_label,
)
from mobjects.views.base import render_page, require_permission

CIRCUITS = 5
TONES = {
    ConnectionVerdict.OK: "success",
    ConnectionVerdict.CLOCK_OFF: "warning",
    ConnectionVerdict.NOT_CONFIGURED: "warning",
}


@dataclass(frozen=True, slots=True)
class ConnectionTestResult:
    """What a test of the connection found. ``key_field`` is about the opportunity key field, "" if none is set."""

    ping: PingResult
    key_field: str = ""

    @property
    def tone(self) -> str:
        """The colour of the verdict."""
        return TONES.get(self.ping.verdict, "danger")

    @property
    def clock(self) -> str:
        """The difference between the two clocks, in words; "" if it is not known."""
        offset = self.ping.clock_offset_seconds
        if offset is None:
            return ""
        if abs(offset) < 1:
            return _("less than 1 s apart")
        return (
            _("Marketo's clock is %(seconds)s s ahead of this machine's")
            if offset > 0
            else _("Marketo's clock is %(seconds)s s behind this machine's")
        ) % {"seconds": f"{abs(offset):.0f}"}


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.test_connection")
def connection_page(request: HttpRequest) -> HttpResponse:
    """Show the settings without the key, and how much of the limits is used; on "Test connection", ask Marketo."""
    return render_page(
        request,
        "marketo/connection.html",
        _("Connection"),
        facts=facts(),
        problems=_problems(),
        tested=_test_and_record() if request.method == "POST" else None,
        usage=RedisRateLimiter.from_settings(target()).read_usage(),
        circuits=selectors.latest_circuits(CIRCUITS),
        halted_now=standing_of(request).circuits,
        foreign_queues=queue_status.list_foreign_queues(),
        refused_work=list_refused_work(),
        wrong_clocks=list_wrong_host_clocks(),
        answers=list_answers(target()),
        confirmations=_confirmations(),
        moving=transport_label() if list_gaps(key_fields()) else "",
    )


def _confirmations() -> list[dict[str, object]]:
    """What may be allowed, and whether it is."""
    known = load_facts(target())
    return [{"what": each, "allowed": known.get(each.name) == "yes"} for each in list_confirmations()]


def _test_and_record() -> ConnectionTestResult:
    """Test the connection; who did so is kept also where the test itself ends in an error."""
    record_event(EventKind.CONNECTION_TESTED, words=target())
    return run_connection_test()


def run_connection_test() -> ConnectionTestResult:
    """Ask Marketo whether it answers and takes the credentials, and whether it knows the opportunity key field."""
    try:
        transport = open_transport()
    except MarketoError as error:
        return ConnectionTestResult(PingResult(ConnectionVerdict.NOT_CONFIGURED, error.message))
    with closing(transport):
        ping = transport.ping()
        return ConnectionTestResult(ping, _key_field(transport) if ping.verdict is ConnectionVerdict.OK else "")


def _key_field(transport: MarketoTransport) -> str:
    name = key_fields().opportunity
    if not name:
        return ""
    try:
        known = {field.name for field in transport.describe(Kind.OPPORTUNITY).fields}
    except MarketoError as error:
        return _("Whether opportunities have the field “%(name)s” could not be found out. %(message)s") % {
            "name": name,
            "message": translate_kept(error.message),
        }
    if name in known:
        return _("Opportunities have the field “%(name)s”, which holds our external ID.") % {"name": name}
    return _("Opportunities have no field “%(name)s”: check MARKETO_OPPORTUNITY_KEY_FIELD.") % {"name": name}


def _problems() -> list[checks.CheckMessage]:
    found = checks.run_checks(include_deployment_checks=True)
    return [message for message in found if (message.id or "").startswith("mobjects.")]
