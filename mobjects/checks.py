"""System checks of the Marketo settings: what is missing or unsafe, in words, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from mobjects.marketo.registry import TRANSPORTS


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
