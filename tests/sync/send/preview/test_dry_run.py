"""A dry run keeps what would be sent; what changed since is not sent with it."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import create_job, create_sync_job
from mobjects.jobs.runner import run_job
from mobjects.marketo.types import Kind, Operation
from mobjects.models import Circuit, Opportunity, SyncBatch, SyncJob, SyncJobAction, SyncJobState, SyncResult
from mobjects.sync.content.payload import Payload, build_payload
from mobjects.sync.send.preview.planned import hold_unplanned
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories
from tests.support.rewriting import rewrite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings")]


def dry_run(*kinds: Kind) -> SyncJob:
    selection = SyncSelection(kinds or tuple(Kind))
    job = create_job(SyncJobAction.DRY_RUN, selection.kind_of_job, selection.to_json())
    run_job(job)
    job.refresh_from_db()
    return job


def send_exactly(job: SyncJob) -> SyncJob:
    sending = create_sync_job(SyncSelection(SyncSelection.from_json(job.selection).kinds, of_dry_run=str(job.pk)))
    run_job(sending)
    sending.refresh_from_db()
    return sending


def test_a_dry_run_keeps_batches_values_and_reasons_and_sends_nothing(sandbox):
    program = factories.program(channel="Webinar", accepted={"Channel": "Email"}, synced_revision=0)
    new, changed = factories.opportunity(name="New"), factories.opportunity(name="Old")
    factories.sync(changed)
    calls = len(sandbox.calls)
    Opportunity.objects.filter(pk=changed.pk).update(name="Changed")
    factories.role(new)
    lonely = factories.role(changed, person_key="P-1", role="Buyer")
    Circuit.objects.create(code="x", reason="Sending is halted.")

    job = dry_run()

    assert (job.state, job.counts) == (SyncJobState.PROBLEMS, {"PLANNED": 4, "HELD": 1})
    batches = SyncBatch.objects.filter(job=job).order_by("sequence")
    assert [(each.kind, each.operation, each.size, each.sent_at, each.state) for each in batches] == [
        ("Program", "UPDATE", 1, None, "planned"),
        ("Opportunity", "UPDATE", 1, None, "planned"),
        ("Opportunity", "INSERT", 1, None, "planned"),
        ("OpportunityPersonRole", "INSERT", 1, None, "planned"),
    ]
    assert "<value>Changed</value>" in batches[1].request
    assert "test-encryption-key" not in batches[1].request
    by_record = {(row.kind, row.record_id): row for row in job.results.all()}
    assert by_record["Opportunity", changed.pk].diff == [["Name", "Old", "Changed"]]
    assert by_record["Program", program.pk].sent == {"Channel": "Webinar"}
    assert by_record["OpportunityPersonRole", lonely.pk].error.startswith("Its person is given by key")
    assert not Opportunity.objects.exclude(claimed_by=None).exists()
    assert len(sandbox.calls) == calls


def test_sending_exactly_this_holds_back_what_changed_and_says_which():
    same, edited, sent = (factories.opportunity(name=name) for name in ("Same", "Edited", "Sent"))
    job = dry_run(Kind.OPPORTUNITY)
    Opportunity.objects.filter(pk=edited.pk).update(name="Edited since")
    factories.sync(sent)
    later = factories.opportunity(name="Came later")

    sending = send_exactly(job)

    found = {row.record_id: (row.status, row.error) for row in sending.results.all()}
    assert found[same.pk] == ("CREATED", "")
    assert found[edited.pk] == ("HELD", "It changed since the dry run; look at what it would send now.")
    assert found[sent.pk] == ("HELD", "Marketo accepted it since the dry run; nothing of it is left to send.")
    assert later.pk not in found
    assert factories.fresh(edited).marketo_id is None


@pytest.mark.parametrize("accepted", [{}, {"Name": "Same"}])
def test_what_is_sent_is_compared_once_more_under_the_lock(accepted):
    """A pull may change what Marketo is known to hold, and so what goes out, without changing the record."""
    record = factories.opportunity(name="Same", marketo_id=7)
    job = dry_run(Kind.OPPORTUNITY)
    Opportunity.objects.filter(pk=record.pk).update(accepted=accepted)
    record = factories.fresh(record)
    selection = SyncSelection((Kind.OPPORTUNITY,), of_dry_run=str(job.pk))
    built = build_payload(record, Operation.UPDATE, key_fields())
    ((_, part),) = hold_unplanned(Kind.OPPORTUNITY, selection, [(record, built)])
    assert isinstance(part, Payload) is (accepted == {})


def test_a_dry_run_goes_on_where_its_worker_stopped():
    for _ in range(3):
        factories.opportunity()
    job = dry_run(Kind.OPPORTUNITY)
    run_job(rewrite(job, state=SyncJobState.RUNNING))
    assert SyncResult.objects.filter(job=job).count() == 3
