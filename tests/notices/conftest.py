from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mobjects.models import NoticeEvent, NoticeWebhook
from mobjects.notices.channels.webhook import make_secret, seal_text
from tests.support.receivers import MailReceiver, WebhookReceiver, mail_server


@pytest.fixture
def receiver(settings) -> Iterator[WebhookReceiver]:
    """Where webhooks arrive; the site may reach it."""
    with WebhookReceiver() as made:
        settings.NOTICES = {**settings.NOTICES, "INNER_HOSTS": [made.host]}
        yield made


@pytest.fixture
def mail(settings) -> Iterator[MailReceiver]:
    with mail_server(settings) as made:
        yield made


@pytest.fixture
def hook(receiver, db) -> Callable[..., tuple[NoticeWebhook, str]]:
    """Make a webhook that leads to the receiver; it and its secret."""

    def make(**values: object) -> tuple[NoticeWebhook, str]:
        secret = make_secret()
        given = {"name": "Chat", "host": "127.0.0.1", "events": NoticeEvent.values, **values}
        sealed = {"sealed_url": seal_text(receiver.url), "sealed_secret": seal_text(secret)}
        return NoticeWebhook.objects.create(**sealed, **given), secret

    return make
