"""System checks of the Marketo settings: what is missing or unsafe, in words, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from mobjects.accounts.group_names import list_unknown_groups
from mobjects.marketo.registry import TRANSPORTS

HSTS_YEAR = 365 * 24 * 3600
HSTS_SHORTEST = 24 * 3600
"""Seconds; less is for trying out."""


@register()
def check_marketo(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check ``settings.MARKETO``. What is merely missing is a warning, so that the admin still starts."""
    return [*_transport(), *_timeout()]


@register()
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check ``settings.DATABASES``: what would mix the transactions of two processes is an error."""
    pooled = [name for name, values in settings.DATABASES.items() if values.get("OPTIONS", {}).get("pool")]
    return [
        Error(
            f"The database “{name}” uses Django's own connection pool.",
            hint="Take “pool” out of its options (DATABASE_URL): the worker forks, and two processes would share a "
            "connection, so that a job could commit what another one left undone when it was killed. "
            "PgBouncer may pool instead, see docs/operations.md.",
            id="mobjects.E005",
        )
        for name in pooled
    ]


@register(Tags.security, deploy=True)
def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check what browsers are told about https: what they would not heed, or forget at once."""
    return [*_hsts_time(), *_hsts_preload()]


def _hsts_time() -> Iterator[CheckMessage]:
    seconds = settings.SECURE_HSTS_SECONDS
    if 0 < seconds < HSTS_SHORTEST:
        yield Warning(
            f"DJANGO_HSTS_SECONDS is {seconds}: browsers forget that soon that the site is reached by https alone.",
            hint=f"Once https has worked for a while, set it to {HSTS_YEAR} (a year), or leave it out.",
            id="mobjects.W003",
        )


def _hsts_preload() -> Iterator[CheckMessage]:
    if not settings.SECURE_HSTS_PRELOAD:
        return
    missing = [
        words
        for words, holds in (
            ("DJANGO_HTTPS=true", settings.SECURE_SSL_REDIRECT),
            ("DJANGO_HSTS_SUBDOMAINS=true", settings.SECURE_HSTS_INCLUDE_SUBDOMAINS),
            (f"DJANGO_HSTS_SECONDS of {HSTS_YEAR} (a year) or more", settings.SECURE_HSTS_SECONDS >= HSTS_YEAR),
        )
        if not holds
    ]
    if missing:
        yield Error(
            "DJANGO_HSTS_PRELOAD is set, and browsers take no such site into their list.",
            hint=f"Set {' and '.join(missing)}, or take DJANGO_HSTS_PRELOAD out.",
            id="mobjects.E006",
        )


@register(Tags.database)
def check_group_names(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the groups of the settings are there, where the database may be asked (``check --database default``).

    A database that does not answer or has no tables yet says nothing: others see to that.
    """
    if not databases:
        return []
    try:
        found = list_unknown_groups()
    except DatabaseError:
        return []
    return [Warning(each.says, hint=each.advice, id="mobjects.W004") for each in found]


def _transport() -> Iterator[CheckMessage]:
    name = settings.MARKETO["TRANSPORT"]
    if name not in TRANSPORTS:
        yield Error(
            f"MARKETO_TRANSPORT is “{name}”, which is no known way to talk to Marketo.",
            hint=f"Set it to one of: {', '.join(TRANSPORTS)}.",
            id="mobjects.E001",
        )
        return
    for found in TRANSPORTS[name].problems(settings.MARKETO, debug=settings.DEBUG):
        yield (Error if found.serious else Warning)(found.message, hint=found.hint, id=found.id)


def _timeout() -> Iterator[CheckMessage]:
    seconds = settings.MARKETO["TIMEOUT_SECONDS"]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= 600:
        yield Error(
            f"MARKETO_TIMEOUT_SECONDS is {seconds!r}.",
            hint="Set it to a number of seconds from 1 to 600.",
            id="mobjects.E004",
        )
