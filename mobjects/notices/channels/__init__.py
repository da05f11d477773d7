"""The channels, each one file: what they share is in :mod:`mobjects.notices.channels.base`."""

from __future__ import annotations

from collections.abc import Mapping

from mobjects.notices.channels.base import Channel
from mobjects.notices.channels.email import EmailChannel
from mobjects.notices.channels.inbox import InboxChannel
from mobjects.notices.channels.webhook import WebhookChannel

CHANNELS: Mapping[str, Channel] = {
    channel.name: channel for channel in (InboxChannel(), EmailChannel(), WebhookChannel())
}
"""By name."""
