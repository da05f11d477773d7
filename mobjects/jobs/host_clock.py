"""Whether this host's clock may be trusted: one that is off by too much sends nothing, and the pages say so."""

from __future__ import annotations

import logging
import socket
from datetime import timedelta

from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.formatting import format_span
from mobjects.models import HostClock

FORGOTTEN_AFTER = timedelta(minutes=10)
"""A host that was not measured again for so long is not spoken of any more: it runs no worker now."""

logger = logging.getLogger(__name__)


class HostClockOff(Exception):
    """This host's clock is too far from the database's; nothing was sent. Says so as a sentence."""


def check_host_clock() -> None:
    """Measure this host's clock and write down what is wrong with it.

    Raises:
        HostClockOff: it is off by more than :data:`mobjects.clock.MARGIN`.
    """
    offset, host = clock.host_offset(), socket.gethostname()[:255]
    if abs(offset) <= clock.MARGIN:
        HostClock.objects.filter(host=host).delete()
        return
    values = {"offset_seconds": offset.total_seconds(), "measured_at": clock.now()}
    found, _ = HostClock.objects.update_or_create(host=host, defaults=values)
    logger.error("%s", describe_host_clock(found))
    raise HostClockOff(describe_host_clock(found))


def list_wrong_host_clocks() -> list[str]:
    """What is wrong with the clocks of hosts that run workers, a sentence for each."""
    wrong = list(HostClock.objects.all())
    oldest = clock.now() - FORGOTTEN_AFTER if wrong else None  # Hardly ever any: then nobody is asked for the time.
    return [describe_host_clock(found) for found in wrong if oldest is None or found.measured_at >= oldest]


def describe_host_clock(found: HostClock) -> str:
    """What is wrong with a host's clock, and what follows, as sentences."""
    side = _("ahead of") if found.offset_seconds > 0 else "behind"
    return _(
        "The clock of the host %(host)s is %(span)s %(side)s the database's. Nothing is sent "
        "from there until it is within %(seconds)s s: set its clock right."
    ) % {
        "host": found.host,
        "span": format_span(abs(found.offset_seconds)),
        "side": side,
        "seconds": f"{clock.MARGIN.total_seconds():.0f}",
    }
