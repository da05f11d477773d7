"""Records that changed on both sides."""

from __future__ import annotations

from django.db.models import F

from mobjects.marketo.types import Kind, RemoteObject
from mobjects.models import Conflict, Opportunity, SyncJob
from mobjects.sync.conflicts.both_changed import open_both_changed
from mobjects.sync.content.payload import KeyFields, record_content
from tests import factories
from tests.views import pages


def disputed(number: int, job: SyncJob, *, here: str = "Open", there: str = "Won", **fields: str) -> Conflict:
    """An opportunity whose stage changed on both sides; a further field, too, if it is given."""
    record = factories.opportunity(name=f"Deal {number}", marketo_id=number, stage=here, **fields)
    base = {"Name": record.name, "Stage": "New"}
    remote = {"Name": record.name, "Stage": there} | ({"NextStep": "Meet"} if fields else {})
    base |= {"NextStep": "Wait"} if fields else {}
    Opportunity.objects.filter(pk=record.pk).update(accepted=base, synced_revision=F("revision") - 1)
    record.refresh_from_db()
    found = RemoteObject(Kind.OPPORTUNITY, number, remote)
    return open_both_changed(job, record, found, base=base, here=record_content(record, KeyFields()), there=remote)


def disputes(count: int, **values: str) -> list[Conflict]:
    """So many of them, of one job."""
    job = pages.job()
    return [disputed(number, job, **values) for number in range(1, count + 1)]
