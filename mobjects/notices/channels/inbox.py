"""The inbox of the site itself: what is delivered there has arrived when it is written."""

from __future__ import annotations

from mobjects.models import DeliveryState, Notice, NoticeDelivery
from mobjects.notices.channels.base import Channel
from mobjects.notices.choices import list_readers


class InboxChannel(Channel):
    """A row for each reader."""

    name = "inbox"

    def find_receivers(self, notice: Notice) -> list[NoticeDelivery]:
        return [
            NoticeDelivery(
                notice=notice,
                channel=self.name,
                user=user,
                state=DeliveryState.SENT,
                created_at=notice.created_at,
                sent_at=notice.created_at,
            )
            for user in list_readers(notice, self.name)
        ]

    def send(self, delivery: NoticeDelivery) -> str:
        return ""
