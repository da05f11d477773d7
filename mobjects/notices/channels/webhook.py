"""Webhooks: a signed POST of JSON, which follows no redirect and reaches no private network that is not named."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import orjson
from django.utils import translation
from django.utils.translation import gettext_noop as _

from mobjects.accounts.secret_keeping import WEBHOOKS, SecretKeyChanged, seal, unseal
from mobjects.models import Notice, NoticeDelivery, NoticeWebhook
from mobjects.notices import notice_settings
from mobjects.notices.channels.base import Channel, PassingError, PermanentError
from mobjects.notices.channels.bodies import build_body
from mobjects.notices.channels.cut_off import WHOLE_SECONDS, CutOff
from mobjects.notices.wording import describe_delivery

SECONDS = 10
"""Longest time to connect, and to wait for each piece of the head of an answer."""
MOST_PORTS = 65_535
PASSING = (408, 425, 429)
"""Statuses below 500 that may pass."""


class WebhookChannel(Channel):
    """A request to each address that wants the event."""

    name = "webhook"

    def find_receivers(self, notice: Notice) -> list[NoticeDelivery]:
        wanted = [hook for hook in NoticeWebhook.objects.filter(enabled=True) if notice.event in hook.events]
        return [NoticeDelivery(notice=notice, channel=self.name, webhook=hook) for hook in wanted]

    def send(self, delivery: NoticeDelivery) -> str:
        hook = delivery.webhook
        if hook is None or not hook.enabled:
            raise PermanentError(_("The webhook is switched off."))
        try:
            url, secret = unseal(hook.sealed_url, WEBHOOKS), unseal(hook.sealed_secret, WEBHOOKS)
        except SecretKeyChanged:
            raise PermanentError(
                _("The webhook’s address cannot be read: the site’s secret key was changed. Enter it anew.")
            ) from None
        with translation.override(hook.language):
            body = orjson.dumps(build_body(delivery, describe_delivery(delivery)))
        name, now = f"notice-{delivery.pk}", str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Marketo-Admin",
            "webhook-id": name,
            "webhook-timestamp": now,
            "webhook-signature": sign(secret, name, now, body),
        }
        return _judge(*post(url, body, headers))


def sign(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """The signature as of Standard Webhooks: ``v1,`` and the HMAC-SHA256 of id, time and body in base64.

    Args:
        secret: begins with ``whsec_``; the rest is the key in base64.
        name: id of the delivery.
        timestamp: seconds since 1970.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def make_secret() -> str:
    """A new signing secret."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def seal_text(text: str) -> str:
    """An address or a secret of a webhook as it is kept."""
    return seal(text, WEBHOOKS)


def check_url(url: str) -> tuple[str, int]:
    """Host and port of an address that may be a webhook's.

    Raises:
        ValueError: it may not; says why and what would be right, without the address.
    """
    wrong = _("The address should be https://HOST/PATH, without a user name.")
    try:
        parts = httpx.URL(url)
        # As name servers and certificates have it: letters beyond ASCII are written in it.
        host, port = parts.raw_host.decode("ascii"), parts.port or (443 if parts.scheme == "https" else 80)
        readable = parts.host and host.encode("idna")  # A part of it may be empty, too long, or no name.
    except (ValueError, httpx.InvalidURL):
        raise ValueError(wrong) from None
    if (
        not readable
        or port > MOST_PORTS
        or parts.scheme not in ("https", "http")
        or parts.userinfo
        or any(c.isspace() for c in url)
    ):
        raise ValueError(wrong)
    if parts.scheme == "http" and not notice_settings.is_inner_host(host, port):
        raise ValueError(_("The address should begin with https://; NOTICES_INNER_HOSTS names hosts without TLS."))
    return host, port


def post(url: str, body: bytes, headers: dict[str, str], *, seconds: float = WHOLE_SECONDS) -> tuple[int, str]:
    """Send one request. Status, and what the header Retry-After says.

    It goes to the address of the host that was looked at, so that no other answer of the name servers comes between.
    By httpx's transport alone: its client would write the address, which may hold a token, into the log.

    Args:
        seconds: for the whole exchange, from the connection to the end of the head of the answer.

    Raises:
        PermanentError: the address may not be used.
        PassingError: nobody answered.
    """
    try:
        host, port = check_url(url)
    except ValueError as error:
        raise PermanentError(str(error)) from None
    place = _find_place(host, port)
    cut_off = CutOff(seconds)

    def follow(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            cut_off.watch(info["return_value"].get_extra_info("socket"))

    asked = httpx.Request(
        "POST",
        httpx.URL(url).copy_with(host=place),
        headers={**headers, "Host": httpx.URL(url).netloc.decode("ascii")},
        content=body,
        extensions={"timeout": httpx.Timeout(SECONDS).as_dict(), "sni_hostname": host, "trace": follow},
    )
    try:
        with cut_off, httpx.HTTPTransport() as transport:
            answer = transport.handle_request(asked)
            # The status says all; an answer may be long, or come in drops.
            answer.close()
    except httpx.TimeoutException:
        raise PassingError(_("No answer came within %(seconds)s s.") % {"seconds": SECONDS}) from None
    except httpx.HTTPError as error:
        if cut_off.is_over:
            raise PassingError(_("No answer came within %(seconds)s s.") % {"seconds": f"{seconds:g}"}) from None
        raise PassingError(_("The connection failed (%(error)s).") % {"error": type(error).__name__}) from None
    return answer.status_code, answer.headers.get("Retry-After", "")


def _find_place(host: str, port: int) -> str:
    """An IP address of a host that may be reached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise PassingError(_("The host’s name was not found.")) from None
    places = [str(each[4][0]).partition("%")[0] for each in found]
    if not notice_settings.is_inner_host(host, port):
        places = [place for place in places if ipaddress.ip_address(place).is_global]
    if not places:
        raise PermanentError(_("The host lies in a private network; NOTICES_INNER_HOSTS names those that may be used."))
    return places[0]


def _judge(status: int, retry_after: str) -> str:
    said = {"status": status}
    if 200 <= status < 300:
        return _("Answered with status %(status)s.") % said
    if 300 <= status < 400:
        raise PermanentError(_("Answered with a redirect (%(status)s), which is not followed.") % said)
    if status >= 500 or status in PASSING:
        wait = timedelta(seconds=int(retry_after)) if retry_after.isdecimal() and len(retry_after) < 7 else timedelta(0)
        raise PassingError(_("Answered with status %(status)s, which may pass.") % said, wait)
    raise PermanentError(_("Refused with status %(status)s.") % said)
