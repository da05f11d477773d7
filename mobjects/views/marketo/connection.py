"""The connection page: where records go, and whether that works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects import clock, selectors
from mobjects.audit.events import record_event
from mobjects.instance_facts import list_answers, load_facts
from mobjects.jobs.host_clock import list_wrong_host_clocks
from mobjects.marketo.transport import ConnectionVerdict
from mobjects.models import EventKind
from mobjects.presentation.navigation import standing_of
from mobjects.processes import status as queue_status
from mobjects.processes.connection_test import (
    LONGEST_SECONDS,
    SILENT_SECONDS,
    ConnectionTest,
    TestStart,
    find_connection_test,
    request_connection_test,
)
from mobjects.processes.refused_work import list_refused_work
from mobjects.sync.content.gaps import list_gaps
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import (
    facts,
    key_fields,
    list_confirmations,
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
class TestOnPage:
    """A test of the connection as the page shows it. ``worker_alive`` is ``None`` where Redis cannot be asked."""

    __test__ = False  # for pytest

    test: ConnectionTest
    state: str
    worker_alive: bool | None = True

    @property
    def is_under_way(self) -> bool:
        """Whether the page asks again by itself."""
        return self.state in ("waiting", "running")

    @property
    def asked_at(self) -> datetime:
        """When it was asked for."""
        return datetime.fromisoformat(self.test.asked_at)

    @property
    def ended_at(self) -> datetime:
        """When it had its answer."""
        return datetime.fromisoformat(self.test.ended_at)

    @property
    def tone(self) -> str:
        """The colour of the verdict."""
        return TONES.get(ConnectionVerdict(self.test.verdict), "danger")

    @property
    def clock(self) -> str:
        """The difference between the two clocks, in words; "" if it is not known."""
        offset = self.test.clock_offset_seconds
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
    """Show the settings without the key, how much of the limits is used, and the newest test; on "Test connection",
    have a worker ask Marketo.
    """
    if request.method == "POST":
        to = "#connection-test" if _request_test(request) else ""
        return redirect(reverse("mobjects:connection") + to)
    return render_page(
        request,
        "marketo/connection.html",
        _("Connection"),
        facts=facts(),
        problems=_problems(),
        tested=_find_test(),
        longest=LONGEST_SECONDS // 60,
        silent=SILENT_SECONDS,
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


def _request_test(request: HttpRequest) -> bool:
    """Ask for a test, and say why it is not begun. Who asked is kept also where nothing comes of it."""
    record_event(EventKind.CONNECTION_TESTED, words=target())
    started = request_connection_test(request.user.get_username())
    if started is TestStart.UNDER_WAY:
        messages.info(request, _("A test is under way already; its answer will stand here."))
    elif started is TestStart.NO_QUEUE:
        messages.error(
            request,
            _("The test was not made: the queue (Redis) does not take it. manage.py test_connection asks without it."),
        )
    return started is TestStart.STARTED


def _find_test() -> TestOnPage | None:
    test = find_connection_test()
    if test is None:
        return None
    if test.ended_at:
        return TestOnPage(test, "done")
    if not test.is_under_way(clock.now()):
        return TestOnPage(test, "lost")
    return TestOnPage(test, "running" if test.began_at else "waiting", queue_status.worker_alive())


def _confirmations() -> list[dict[str, object]]:
    """What may be allowed, and whether it is."""
    known = load_facts(target())
    return [{"what": each, "allowed": known.get(each.name) == "yes"} for each in list_confirmations()]


def _problems() -> list[checks.CheckMessage]:
    found = checks.run_checks(include_deployment_checks=True)
    return [message for message in found if (message.id or "").startswith("mobjects.")]
