"""A database that was restored or copied: it takes a new identity, halts sending, and doubts what it has still to send.

Whatever was sent after the backup was made, the database takes for not sent yet. Sent again, a record without a key
would be there twice. So each record that could be doubled counts as sent without an answer: it is looked up in Marketo
before it is sent, as after a lost answer (:mod:`mobjects.sync.send.unknown_outcomes`).
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils.translation import gettext_noop as _
from redis.exceptions import RedisError

from mobjects import clock
from mobjects.formatting import format_moment
from mobjects.jobs.recovery import expire_jobs
from mobjects.marketo.types import Kind
from mobjects.models import (
    RECORD_MODELS,
    Circuit,
    Installation,
    ProgramCost,
    RecordStatus,
    SyncBatch,
    SyncBatchState,
    records_of_kind,
)
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.installation import marks
from mobjects.sync.installation.doubt import DOUBTED, find_doubt, last_call
from mobjects.sync.installation.identity import get_installation, new_identity, read_place
from mobjects.sync.task import close_batch
from mobjects.sync.transport_factory import key_fields

_NOTHING = _("Nothing that it still has to send could be there twice.")

logger = logging.getLogger(__name__)


def check_installation() -> None:
    """Give a sign of life, and halt sending if the database was restored or copied. Safe at any time, from anywhere."""
    installation = get_installation()
    try:
        if find_doubt(installation):
            _halt()
            installation = get_installation()
        kept = installation.is_marked or marks.raise_mark(installation.identity, last_call())
    except RedisError as error:
        logger.warning("Whether this database was restored could not be found out: %s", type(error).__name__)
        return
    Installation.objects.filter(pk=installation.pk).update(seen_at=clock.now(), is_marked=kept)


def _halt() -> None:
    with transaction.atomic():
        installation = Installation.objects.select_for_update().get()
        doubt = find_doubt(installation)
        if not doubt:
            return  # Another process has seen to it.
        since = _last_sign_of_life(installation)
        identity = new_identity()
        logger.error("%s Sending is halted.", doubt)
        _let_waiting_batches_go()
        counts = {kind: _doubt_records(kind, since) for kind in RECORD_MODELS}
        _open_circuit(f"{doubt} {_describe_gap(since, counts)}")
        values = {"identity": identity, "place": read_place(), "is_marked": True}
        Installation.objects.filter(pk=installation.pk).update(**values)
        if not marks.raise_mark(identity, last_call()):
            raise RedisError(_("The new identity could not be written down."))
    # Whoever was at work when the backup was made is not any more.
    expire_jobs(Q())


def _last_sign_of_life(installation: Installation) -> datetime:
    """The latest moment of which the database certainly knew: not when a job was asked for, which may be since."""
    called: datetime | None = SyncBatch.objects.aggregate(at=Max("sent_at"))["at"]
    return installation.seen_at if called is None else max(installation.seen_at, called)


def _let_waiting_batches_go() -> None:
    for batch in SyncBatch.objects.filter(state=SyncBatchState.WAITING):
        records_of_kind(Kind(batch.kind)).filter(claimed_by=batch).update(claimed_by=None)
        batch.fault_text = DOUBTED
        close_batch(batch, SyncBatchState.NOT_SENT, None)


def _doubt_records(kind: Kind, since: datetime) -> int:
    """Take the records of a kind that sending could double for sent without an answer. How many there are."""
    changed = _could_double(kind).exclude(last_status=RecordStatus.UNKNOWN)
    sending = Q(claimed_by__state=SyncBatchState.SENDING)  # Its own moment is known.
    return changed.exclude(sending).update(last_status=RecordStatus.UNKNOWN, last_error=DOUBTED, unknown_since=since)


def _could_double(kind: Kind) -> SyncedQuerySet:
    if kind is Kind.PROGRAM:
        new_costs = ProgramCost.objects.filter(program=OuterRef("pk"), marketo_cost_id=None)
        return records_of_kind(kind).dirty().filter(Exists(new_costs))
    return records_of_kind(kind).dirty().filter(**{key_fields().id_column(kind): None})


def _describe_gap(since: datetime, counts: dict[Kind, int]) -> str:
    doubted = ", ".join(f"{count:,} {RECORD_MODELS[kind]._meta.verbose_name_plural}" for kind, count in counts.items())
    ahead = (
        _("Of what it has still to send this may be in Marketo already, and is looked up there before: %(doubted)s.")
        % {"doubted": doubted}
        if any(counts.values())
        else _NOTHING
    )
    return _(
        "The last sign of life in it is of %(time)s. What was sent and changed since, here "
        "and in Marketo, it does not know. %(ahead)s"
    ) % {"time": format_moment(since), "ahead": ahead}


def _open_circuit(reason: str) -> None:
    halted = Circuit.objects.filter(reset_at=None, kind="").first()
    if halted is not None:
        reason = _("%(reason)s Before that: %(earlier)s") % {"reason": reason, "earlier": halted.reason}
    Circuit.objects.update_or_create(
        reset_at=None, kind="", defaults={"code": Circuit.RESTORED, "reason": reason, "opened_at": clock.now()}
    )
