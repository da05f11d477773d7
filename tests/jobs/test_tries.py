"""The first five go out alone; the rest follows."""

from __future__ import annotations

import pytest

from mobjects.jobs.requests import request_sync
from mobjects.jobs.runner import run_job
from mobjects.jobs.tries import request_try, rest_of_try
from mobjects.models import Kind, Opportunity, SyncJob
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue")]
ALL = SyncSelection((Kind.OPPORTUNITY,))


def tried(*, by_itself: bool) -> SyncJob:
    job = request_try(ALL, key_fields(), by_itself=by_itself, username="olga")
    run_job(job)
    return SyncJob.objects.get(pk=job.pk)


def test_the_rest_goes_by_itself_only_if_all_of_the_first_were_accepted(sandbox):
    records = [factories.opportunity() for _ in range(7)]
    job = tried(by_itself=True)
    assert sorted(job.results.values_list("record_id", flat=True)) == [record.pk for record in records[:5]]
    rest = job.followers.get()
    assert (SyncSelection.from_json(rest.selection), rest.username) == (ALL, "olga")
    assert rest_of_try(job) is None
    run_job(rest)
    assert not Opportunity.objects.filter(marketo_id=None).exists()

    factories.opportunity(marketo_id=999_999)
    factories.opportunity()
    failed = tried(by_itself=True)
    assert failed.counts == {"SKIPPED": 1, "CREATED": 1}
    assert not failed.followers.exists()
    assert rest_of_try(failed) == ALL


def test_a_kind_with_enough_records_is_tried_rather_than_the_only_one_of_another():
    factories.program()
    records = [factories.opportunity() for _ in range(6)]
    job = request_try(SyncSelection((Kind.PROGRAM, Kind.OPPORTUNITY)), key_fields(), by_itself=False)
    assert SyncSelection.from_json(job.selection).ids == tuple(record.pk for record in records[:5])


def test_without_that_the_rest_waits_for_a_person_and_is_asked_for_once():
    for _ in range(6):
        factories.opportunity()
    job = tried(by_itself=False)
    assert not job.followers.exists()
    rest = rest_of_try(job)
    assert rest == ALL
    request_sync(rest, origin=job)
    assert rest_of_try(job) is None


def test_the_rest_with_unchanged_records_leaves_out_what_was_accepted_already():
    records = [factories.opportunity() for _ in range(7)]
    every = SyncSelection((Kind.OPPORTUNITY,), resend=True)
    job = request_try(every, key_fields(), by_itself=False)
    run_job(job)
    job.refresh_from_db()
    rest = rest_of_try(job)
    assert rest is not None
    sent = request_sync(rest, origin=job)
    run_job(sent)
    assert sorted(sent.results.values_list("record_id", flat=True)) == [record.pk for record in records[5:]]
    assert rest_of_try(job) is None
