"""Bringing notices to where they are to go: each try by one process, those that may help again later, the rest not."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.jobs.queue import BackgroundWork, enqueue_work
from mobjects.models import DeliveryState, NoticeDelivery
from mobjects.notices.channels import CHANNELS
from mobjects.notices.channels.base import PassingError, PermanentError

RUNNER = f"{__name__}.run_delivery"
PREFIX = "notice"
LEASE = timedelta(seconds=120)
"""For so long a try belongs to the process that began it; one that was killed is repeated after that."""
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 1800, 3600, 10_800, 21_600))
"""Before the second try, the third, and so on; then it has failed for good."""
LONGEST_WAIT = timedelta(hours=6)
AT_ONCE = 5
"""So many are delivered in one go by a process that has other duties."""
BROKEN_OFF = _("Each try was broken off: the process that made it was killed, or has a fault.")

logger = logging.getLogger(__name__)


def due_deliveries() -> QuerySet[NoticeDelivery]:
    """Those that are to be tried now and that nobody is at."""
    now = clock.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return NoticeDelivery.objects.filter(free, state=DeliveryState.WAITING, due_at__lte=now)


NOTICE_WORK = BackgroundWork(RUNNER, PREFIX, due_deliveries)


def run_delivery(pk: int) -> None:
    """Try once to deliver, if it is due and nobody else is at it. Safe to call at any time, by any number."""
    delivery = _claim(pk)
    if delivery is None:
        return
    if delivery.tries > len(WAITS) + 1:
        _end(delivery, DeliveryState.FAILED, BROKEN_OFF)
        return
    try:
        said = CHANNELS[delivery.channel].send(delivery)
    except PermanentError as error:
        _end(delivery, DeliveryState.FAILED, error.said)
    except PassingError as error:
        _try_later(delivery, error)
    else:
        _end(delivery, DeliveryState.SENT, said)


def deliver_due() -> None:
    """Deliver some of what is due in this process: where no worker is there to do it."""
    for pk in list(due_deliveries().order_by("due_at").values_list("pk", flat=True)[:AT_ONCE]):
        run_delivery(pk)


def send_again(pk: int) -> bool:
    """Have a delivery that has ended tried anew; ``False`` if it has not ended."""
    ended = NoticeDelivery.objects.filter(pk=pk).exclude(channel="inbox").exclude(state=DeliveryState.WAITING)
    fresh = {"state": DeliveryState.WAITING, "tries": 0, "due_at": clock.now(), "leased_until": None, "sent_at": None}
    changed = bool(ended.update(**fresh))
    if changed:
        NOTICE_WORK.enqueue_after_commit(pk)
    return changed


def _claim(pk: int) -> NoticeDelivery | None:
    """The delivery, ours for the time of the lease; ``None`` if it is another's, not due, or over."""
    now = clock.now()
    mine = due_deliveries().filter(pk=pk)
    if not mine.update(leased_until=now + LEASE, step_at=now, tries=F("tries") + 1):
        return None
    return NoticeDelivery.objects.select_related("notice", "webhook", "user__person_settings").get(pk=pk)


def _end(delivery: NoticeDelivery, state: DeliveryState, said: str) -> None:
    sent = clock.now() if state == DeliveryState.SENT else None
    ended = {"state": state, "said": said, "leased_until": None, "sent_at": sent}
    _ours(delivery).update(**ended)
    if state == DeliveryState.FAILED:
        logger.warning("Notice delivery %s failed for good: %s", delivery.pk, said)


def _try_later(delivery: NoticeDelivery, error: PassingError) -> None:
    if delivery.tries > len(WAITS):
        _end(delivery, DeliveryState.FAILED, error.said)
        return
    wait = max(WAITS[delivery.tries - 1], min(error.wait, LONGEST_WAIT))
    due = clock.now() + wait
    _ours(delivery).update(due_at=due, said=error.said, leased_until=None)
    enqueue_work(RUNNER, delivery.pk, f"{PREFIX}-{delivery.pk}-", due)


def _ours(delivery: NoticeDelivery) -> QuerySet[NoticeDelivery]:
    """Its row, while nobody has begun another try."""
    return NoticeDelivery.objects.filter(pk=delivery.pk, tries=delivery.tries, leased_until=delivery.leased_until)
