"""Reading before writing: a change that somebody made in Marketo meanwhile is not overwritten unseen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from mobjects.db.retry import insisting
from mobjects.marketo.types import Found, Kind
from mobjects.models import records
from mobjects.sync.conflicts.both_changed import open_both_changed, undecided
from mobjects.sync.content.from_marketo import Reader
from mobjects.sync.content.loading import loaded
from mobjects.sync.content.merge import in_conflict
from mobjects.sync.content.payload import NOT_KNOWN, content
from mobjects.sync.paging import by_id
from mobjects.sync.task import Context, read

CAUSE = "Read before it is changed in Marketo."


def guard(context: Context, kind: Kind, ids: Sequence[int]) -> set[int]:
    """Read records that are about to be updated, one call each, and stop those that changed in Marketo too.

    Args:
        context: of the job.
        kind: of the records.
        ids: our own ids; records without a Marketo ID are passed over.

    Returns:
        Our ids of the records that have an open conflict now.

    Raises:
        Wait, MarketoError: as :func:`mobjects.sync.task.read`. Conflicts found so far are kept.
    """
    stopped = set(undecided(kind, ids))
    known = records(kind).filter(pk__in=ids, marketo_id__isnull=False).order_by("pk")
    for pk, marketo_id in list(known.values_list("pk", "marketo_id")):
        if pk not in stopped:
            find = partial(context.transport.find, by_id(kind, marketo_id))
            _, page = read(context, kind, find, cause=CAUSE)
            if page.found and _judge(context, pk, page.found[0]):
                stopped.add(pk)
    return stopped


@insisting
def _judge(context: Context, pk: int, found: Found) -> bool:
    with transaction.atomic():
        held = records(found.kind).select_for_update(of=("self",)).filter(pk=pk)
        if not held.values_list("pk"):
            return False
        (record,) = loaded(found.kind, [pk])
        held.update(read_at=timezone.now())
        here = content(record, context.keys)
        there = Reader(found.kind, [found], context.keys).seen(found, record).beside(record.accepted)
        names = in_conflict(record.accepted, here, there)
        # After a lost answer nobody knows what Marketo last accepted, so nobody can say that it changed.
        if not [name for name in names if record.accepted.get(name) != NOT_KNOWN]:
            return False
        open_both_changed(context.job, record, found, base=record.accepted, here=here, there=there)
        return True
