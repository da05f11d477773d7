"""The one function that makes a notice, with its deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from mobjects.models import DeliveryState, Notice, NoticeDelivery, NoticeEvent
from mobjects.notices.channels import CHANNELS
from mobjects.notices.deliveries import NOTICE_WORK


def make_notice(event: NoticeEvent, about: str, facts: Mapping[str, Any], *, is_recovery: bool = False) -> Notice:
    """Write a notice down, and have it delivered to all who want it, in the transaction that goes on.

    Args:
        event: what happened.
        about: what it is about, as ``job:ID``.
        facts: what its words are made from (:mod:`mobjects.notices.wording`); JSON.
        is_recovery: that it is over.
    """
    with transaction.atomic():
        notice = Notice.objects.create(event=event, about=about, facts=dict(facts), is_recovery=is_recovery)
        wanted = [delivery for channel in CHANNELS.values() for delivery in channel.find_receivers(notice)]
        for delivery in NoticeDelivery.objects.bulk_create(wanted):
            if delivery.state == DeliveryState.WAITING:
                NOTICE_WORK.enqueue_after_commit(delivery.pk)
    return notice
