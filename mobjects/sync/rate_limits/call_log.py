"""What the database knows of the calls that were begun: the memory of the limits when Redis has lost its own.

Every call leaves a batch with ``sent_at`` before it is made, reading calls included. Where one batch takes several
calls, the further ones are known once it is answered.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from mobjects import clock
from mobjects.models import SyncBatch, SyncBatchState


def count_calls_since(endpoint: str, moment: datetime) -> int:
    """How many calls were begun since a moment, those included that were made before another one for its batch."""
    batches, earlier = Count("pk", distinct=True), Count("earlier_calls", distinct=True)
    return int(_since(endpoint, moment).aggregate(calls=batches + earlier)["calls"])


def was_called_within(endpoint: str, span: timedelta) -> bool:
    """Whether a call was begun so short a time ago."""
    return _since(endpoint, clock.now() - span).exists()


def list_running_calls(endpoint: str, longest: timedelta) -> list[timedelta]:
    """For each call that may still be running: how long it can go on. The longest first.

    Args:
        longest: how long a call can run.
    """
    now = clock.now()
    unanswered = Q(state=SyncBatchState.SENDING) | Q(state=SyncBatchState.UNKNOWN, http_status=None)
    began = _since(endpoint, now - longest).filter(unanswered).order_by("-sent_at").values_list("sent_at", flat=True)
    return [at + longest - now for at in began if at is not None]


def _since(endpoint: str, moment: datetime) -> QuerySet[SyncBatch]:
    # A job that does not say where it sends counts too: one call too many is worse than one too few.
    return SyncBatch.objects.filter(sent_at__gte=moment, job__endpoint__in=(endpoint, ""))
