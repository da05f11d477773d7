"""Reading before writing: a change that somebody made in Marketo meanwhile is not overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Kind, MarketoId, RemoteObject
from mobjects.models import SyncJob, SyncResultStatus, records_of_kind
from mobjects.sync.conflicts.both_changed import find_open_conflicts, open_both_changed
from mobjects.sync.content.former_names import UNKNOWN_VALUE
from mobjects.sync.content.from_marketo import RemoteReader
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.merge import conflicting_fields
from mobjects.sync.content.payload import record_content
from mobjects.sync.job_results import build_result, save_results
from mobjects.sync.paging import query_by_id
from mobjects.sync.task import JobContext, read_from_marketo

CAUSE = _("Read before it is changed in Marketo.")
_HELD_AT_ONCE = 500


def preflight_read(context: JobContext, kind: Kind, ids: Sequence[int]) -> set[int]:
    """Read records that are about to be updated, and stop those that changed in Marketo too.

    One call reads as many records as it may name.

    Args:
        context: of the job.
        kind: of the records.
        ids: our own ids; records that have no id in Marketo yet are passed over.

    Returns:
        Our ids of the records that have an open conflict now.

    Raises:
        WaitRequired, MarketoError: as :func:`mobjects.sync.task.read_from_marketo`. Conflicts found so far are kept.
    """
    stopped = set(find_open_conflicts(kind, ids))
    column, most = context.keys.id_column(kind), context.keys.traits.named_to_a_query
    known = records_of_kind(kind).filter(pk__in=set(ids) - stopped, **{f"{column}__isnull": False}).order_by("pk")
    wanted = list(known.values_list("pk", column))
    for start in range(0, len(wanted), most):
        found = _read_together(context, kind, dict(wanted[start : start + most]))
        stopped |= {pk for pk, each in found.items() if _open_conflict_if_changed(context, pk, each)}
    return stopped


def _read_together(context: JobContext, kind: Kind, called: Mapping[int, MarketoId]) -> dict[int, RemoteObject]:
    """Read objects with one call, or one more for each further page.

    Args:
        called: our id to what Marketo calls it.

    Returns:
        By our id what was found.
    """
    ids = list(called.values())
    query = query_by_id(kind, ids[0])
    if len(ids) > 1:
        query = replace(query, id=None, ids=ids)
    found: dict[MarketoId, RemoteObject] = {}
    more, position = True, ""
    while more:
        find = partial(context.transport.find, query, position)
        _, page = read_from_marketo(context, kind, find, cause=CAUSE)
        found |= {each.marketo_id: each for each in page.found}
        more, position = page.more, page.position
    return {pk: found[marketo_id] for pk, marketo_id in called.items() if marketo_id in found}


@retry_on_database_error
def _open_conflict_if_changed(context: JobContext, pk: int, found: RemoteObject) -> bool:
    with transaction.atomic():
        held = records_of_kind(found.kind).select_for_update(of=("self",)).filter(pk=pk)
        if not held.values_list("pk"):
            return False
        (record,) = load_records(found.kind, [pk])
        held.update(read_at=clock.now())
        here = record_content(record, context.keys)
        there = (
            RemoteReader(found.kind, [found], context.keys).read_content(found, record).comparable_with(record.accepted)
        )
        accepted = context.keys.accepted_of(record)
        names = conflicting_fields(accepted, here, there)
        # After a lost answer nobody knows what Marketo last accepted, so nobody can say that it changed.
        if not [name for name in names if accepted.get(name) != UNKNOWN_VALUE]:
            return False
        open_both_changed(context.job, record, found, base=record.accepted, here=here, there=there)
        return True


@retry_on_database_error
def hold_unread(job: SyncJob, kind: Kind, pks: Sequence[int], error: MarketoError) -> None:
    """Send nothing of records that were to be read first and that Marketo does not let us read.

    Args:
        job: that asked for the reading.
        kind: of the records.
        pks: our ids.
        error: what Marketo said.
    """
    said = _("It was to be read in Marketo before it is changed, and that was denied: %(message)s") % {
        "message": error.message
    }
    with transaction.atomic():
        for start in range(0, len(pks), _HELD_AT_ONCE):
            records = load_records(kind, pks[start : start + _HELD_AT_ONCE])
            save_results(job, [build_result(job, each, SyncResultStatus.HELD, error=said) for each in records])
