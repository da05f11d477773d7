"""What ``settings.MARKETO`` says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

from mobjects.marketo.registry import TRANSPORTS


def marketo() -> dict[str, Any]:
    """Everything that the settings say about Marketo."""
    config: dict[str, Any] = settings.MARKETO
    return config


def opportunity_key_field() -> str:
    """The field of opportunities in Marketo that is set to hold our external ID; "" if none is."""
    return str(marketo()["OPPORTUNITY_KEY_FIELD"])


def installation_file() -> str:
    """Where this host writes down how far the installation has come; "" for nowhere."""
    return str(settings.INSTALLATION_FILE)


def longest_call_seconds() -> float:
    """How long one call may wait for its answer."""
    entry = TRANSPORTS.get(marketo()["TRANSPORT"])
    return max(float(marketo()["TIMEOUT_SECONDS"]), entry.answer_seconds if entry else 0)


def max_tries() -> int:
    """How many times in a row a call may fail before its job is stopped."""
    return int(marketo()["TRIES"])


def unknown_outcome_delay() -> timedelta:
    """How long after a call without an answer Marketo may still be carrying it out."""
    return timedelta(seconds=marketo()["LOOK_UP_SECONDS"])


def workers_per_job() -> int:
    """How many processes may work on one job: as many as calls may run at once."""
    return int(marketo()["CALLS_AT_ONCE"])
