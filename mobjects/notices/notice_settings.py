"""What an installation chose about notices: ``settings.NOTICES`` and e-mail, read here only."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings


def absolute_url(path: str) -> str:
    """A page's address as another program sees it.

    Args:
        path: begins with "/".
    """
    return f"{settings.NOTICES['SITE_ADDRESS']}{path}"


def failed_percent() -> int:
    """From this share of failed records on, in percent, a job is spoken of."""
    return int(settings.NOTICES["FAILED_PERCENT"])


def quota_percent() -> int:
    """From this share of today's calls on, in percent, it is said that they end."""
    return int(settings.NOTICES["QUOTA_PERCENT"])


def schedule_grace() -> timedelta:
    """So long after its time a run counts as not done."""
    return timedelta(hours=settings.NOTICES["SCHEDULE_HOURS"])


def import_grace() -> timedelta:
    """So long an import may wait for a person."""
    return timedelta(hours=settings.NOTICES["IMPORT_HOURS"])


def long_work() -> timedelta:
    """Work that takes so long has ended by itself: whoever started it does not wait for it."""
    return timedelta(minutes=settings.NOTICES["LONG_WORK_MINUTES"])


def process_grace() -> timedelta:
    """So long a worker, a clock or Redis may be away: while a host is brought to a new version, say."""
    return timedelta(minutes=settings.NOTICES["PROCESS_MINUTES"])


def is_inner_host(host: str, port: int) -> bool:
    """Whether webhooks may reach a host in a private network, and without TLS."""
    return not {host, f"{host}:{port}"}.isdisjoint(settings.NOTICES["INNER_HOSTS"])


def has_email() -> bool:
    """Whether the site can send e-mail at all."""
    return bool(settings.EMAIL_HOST)


def languages() -> list[tuple[str, str]]:
    """The languages that there are, as (code, name)."""
    return list(settings.LANGUAGES)
