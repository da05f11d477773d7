"""Pulling in a test, and the records it finds here."""

from __future__ import annotations

from mobjects.marketo.types import Kind
from mobjects.models import records_of_kind
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.sync.pull.task import PullSelection, PullTask
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.memory import finished


def pull(transport, kind=Kind.PROGRAM, keys=KeyFields(), **asked):  # noqa: B008  # frozen
    return finished(PullTask, memory.context(transport, PullSelection(kind, **asked).to_json(), keys=keys))


def in_step(record, **accepted):
    """As if Marketo had accepted all of the record, or these values of it."""
    now = load_records(record.KIND, [record.pk])[0]
    records_of_kind(record.KIND).filter(pk=record.pk).update(
        synced_revision=now.revision, accepted=accepted or record_content(now, KeyFields())
    )
    return fresh(record)


def known_program():
    """A program that stands here as :func:`tests.support.memory.program` gives it."""
    return factories.program(channel="Webinar", type="Marketing Event", workspace="Default")


def only(job):
    (row,) = job.results.all()
    return row


def diff(row):
    return {name: (old, new) for name, old, new in row.diff}
