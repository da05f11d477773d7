"""Bodies of webhooks: plain JSON, and the shapes that Slack and Microsoft Teams show as messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from mobjects.models import NoticeDelivery, WebhookShape
from mobjects.notices.wording import NoticeText

SLACK_HEADER, SLACK_TEXT = 150, 3000
"""Most characters of a header and of a text in Slack; of more it takes nothing."""


def build_body(delivery: NoticeDelivery, said: NoticeText) -> dict[str, Any]:
    """The body for a delivery's webhook, in the shape that was chosen for it."""
    shape = WebhookShape(delivery.webhook.shape) if delivery.webhook else WebhookShape.PLAIN
    return _SHAPES[shape](delivery, said)


def _build_plain(delivery: NoticeDelivery, said: NoticeText) -> dict[str, Any]:
    notice = delivery.notice
    return {
        "id": f"notice-{delivery.pk}",
        "type": f"notice.{notice.event}" if notice else "notice.test",
        "timestamp": delivery.created_at.isoformat(),
        "data": {
            "recovery": bool(notice and notice.is_recovery),
            "about": notice.about if notice else "",
            "title": said.title,
            "detail": said.detail,
            "advice": said.advice,
            "url": said.url,
            "facts": notice.facts if notice else {},
        },
    }


def _build_slack(delivery: NoticeDelivery, said: NoticeText) -> dict[str, Any]:
    text = "\n".join(part for part in (said.detail, said.advice) if part)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": said.title[:SLACK_HEADER]}},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": _("Open")}, "url": said.url}],
        },
    ]
    if text:
        blocks.insert(1, {"type": "section", "text": {"type": "plain_text", "text": text[:SLACK_TEXT]}})
    # What stands in notifications; there, as nowhere else, three marks have a meaning.
    plain = said.title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": plain, "blocks": blocks}


def _build_teams(delivery: NoticeDelivery, said: NoticeText) -> dict[str, Any]:
    parts = [{"type": "TextBlock", "text": part, "wrap": True} for part in (said.detail, said.advice) if part]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": said.title, "weight": "Bolder", "size": "Medium", "wrap": True},
            *parts,
        ],
        "actions": [{"type": "Action.OpenUrl", "title": _("Open"), "url": said.url}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


_SHAPES: Mapping[WebhookShape, Callable[[NoticeDelivery, NoticeText], dict[str, Any]]] = {
    WebhookShape.PLAIN: _build_plain,
    WebhookShape.SLACK: _build_slack,
    WebhookShape.TEAMS: _build_teams,
}
